"""NTM: the Neural Turing Machine."""
