"""Recipes: number of parameters of their networks, and time of a training step, in turns.

    python benchmarks/recipes.py lstm/char-lm memn2n-lm/char-lm --data-dir data
    python benchmarks/recipes.py lstm/word-lm memn2n-lm/word-lm --data-dir data --steps 12

Each turn trains a new network by each recipe for a few steps, of which the first two are not timed. Steps are complete: they
draw the batch, change the weights and collect scores. It prints the median in milliseconds of the time of the processor, on
one thread, and its quotient to that of the first recipe.
"""

import argparse
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from statistics import median

import torch

from memtape.catalog.registry import find
from memtape.core.task import Task
from memtape.experiments.experiment import Experiment
from memtape.training.loop import train
from memtape.training.settings import TrainSettings

UNTIMED = 2
"""Steps at the start of a turn that are not timed."""


def experiment_of(name: str, data_dir: str | None, steps: int) -> Experiment:
    """Return the experiment of a recipe with few steps and one sequence for validation.

    Args:
        name: name of the recipe.
        data_dir: the data folder; None for generated data.
        steps: number of training steps.
    """
    recipe = find("recipe", name)
    given: Mapping[str, str] = {} if data_dir is None else {"data_dir": data_dir}
    settings = {**recipe.train, "steps": steps, "validate_every": steps, "validation_sequences": 1}
    return Experiment(
        model=recipe.model,
        task=recipe.task,
        model_options=recipe.model_options,
        task_options={**recipe.task_options, **given},
        train=TrainSettings(**settings),
    )


def step_times(experiment: Experiment, task: Task) -> list[float]:
    """Return the milliseconds of each timed step of a turn."""
    network = experiment.new_network(task.input_size, task.output_size)
    ends: list[float] = []
    train(
        network,
        task,
        experiment.train,
        seed=experiment.seed,
        on_record=lambda _: None,
        on_step=lambda *_: ends.append(time.thread_time()),
    )
    return [1000 * (end - start) for start, end in pairwise(ends)][UNTIMED - 1 :]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("recipes", nargs="+", help="names of recipes")
    options.add_argument("--data-dir", help="the data folder; without it, generated data")
    options.add_argument("--steps", type=int, default=22, help="steps of a turn")
    options.add_argument("--turns", type=int, default=3, help="turns of each recipe")
    given = options.parse_args()
    torch.set_num_threads(1)
    experiments = {name: experiment_of(name, given.data_dir, given.steps) for name in given.recipes}
    tasks = {name: experiment.build_task() for name, experiment in experiments.items()}
    times: dict[str, list[float]] = {name: [] for name in experiments}
    for turn in range(given.turns):
        for name, experiment in experiments.items():
            times[name] += step_times(replace(experiment, seed=turn), tasks[name])
    first = median(times[given.recipes[0]])
    print(f"{'recipe':24} parameters  step (ms)  quotient")
    for name, experiment in experiments.items():
        network = experiment.new_network(tasks[name].input_size, tasks[name].output_size)
        count = sum(parameter.numel() for parameter in network.parameters())
        middle = median(times[name])
        print(f"{name:24} {count:10,} {middle:10.1f} {middle / first:9.2f}")


if __name__ == "__main__":
    main()
