"""Floor 5, catalog: which models, tasks and recipes there are, by name, before anything heavy is imported."""
