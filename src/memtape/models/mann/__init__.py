"""MANN: the machine with the least recently used access of Santoro et al."""
