"""Constructions of networks that compute exactly what a machine computes."""
