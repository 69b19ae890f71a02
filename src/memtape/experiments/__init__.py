"""Floor 8: train, evaluate, report, sweep and bench by name."""
