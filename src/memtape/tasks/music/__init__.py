"""Music tasks: prediction of sequences of chords."""
