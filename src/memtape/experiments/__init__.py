"""Floor 6: train, evaluate, report, sweep and bench by name."""
