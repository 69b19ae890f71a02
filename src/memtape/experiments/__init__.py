"""Floor 6, experiments: train, evaluate, report, sweep and bench by name."""
