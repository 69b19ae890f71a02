"""Machine: what all controllers with a memory have in common."""
