"""Tasks on language: characters, words, and trees of words."""
