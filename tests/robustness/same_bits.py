"""Same bits: the settings that change the numbers of a training run, and those that do not.

    python tests/robustness/same_bits.py

trains models on copy for 200 steps repeatedly with the same seed: with equal settings, then with another number of
threads, another backend, recomputation, accumulation, and chunks. It prints the largest difference of a weight from the
first run.
"""

import argparse
import sys
from typing import Any

import torch

from memtape import use_backend
from memtape.catalog.registry import MODELS
from memtape.experiments.experiment import Experiment
from memtape.training.loop import train
from memtape.training.settings import TrainSettings

SMALL = {"slots": 32, "width": 10, "controller_size": 64}
OPTIONS: dict[str, dict[str, Any]] = {"ntm": SMALL, "dnc": SMALL, "lstm": {}}
"""One model of each kind, with its options."""
TASK = {"max_length": 6}
MUST_BE_SAME = ("repeated", "checkpoints and validations at other times")
CHANGES: dict[str, dict[str, Any]] = {
    "repeated": {},
    "checkpoints and validations at other times": {"validate_every": 70},
    "two threads": {"threads": 2},
    "the reference backend": {"backend": "reference"},
    "recomputation, every 5th state saved": {"checkpoint_every": 5},
    "accumulation in 2 parts": {"accumulate": 2},
    "chunks as long as the sequences": {"tbptt": 100},
    "another seed, for comparison": {"seed": 1},
}


def weights(model: str, change: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Train a model and return its weights."""
    change = dict(change)
    backend, seed = change.pop("backend", "auto"), change.pop("seed", 0)
    plain: dict[str, Any] = {"steps": 200, "batch_size": 8, "validate_every": 100, "validation_sequences": 8}
    settings = TrainSettings(**{**plain, "threads": 1, "device": "cpu", "stop_when_solved": False, **change})
    experiment = Experiment(
        model=model, task="copy", model_options=OPTIONS.get(model, {}), task_options=TASK, train=settings, seed=seed
    )
    network, task = experiment.build()
    last: dict[str, torch.Tensor] = {}

    def watch(step: int, _: dict[str, float]) -> None:
        if step == settings.steps:
            last.update({name: value.clone() for name, value in network.state_dict().items()})

    with use_backend(backend):
        train(network, task, settings, seed=seed, on_record=lambda _: None, on_step=watch)
    return last


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(OPTIONS), choices=list(MODELS))
    options = parser.parse_args()
    failed = False
    for model in options.models:
        first = weights(model, {})
        for name, change in CHANGES.items():
            found = weights(model, change)
            worst = max((found[part] - first[part]).abs().max().item() for part in first)
            print(f"{model:16} {name:44} {'the same bits' if worst == 0 else f'{worst:.2g}'}", flush=True)
            failed |= name in MUST_BE_SAME and worst != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
