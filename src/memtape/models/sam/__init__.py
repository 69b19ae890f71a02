"""SAM: the machines with sparse memories, and their dense form."""
