"""Sweep: train many seeds of one configuration, or of those that a search proposes."""
