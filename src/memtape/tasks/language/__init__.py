"""Language tasks: sequences of characters or words, pairs of sequences, and trees of words."""
