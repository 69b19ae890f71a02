"""Stories: sentences of words with questions about them, in the format of the bAbI tasks."""
