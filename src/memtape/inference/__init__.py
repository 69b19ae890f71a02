"""Floor 6: decode and generate with a trained network."""
