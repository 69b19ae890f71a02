"""Memory networks: they answer questions about stories from a memory of the sentences."""
