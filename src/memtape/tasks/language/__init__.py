"""Tasks of language: texts, and the trees of their sentences."""
