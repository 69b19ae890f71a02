"""Initial weights: read those of a finished run, with the meaning of its symbols, for an experiment that starts from them."""

from pathlib import Path

from memtape.experiments.experiment import InitialWeights
from memtape.experiments.run_folder.folder import Run
from memtape.experiments.run_folder.weights import read_weights


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
