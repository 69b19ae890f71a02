"""Tasks on music: sequences of chords."""
