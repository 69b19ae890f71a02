"""Grammars: weighted context-free grammars, with exact sampling at a given length and inside weights."""
