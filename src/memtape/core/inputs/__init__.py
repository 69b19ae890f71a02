"""Inputs: one file for each kind of input that a network reads, and the registry of the kinds."""
