"""Floor 6: the training loop, its settings, evaluation and checkpoints; it imports neither models nor tasks."""
