"""Floor 1: state, Cell, Memory, Interface, unroll, Recurrent, batch, Task."""
