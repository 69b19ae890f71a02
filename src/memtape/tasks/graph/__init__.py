"""Graph tasks: walks, shortest paths and relations (Graves et al. 2016)."""
