"""Optim: optimisers, schedules, gradients, and what is added to a loss."""
