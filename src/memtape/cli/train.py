"""`memtape train`: train a model on a task."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from memtape.cli.experiment_options import add_experiments
from memtape.cli.options import named_option

if TYPE_CHECKING:
    from memtape.experiments.experiment import Experiment

HELP = """Train a model on a task, until it is solved.

A tuned recipe is used where one exists. Values on the command line take precedence over those of a --config file, then
the recipe, then the constructors. `memtape train MODEL TASK --help` shows all options with the resulting values.
"""

OWN = (
    named_option("seed", int, 0, "Seed of the weights and the data."),
    named_option("out", Path | None, None, "Run folder to create; by default a new one under runs/."),
    named_option(
        "weights",
        Path | None,
        None,
        "Run folder whose trained weights this run starts from; its memory may have another number of slots.",
    ),
)


def app(recipe_name: str | None, words: Sequence[str]) -> App:
    """Return the command, for the requested recipe and the words of the command line."""
    return add_experiments(App(name="train", help=HELP), OWN, _train, recipe_name=recipe_name, words=words)


def _train(experiment: "Experiment", given: Mapping[str, Any]) -> int:
    weights = given["weights"]
    return train(experiment if weights is None else replace(experiment, weights=str(weights.absolute())), given["out"])


def train(experiment: "Experiment", out: Path | None) -> int:
    """Train an experiment with a progress display, and return the exit code.

    Args:
        experiment: what to train.
        out: the run folder to create; None creates a new one under runs/.
    """
    from memtape.cli.progress_display import ProgressDisplay, print_outcome
    from memtape.experiments.expectation import expectation
    from memtape.experiments.initial_weights import initial_weights
    from memtape.experiments.run_folder.folder import default_folder
    from memtape.experiments.train import train_run
    from memtape.training.interruption import interruption
    from memtape.training.parallel.processes import Processes

    model, task = experiment.build(initial_weights(experiment.weights))  # errors are reported before processes connect
    processes = Processes(experiment.train)
    folder = out or Path(processes.broadcast(str(default_folder(experiment.model, experiment.task, experiment.seed))))
    with interruption() as request, ProgressDisplay() as display:
        if processes.first:
            display.start(experiment)
            if (data := task.data_record()) is not None:
                display.print(str(data))
            if (line := expectation(experiment)) is not None:
                display.print(line)
        run, outcome = train_run(
            experiment,
            model,
            task,
            folder,
            on_record=display.on_record,
            on_step=display.on_step,
            processes=processes,
            interruption=request,
        )
    if display.shown:
        print_outcome(run, outcome)
    return 0
