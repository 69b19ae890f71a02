"""Bench: measure time and memory of a step on each backend."""
