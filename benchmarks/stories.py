"""Stories: time of a training step of MemN2N, for a batch at once and sentence by sentence.

    python benchmarks/stories.py --data-dir data
    python benchmarks/stories.py --data-dir data --tasks 1 2 3 --rounds 20
    python benchmarks/stories.py --data-dir data --sweep runs/babi

The first command trains on each task as its recipe says. In turns with these steps, on the same batches, it trains a plain
program of the same network, which loops over the stories and over their sentences. It prints milliseconds per step and
the ratio. First, losses and gradients of the two are compared in float64. Steps of the library are complete: they draw the
batch, check it, add random noise to the ages, and collect scores. The program gets lists of symbols, and has no noise.

With `--sweep`, the recipe is trained on all tasks in a folder, one process for each, two at a time, with the code of
`memtape sweep`; it prints the minutes of all together.
"""

import argparse
import copy
import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from memtape import Babi, MemN2N
from memtape.catalog.registry import recipe_for
from memtape.core.batch import SequenceBatch
from memtape.experiments.bench.measure import middle, ratio, surroundings
from memtape.experiments.sweep.workers import Training, run_all
from memtape.tasks.stories.babi_files import TASKS
from memtape.training.loop import train
from memtape.training.settings import TrainSettings

Story = tuple[list[list[int]], list[int]]
"""The words of each sentence, and of the question."""

TURN = 20
"""Steps of the library in a turn, of which the first is not timed."""

PLAIN_TURN = 3
"""Steps of the plain program in a turn, of which the first is not timed."""


class PlainMemN2N:
    """The network with adjacent tying and position encoding, one sentence after another.

    Args:
        network: the network whose weights are copied.
        settings: learning rate and limit of the gradients.
    """

    def __init__(self, network: MemN2N, settings: TrainSettings):
        self.words, self.times = (
            [table.detach().clone().requires_grad_() for table in tables] for tables in (network.words, network.times)
        )
        self.slots, self.settings = network.memory_size, settings

    def loss(self, stories: Sequence[Story], answers: Tensor) -> Tensor:
        return functional.cross_entropy(torch.stack([self.logits(*story) for story in stories]), answers)

    def logits(self, sentences: list[list[int]], question: list[int]) -> Tensor:
        memories = [self.memory(sentences[-self.slots :], *tables) for tables in zip(self.words, self.times, strict=True)]
        query = encoded(question, self.words[0])
        for keys, values in pairwise(memories):
            empty = query.new_zeros(self.slots - len(keys))
            weights = torch.softmax(torch.cat([keys @ query, empty]), dim=0)[: len(keys)]
            query = query + weights @ values
        return functional.pad(self.words[-1][1:] @ query, (1, 0))

    def memory(self, sentences: list[list[int]], words: Tensor, times: Tensor) -> Tensor:
        newest = len(sentences) - 1
        return torch.stack([encoded(told, words) + times[newest - at] for at, told in enumerate(sentences)])

    def step(self, stories: Sequence[Story], answers: Tensor) -> None:
        parameters = [*self.words, *self.times]
        gradients = torch.autograd.grad(self.loss(stories, answers), parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                rate = self.settings.learning_rate * min(1.0, self.settings.clip_limit / float(gradient.norm()))
                parameter -= rate * gradient


def encoded(words: list[int], table: Tensor) -> Tensor:
    return (position_weights(len(words), table.shape[1], table.dtype) * table[words]).sum(0)


@cache
def position_weights(length: int, size: int, dtype: torch.dtype) -> Tensor:
    j = torch.arange(1, length + 1, dtype=dtype)[:, None] / length
    k = torch.arange(1, size + 1, dtype=dtype) / size
    return 1 + 4 * (k - (1 + 1 / size) / 2) * (j - (1 + 1 / length) / 2)


def as_lists(batch: SequenceBatch) -> tuple[list[Story], Tensor]:
    """Return the stories and answers of a batch without absent words."""
    told, asked = batch.inputs.sentences.tolist(), batch.inputs.question.tolist()
    read = [[[word for word in words if word] for words in story if any(words)] for story in told]
    return list(zip(read, ([word for word in words if word] for words in asked), strict=True)), batch.targets[:, 0]


def check_equal(network: MemN2N, task: Babi, settings: TrainSettings) -> None:
    """Raise AssertionError unless losses and gradients of the network and of the plain program are equal."""
    exact = copy.deepcopy(network).double().eval()
    plain, batch = PlainMemN2N(exact, settings), task.batch(0, settings.batch_size)
    loss, same = task.loss(exact(batch.inputs)[0], batch), plain.loss(*as_lists(batch))
    ours = torch.autograd.grad(loss, [*exact.words, *exact.times])
    theirs = torch.autograd.grad(same, [*plain.words, *plain.times])
    torch.testing.assert_close([loss, *ours], [same, *theirs], rtol=1e-9, atol=1e-12)


def measured(number: int, data_dir: str | None, rounds: int) -> dict[str, Any]:
    """Return the milliseconds per step of both on a task."""
    recipe = recipe_for("memn2n", "babi")
    assert recipe is not None
    steps = {"linear_start_steps": 0, "steps": rounds * TURN, "validate_every": rounds * TURN}
    settings = TrainSettings(**{**recipe.train, **steps})
    task = Babi(data_dir=data_dir, numbers=str(number))
    torch.manual_seed(0)
    network = MemN2N(task.input_size, task.output_size)
    check_equal(network, task, settings)
    plain = PlainMemN2N(network, settings)
    times: dict[str, list[float]] = {"batch": [], "sentence": []}
    begun = perf_counter()

    def take_turns(step: int, _: dict[str, float]) -> None:
        nonlocal begun
        if step % TURN == 0:
            times["batch"].append((perf_counter() - begun) / (TURN - 1))
            batches = [as_lists(task.batch(step + ahead, settings.batch_size)) for ahead in range(PLAIN_TURN)]
            plain.step(*batches[0])
            before = perf_counter()
            for batch in batches[1:]:
                plain.step(*batch)
            times["sentence"].append((perf_counter() - before) / (PLAIN_TURN - 1))
        elif step % TURN == 1:
            begun = perf_counter()

    train(network, task, settings, seed=0, on_record=lambda _: None, on_step=take_turns)
    times_as_fast, spread = ratio(times["batch"], times["sentence"])
    return {
        "task": number,
        "batch_ms": 1e3 * middle(times["batch"])[0],
        "sentence_ms": 1e3 * middle(times["sentence"])[0],
        "times_as_fast": times_as_fast,
        "times_as_fast_spread": spread,
    }


def sweep(numbers: Sequence[int], data_dir: str | None, folder: Path, jobs: int) -> float:
    """Train the recipe on each task in a process of its own, and return the seconds of all together."""
    folder.mkdir(parents=True)
    given = ("--data-dir", data_dir) if data_dir else ()
    training_runs = [
        Training(words=("memn2n", "babi", *given, "--task.numbers", str(number)), folder=folder / f"task{number}")
        for number in numbers
    ]
    begun = perf_counter()

    def ended(training: Training) -> None:
        remark = training.failure() or "trained"
        print(f"{training.folder.name:8} {remark} after {(perf_counter() - begun) / 60:.2f} minutes", flush=True)

    run_all(training_runs, jobs=jobs, stop=Event(), ended=ended, killed=lambda *_: None)
    return perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="the data folder, which contains the folder babi; without it, generated stories")
    parser.add_argument("--tasks", type=int, nargs="+", default=list(TASKS), help="numbers of tasks")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sweep", type=Path, help="a new folder in which to train the recipe on the tasks")
    parser.add_argument("--jobs", type=int, default=2, help="training runs at a time, each with one thread")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    options = parser.parse_args()
    if options.sweep:
        seconds = sweep(options.tasks, options.data_dir, options.sweep, options.jobs)
        print(f"{len(options.tasks)} tasks, {options.jobs} processes: {seconds / 60:.1f} minutes")
        return
    torch.set_num_threads(options.threads)
    rows = []
    print(f"{'task':28} {'batch ms':>9} {'sentence ms':>12} {'times as fast':>14}")
    for number in options.tasks:
        row = measured(number, options.data_dir, options.rounds)
        rows.append(row)
        print(
            f"{number:2} {TASKS[number]:25} {row['batch_ms']:9.2f} {row['sentence_ms']:12.1f} {row['times_as_fast']:14.1f}",
            flush=True,
        )
    low, high = (choose(row["times_as_fast"] for row in rows) for choose in (min, max))
    print(f"times as fast: {low:.1f} to {high:.1f}, median {middle([row['times_as_fast'] for row in rows])[0]:.1f}")
    if options.json:
        found = {"surroundings": surroundings(options.threads), "batch": 32, "rows": rows}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
