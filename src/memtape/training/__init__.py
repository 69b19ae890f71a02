"""Floor 4, learning: the loop, its settings, evaluation and run folders; it knows neither models nor tasks."""
