"""Run folder: the files of a training run, how they are written, and how they are checked."""
