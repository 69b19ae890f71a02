"""Floor 6: complete networks, built from `cells` and `memory` as in their papers."""
