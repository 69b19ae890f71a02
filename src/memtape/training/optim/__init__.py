"""Optim: optimisers, schedules, checks of gradients, and penalties."""
