"""Floor 4, exams: sources of sequences with targets, which know no model."""
