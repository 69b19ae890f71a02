"""Schedules: how much time of a training step is saved by writing rarely?

    python benchmarks/schedules.py

runs the forward and the backward pass of machines over a source of T steps, with accesses to the memory in each step, in
equal intervals of T / (slots + 1), and in the same with attention over the cached hidden vectors. It prints the processor
time of one thread, and its ratio to that of the machine that accesses its memory in each step, each the least of runs in
turn. The last column is a machine that never accesses it: the time of the controller alone.
"""

import argparse
import time
from typing import Any

import torch

from memtape import DNC, NTM, Recurrent

MODELS = {"DNC": DNC, "NTM": NTM}
SIZES: dict[str, Any] = {"width": 64, "controller_size": 100, "initial_memory": "random"}


def seconds(network: Recurrent[Any], xs: torch.Tensor) -> float:
    """Return the processor time of a forward and a backward pass."""
    start = time.process_time()
    network(xs)[0].square().mean().backward()
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| machine | steps | slots | ms, each step | uniform | cached | never |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for name, model in MODELS.items():
        for steps, slots in ((50, 4), (100, 4), (100, 24), (100, 64)):
            kinds: dict[str, dict[str, Any]] = {
                "each": {},
                "uniform": {"writing": "uniform", "writing_steps": steps},
                "cached": {"writing": "cached", "writing_steps": steps},
                "never": {"writing": "uniform", "writing_interval": steps + 1},
            }
            networks = {kind: model(10, 10, slots=slots, **SIZES, **given) for kind, given in kinds.items()}
            xs, found = torch.randn(options.batch, steps, 10), {kind: [] for kind in kinds}
            for _ in range(options.repeats + 1):
                for kind, network in networks.items():
                    found[kind].append(seconds(network, xs))
            times = {kind: min(some[1:]) for kind, some in found.items()}
            ratios = " | ".join(f"{times[kind] / times['each']:.2f}" for kind in ("uniform", "cached", "never"))
            print(f"| {name} | {steps} | {slots} | {1000 * times['each']:.0f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
