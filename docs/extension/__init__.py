"""Extensions of Sphinx for this site: docstrings, equations and the pages of the API reference."""
