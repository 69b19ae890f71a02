"""Inputs: one file for each kind of input that a network reads."""
