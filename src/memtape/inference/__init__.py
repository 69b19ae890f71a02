"""Floor 4: decode and generate with a trained network."""
