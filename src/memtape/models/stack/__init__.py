"""Floor 6: recurrent networks with a stack, a queue, a deque or a list."""
