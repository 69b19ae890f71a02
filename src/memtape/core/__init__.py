"""Floor 1, the vocabulary: state, Cell, Memory, Interface, unroll, Recurrent, batch, Task."""
