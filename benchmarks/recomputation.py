"""Recomputation (gradient checkpointing): the memory that it saves over long sequences, and its cost in time.

    python benchmarks/recomputation.py --time 1000 --every 10 32 100

runs a training step of the published Neural Turing Machine (128 slots of width 20, 4 sequences at once) with all states
saved, or only every n-th state (`--train.checkpoint-every`), on each backend. All cases are timed in turn in one
process. Peak memory is measured in a new process for each case, relative to the memory before the step.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median

import torch

from memtape import NTM, use_backend
from memtape.experiments.bench.measure import side_by_side
from memtape.experiments.bench.peak_memory import peak_of, return_freed_memory_at_once

BITS, BATCH = 8, 4


@dataclass(frozen=True)
class Case:
    """One case to measure."""

    backend: str
    time: int
    every: int | None

    def step(self, time: int | None = None) -> Callable[[], None]:
        """Return the training step that is measured."""
        torch.manual_seed(0)
        network = NTM(BITS + 1, BITS)
        xs = torch.randint(2, (BATCH, time or self.time, BITS + 1)).float()

        def step() -> None:
            network.zero_grad()
            with use_backend(self.backend):
                network(xs, checkpoint_every=self.every)[0].square().mean().backward()

        return step

    def peak(self) -> float:
        """Return the peak memory of a step in MiB, measured in a new process."""
        words = [sys.executable, __file__, "--case", json.dumps(asdict(self))]
        return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", type=int, default=1000, help="steps of a sequence")
    parser.add_argument(
        "--every", type=int, nargs="+", default=[10, 32, 100], help="steps from one saved state to the next"
    )
    parser.add_argument("--backends", nargs="+", default=["reference", "cpu"])
    parser.add_argument("--seconds", type=float, default=10.0, help="about how long to time each")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.case:
        return_freed_memory_at_once()
        case = Case(**json.loads(options.case))
        case.step(time=2)()
        print(peak_of(case.step()))
        return
    print(f"{'backend':10} {'steps saved':>12} {'peak MiB':>9} {'of all':>7} {'time of all':>12}")
    for backend in options.backends:
        cases = {every: Case(backend, options.time, every) for every in (None, *options.every)}
        names = {every: "all" if every is None else f"every {every}" for every in cases}
        seconds = options.seconds * len(cases)
        times = side_by_side({names[every]: case.step() for every, case in cases.items()}, seconds=seconds)
        whole = cases[None].peak()
        for every, case in cases.items():
            peak, name = whole if every is None else case.peak(), names[every]
            slower = median(own / all_kept for own, all_kept in zip(times[name], times["all"], strict=True))
            print(f"{backend:10} {name:>12} {peak:9.1f} {peak / whole:7.2f} {slower:12.2f}")


if __name__ == "__main__":
    main()
