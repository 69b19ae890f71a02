"""Floor 6: tasks, which generate or read sequences with targets and score outputs; they import no model."""
