"""Checkpoints of a run, and the best weights in them while training is not finished."""

from collections.abc import Mapping

from torch import Tensor

from memtape.experiments.run_folder.folder import COPIED, Run, RunError
from memtape.training.checkpoints import Checkpoints


def checkpoints_of(run: Run, *, keep: int) -> Checkpoints:
    """Return the checkpoints of a run, which keep the last `keep`."""
    return Checkpoints(run.checkpoints, {name: run.folder / name for name in COPIED}, keep=keep)


def saved_step(run: Run) -> int:
    """Return the step of the last checkpoint of a run, 0 without one."""
    return max(checkpoints_of(run, keep=1).steps(), default=0)


def best_weights_so_far(run: Run) -> tuple[Mapping[str, Tensor], int]:
    """Return the weights of the best validation in the last checkpoint, or of its step before the first, and the step.

    Raises:
        RunError: there is no checkpoint, or all are damaged.
    """
    checkpoint, _, damages = checkpoints_of(run, keep=1).newest()
    if checkpoint is None:
        reason = f"its checkpoints are damaged: {'; '.join(damages)}" if damages else "it has no checkpoint yet"
        raise RunError(
            f"the training run in {run.folder} is not finished, and {reason}; continue with `memtape resume {run.folder}`"
        )
    progress = checkpoint.progress
    if checkpoint.best_weights:
        return checkpoint.best_weights, progress.best_step
    return checkpoint.weights, progress.step
