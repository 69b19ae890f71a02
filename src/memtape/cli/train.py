"""`memtape train`: train a model on a task."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from memtape.cli.experiments import add_experiments, word

if TYPE_CHECKING:
    from memtape.experiments.experiment import Experiment

HELP = """Train a model on a task, until it is solved.

A tuned recipe is used where one exists. Values on the command line win over those of a --config file, which win over the
recipe's, which win over the constructors' own; `memtape train MODEL TASK --help` shows all options with the values that hold.
"""

OWN = (
    word("seed", int, 0, "Seed of the weights and the data."),
    word("out", Path | None, None, "Run folder to make; without it, a new one under runs/."),
    word(
        "weights",
        Path | None,
        None,
        "Run folder whose trained weights this one begins with; its memory may have had another number of slots.",
    ),
)


def app(recipe_name: str | None, words: Sequence[str]) -> App:
    """Return the command, for the recipe that was asked for and the words of the command line."""
    return add_experiments(App(name="train", help=HELP), OWN, _train, recipe_name=recipe_name, words=words)


def _train(experiment: "Experiment", given: Mapping[str, Any]) -> int:
    from memtape.cli.training import carry_out

    weights = given["weights"]
    return carry_out(
        experiment if weights is None else replace(experiment, weights=str(weights.absolute())), given["out"]
    )
