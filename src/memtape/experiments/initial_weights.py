"""Initial weights: read those of a finished run, with the meaning of its symbols, for an experiment that starts from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from memtape.experiments.run_folder.folder import Run
from memtape.experiments.run_folder.weights import read_weights


@dataclass(frozen=True)
class InitialWeights:
    """The weights of a finished run."""

    tensors: Mapping[str, Tensor]
    vocabulary: Sequence[str] | None
    """The name of each symbol of its task; None without symbols."""


def initial_weights(folder: str | None) -> InitialWeights | None:
    """Return the weights that an experiment starts from.

    Args:
        folder: the run folder that the experiment names; None if it draws its weights from its seed.

    Raises:
        RunError: the run does not exist, is not finished, or is damaged.
    """
    if folder is None:
        return None
    run = Run.open(Path(folder))
    return InitialWeights(tensors=read_weights(run), vocabulary=run.vocabulary())
