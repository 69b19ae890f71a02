"""Initial weights: read the weights of a finished run for an experiment that starts from them."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from memtape.experiments.experiment import Experiment
from memtape.experiments.run_folder.folder import Run
from memtape.experiments.run_folder.weights import read_weights


def initial_weights(experiment: Experiment) -> Mapping[str, Tensor] | None:
    """Return the weights that an experiment starts from; None if it draws them from its seed.

    Raises:
        RunError: the named run does not exist, is not finished, or is damaged.
    """
    return None if experiment.weights is None else read_weights(Run.open(Path(experiment.weights)))
