"""Image tasks: images read as sequences of rows or pixels."""
