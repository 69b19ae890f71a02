"""Floor 4, whole networks: the ingredients of `cells` and `memory`, put together as their papers did."""
