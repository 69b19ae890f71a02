"""Inference: decode and generate with a trained network."""
