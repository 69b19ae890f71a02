"""Automata and grammars as typed objects, and their text files."""
