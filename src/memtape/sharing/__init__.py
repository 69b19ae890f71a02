"""Sharing: save networks to folders and to the hub, and load them from there."""
