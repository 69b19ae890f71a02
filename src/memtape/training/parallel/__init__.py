"""Parallel: train one network in several processes."""
