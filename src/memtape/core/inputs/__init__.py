"""Inputs: one file for each kind of input, and the registry of the kinds."""
