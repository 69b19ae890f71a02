"""Contributions: how much does each input of a long list contribute to the last hidden vector?

    python benchmarks/contributions.py RUN [RUN ...] --out docs/images/contributions.png

measures the contributions of all inputs to the hidden vector of the controller after the source, for trained networks of
the task `listing`, relative to that of the last input. It prints their mean beside the bound of the same writes, and
draws both: the bound by the number of writes for equal, random and early intervals, and the contributions of each run.
"""

import argparse
import random
from pathlib import Path
from statistics import fmean
from typing import Any

import matplotlib.pyplot as plt
import torch
from torch import Tensor

import memtape
from memtape import ScheduledCell
from memtape.theory import contribution_bound, contributions, uniform_intervals
from memtape.viz.style import paper_style

DECAY = 0.9
DRAWS = 1000


def random_intervals(steps: int, writes: int, generator: random.Random) -> list[int]:
    """Return the intervals between writes at random steps."""
    times = sorted(generator.sample(range(1, steps), writes))
    return [after - before for before, after in zip([0, *times], [*times, steps], strict=True)]


def bounds(steps: int) -> dict[str, list[float]]:
    """Return the bound by the number of writes, from 0 on, for each choice of intervals."""
    generator, numbers = random.Random(0), range(steps // 2)
    drawn = [[random_intervals(steps, count, generator) for _ in range(DRAWS)] for count in numbers]
    return {
        "equal intervals": [contribution_bound(uniform_intervals(steps, count), DECAY) for count in numbers],
        "random, mean": [fmean(contribution_bound(one, DECAY) for one in some) for some in drawn],
        "the first steps": [contribution_bound([1] * count + [steps - count], DECAY) for count in numbers],
    }


def hidden_of(state: Any) -> Tensor:
    """Return the hidden vector of the controller of a machine, or of a network of one layer without a memory."""
    machine = getattr(state, "machine", state)
    controller = getattr(machine, "controller", machine)
    return getattr(controller, "layers", (controller,))[-1].hidden


def measured(folder: Path, steps: int, sequences: int) -> tuple[str, Tensor, list[int]]:
    """Return the name of a run, the mean contributions of the inputs relative to the last, and the steps with a write."""
    loaded = memtape.load(folder)
    network, task = loaded.model, loaded.task
    batch = task.batch(0, sequences, lengths=(steps, steps), split="test")
    source = steps + 1
    found = contributions(network, batch.inputs[:, :source], hidden_of)
    machine = getattr(network.cell, "machine", None)
    if isinstance(machine, ScheduledCell):
        numbers = torch.arange(source) + machine.first_number
        writes = machine.schedule(numbers.float()).nonzero()[:, 0].tolist()
        name = f"{type(network).__name__}, {network.configuration['writing']}, {len(writes)} writes"
    else:
        writes = [] if machine is None else list(range(source))
        name = type(network).__name__ + ("" if machine is None else ", a write in each step")
    return name, (found / found[:, -1:]).median(0).values, writes


def draw(steps: int, runs: list[tuple[str, Tensor, list[int]]], file: Path) -> None:
    """Draw the bounds, and beside them the contributions of the runs."""
    with paper_style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 2.8), layout="constrained")
        for name, values in bounds(steps).items():
            left.plot(values, label=name)
        left.set(title=f"Bound, T = {steps}, decay {DECAY}", xlabel="writes", ylabel="mean contribution / last")
        left.set_ylim(0, 1)
        left.xaxis.get_major_locator().set_params(integer=True)
        left.legend()
        for number, (name, values, writes) in enumerate(runs):
            (line,) = right.plot(range(1, len(values) + 1), values, label=name)
            if 0 < len(writes) < len(values):
                places = [step + 1 for step in writes]
                right.plot(places, values[writes], "o", color=line.get_color(), markersize=3, zorder=3 + number)
        right.set(title="Trained networks", xlabel="input", ylabel="contribution / last", yscale="log")
        right.xaxis.get_major_locator().set_params(integer=True)
        right.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        right.legend()
        figure.savefig(file)


def main() -> None:
    """Print the means, and draw bounds and measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*")
    parser.add_argument("--steps", type=int, default=50, help="number of integers of a list")
    parser.add_argument("--sequences", type=int, default=16)
    parser.add_argument("--out", type=Path, help="write the figure to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    runs = [measured(folder, options.steps, options.sequences) for folder in options.runs]
    for folder, (name, values, _) in zip(options.runs, runs, strict=True):
        print(f"{folder.name:30} {name:20} mean {values.mean():8.3g}  first {values[0]:8.3g}")
    if options.out:
        draw(options.steps, runs, options.out)


if __name__ == "__main__":
    main()
