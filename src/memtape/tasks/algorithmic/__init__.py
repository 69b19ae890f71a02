"""Algorithmic tasks on bits: the five of the Neural Turing Machine (Graves et al. 2014, section 4), and later ones."""
