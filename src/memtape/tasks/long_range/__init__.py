"""Tasks of a long lag: the answer hangs on inputs of long ago."""
