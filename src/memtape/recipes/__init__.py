"""Floor 5, recipes: which model takes which exam with which settings, and what came of it."""
