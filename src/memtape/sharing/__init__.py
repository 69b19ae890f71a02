"""Floor 5: save networks to folders and the hub, and load them from there."""
