"""SAM: the sparse memories, and their dense form."""
