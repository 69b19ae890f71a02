"""Parallel: several processes that train one network."""
