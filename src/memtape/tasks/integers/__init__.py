"""Tasks on lists of integers, which are symbols: repeat them, combine them, and compute with them."""
