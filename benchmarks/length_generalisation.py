"""Length generalisation: test every network of a sweep at many lengths, with and without rounded actions.

    memtape reproduce stackrnn/counting --seeds 0:3 --out runs/counting
    python benchmarks/length_generalisation.py runs/counting --option language --lengths 2:61

For each value of the sweep's option it prints two numbers, each for the best seed and as mean of the seeds: the mean
accuracy of the lengths, and the share of the lengths without an error. Networks with stacks are also tested with rounded
actions: the most probable action has the probability 1. With `--slots` all networks get this number of slots, such as one
for each symbol of the longest string and its answer; their weights must not depend on the slot. `--json FILE` saves the
accuracies of each seed at each length.
"""

import argparse
import json
import tomllib
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import nn

import memtape
from memtape.core.task import Task
from memtape.memory import SuperpositionList, SuperpositionStack


@torch.no_grad()
def accuracies(network: nn.Module, task: Task, lengths: range, sequences: int) -> list[float]:
    """Return the accuracy at each length."""
    found = []
    for length in lengths:
        batch = task.batch(0, sequences, split="test", lengths=(length, length))
        found.append(task.scores(network(batch.inputs, lengths=batch.lengths)[0], batch)["accuracy"])
    return found


def tested(run: memtape.LoadedRun, lengths: range, sequences: int, slots: int | None) -> dict[str, list[float]]:
    """Return the accuracies of a network with its probabilities, and with rounded actions if it has some."""
    network: Any = run.model if slots is None else run.model.with_slots(slots).eval()
    found = {"probabilities": accuracies(network, run.task, lengths, sequences)}
    memories = [part for part in network.modules() if isinstance(part, SuperpositionStack | SuperpositionList)]
    for memory in memories:
        memory.round_actions = True
    if memories:
        found["rounded"] = accuracies(network, run.task, lengths, sequences)
    return found


def summary(seeds: list[list[float]]) -> tuple[str, str]:
    """Return the mean accuracy and the share of lengths without an error, for the best seed and as mean."""
    means = [fmean(one) for one in seeds]
    shares = [fmean(accuracy == 1 for accuracy in one) for one in seeds]
    return f"{max(means):.3f} ({fmean(means):.3f})", f"{max(shares):.3f} ({fmean(shares):.3f})"


def swept(configuration: Path, option: str) -> str:
    """Return the value of an option of the task in a configuration of a sweep."""
    return str(tomllib.loads((configuration / "configuration.toml").read_text())["task"][option])


def main() -> None:
    """Test the runs of a sweep and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path)
    parser.add_argument("--option", required=True, help="the option of the task that the sweep varies")
    parser.add_argument("--lengths", required=True, help="FIRST:END or FIRST:END:STEP, the end not included")
    parser.add_argument("--sequences", type=int, default=40, help="number of sequences at each length")
    parser.add_argument("--slots", type=int, help="number of slots of the memory; by default that of training")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    lengths = range(*map(int, given.lengths.split(":")))
    found: dict[str, dict[str, list[list[float]]]] = {}
    for configuration in sorted((given.sweep / "configurations").iterdir()):
        value = swept(configuration, given.option)
        by_actions: dict[str, list[list[float]]] = defaultdict(list)
        for folder in sorted(one for one in configuration.iterdir() if one.is_dir()):
            for actions, scores in tested(memtape.load(folder), lengths, given.sequences, given.slots).items():
                by_actions[actions].append(scores)
        found[value] = dict(by_actions)
        for actions, seeds in by_actions.items():
            print(f"| `{value}` | {actions} | {' | '.join(summary(seeds))} | {len(seeds)} |", flush=True)
    if given.json:
        record: dict[str, Any] = {
            "sweep": given.sweep.name,
            "lengths": list(lengths),
            "sequences": given.sequences,
            "slots": given.slots,
            "accuracy": found,
        }
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    print("| value | actions | mean accuracy: best seed (mean) | lengths without an error: best seed (mean) | seeds |")
    print("| --- | --- | --- | --- | --: |")
    main()
