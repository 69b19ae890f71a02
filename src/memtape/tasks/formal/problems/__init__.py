"""Problems: the fifteen problems of the Chomsky suite, each with exact answers."""
