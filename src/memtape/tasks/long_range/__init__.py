"""Long-range tasks: the targets depend on inputs of many steps ago."""
