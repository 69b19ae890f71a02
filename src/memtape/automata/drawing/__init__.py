"""Automata drawn as graphs of their states."""
