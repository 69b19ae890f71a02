"""Floor 6, words typed at a shell."""
