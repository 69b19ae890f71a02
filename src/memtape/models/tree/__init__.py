"""Tree: networks over trees."""
