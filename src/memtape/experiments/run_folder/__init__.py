"""Run folder: what a training run leaves behind, how its files are written, and what each may hold."""
