"""Soak test: is the memory of a long training run constant, and does a carried state keep graphs alive?

    python tests/robustness/soak.py --steps 100000

trains a small Neural Turing Machine on copy in a run folder, with truncated back-propagation, a carried state,
validations and checkpoints. It prints the resident memory of the process and the number of its tensors during training,
and the slope of the memory without the first tenth.
"""

import argparse
import gc
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from memtape.experiments import train as training
from memtape.experiments.experiment import Experiment
from memtape.training.settings import TrainSettings

PAGES, MIB = Path("/proc/self/statm"), 2**20
PAGE = 4096
LIMIT = 2.0
"""Growth in MiB per 100,000 steps that counts as constant."""


def resident() -> float:
    """Return the resident memory of this process in MiB."""
    return int(PAGES.read_text().split()[1]) * PAGE / MIB


def tensors() -> int:
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


def with_graph() -> int:
    """Return the number of tensors that keep a graph alive."""
    return sum(issubclass(type(thing), torch.Tensor) and thing.grad_fn is not None for thing in gc.get_objects())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=100, help="number of measurements, made at validations")
    options = parser.parse_args()
    settings = TrainSettings(
        steps=options.steps,
        batch_size=4,
        validate_every=max(1, options.steps // options.samples),
        validation_sequences=8,
        stop_when_solved=False,
        tbptt=4,
        carry=True,
        device="cpu",
        threads=1,
    )
    experiment = Experiment(
        model="ntm",
        task="copy",
        model_options={"slots": 16, "width": 6, "controller_size": 16},
        task_options={"bits": 3, "max_length": 6},
        train=settings,
    )
    rows: list[tuple[int, float, int, int]] = []

    def record(values: dict[str, Any]) -> None:
        if values["kind"] == "validation":
            rows.append((values["step"], resident(), tensors(), with_graph()))
            if len(rows) % max(1, options.samples // 10) == 0:
                print(f"step {rows[-1][0]:7d}  {rows[-1][1]:7.1f} MiB  {rows[-1][2]} tensors", flush=True)

    training.write_run_report = lambda *_: None
    with tempfile.TemporaryDirectory() as folder:
        training.train_run(
            experiment, *experiment.build(), Path(folder) / "run", on_record=record, on_step=lambda *_: None
        )
    settled = np.array([row[:2] for row in rows if row[0] >= options.steps / 10])
    slope = np.polyfit(settled[:, 0], settled[:, 1], 1)[0] * 100_000
    spread = settled[:, 1].max() - settled[:, 1].min()
    counts = {row[2] for row in rows[1:]}
    print(
        f"{options.steps} steps: memory grows by {slope:.2f} MiB in 100,000 steps, its range is {spread:.2f} MiB; "
        f"tensors at validations: {min(counts)} to {max(counts)}, with a graph: {max(row[3] for row in rows)}"
    )
    return 1 if slope > LIMIT or len(counts) > 1 or any(row[3] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
