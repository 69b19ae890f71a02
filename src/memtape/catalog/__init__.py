"""Floor 7: the catalog of models, tasks and recipes by name, read without importing torch."""
