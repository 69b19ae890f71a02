"""Documents: texts with titles, and questions that are answered by a word of them or by a title."""
