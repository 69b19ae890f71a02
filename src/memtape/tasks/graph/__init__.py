"""Tasks of graphs: walks, shortest paths and relations (Graves et al. 2016)."""
