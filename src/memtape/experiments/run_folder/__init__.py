"""Run folder: the files that a training run leaves, written and read."""
