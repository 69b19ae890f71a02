"""Finite automata extracted from trained networks."""
