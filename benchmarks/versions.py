"""Versions: time training steps of two checkouts of memtape side by side.

    python benchmarks/versions.py BEFORE AFTER --models NTM DNC --slots 128

BEFORE and AFTER are checkouts with compiled kernels. Short turns of a process of each alternate, so that a slowdown of the
machine affects both; since the speed of a process depends on where its memory happens to be, several pairs of processes are
compared. For each pair, the ratio is the median over rounds of the time of AFTER divided by the time of BEFORE. The program
prints the mean over pairs with its standard error, and the time of a time step of AFTER in the fastest pair.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

import memtape

TURN = 0.03
"""Approximate duration of a turn in seconds."""

WARM_UPS = 5
ROUNDS = 5
INPUT, OUTPUT = 10, 8

KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**34)}
"""The allocator of glibc keeps freed memory, since by chance one process would return it at every step, and another not."""


def serve() -> None:
    """Measure each case that standard input names in a new process."""
    torch.set_num_threads(1)
    for line in sys.stdin:
        if os.fork():
            os.wait()
        else:
            name, *sizes = line.split()
            measure(name, *map(int, sizes))
            os._exit(0)


def measure(name: str, batch: int, length: int, slots: int) -> None:
    """Time a turn for each line of standard input, and print its seconds per step, until a line "end"."""
    torch.manual_seed(0)
    network = getattr(memtape, name)(INPUT, OUTPUT, **({"slots": slots} if slots else {}))
    inputs = torch.randint(2, (batch, length, INPUT)).float()

    def seconds(repeats: int) -> float:
        begun = time.perf_counter()
        for _ in range(repeats):
            network.zero_grad()
            network(inputs)[0].square().mean().backward()
        return (time.perf_counter() - begun) / repeats

    seconds(WARM_UPS)
    repeats = max(1, round(TURN / seconds(1)))
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "end":
            print("ended", flush=True)
            return
        seconds(1)  # the caches contain the data of the other version
        print(seconds(repeats), flush=True)


class Version:
    """A process that has loaded one checkout."""

    def __init__(self, checkout: Path) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(checkout.resolve() / "src"),
            "OMP_NUM_THREADS": "1",
            **KEEP_MEMORY,
        }
        command = [sys.executable, __file__, "--serve"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def answer(self, line: str) -> str:
        """Send a line and return the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(line, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("a version failed; its message is above")
        return answer

    def turn(self) -> float:
        """Run a turn and return its seconds per step."""
        return float(self.answer("turn"))


def compare(before: Version, after: Version, case: str, seconds: float) -> tuple[float, float]:
    """Return the median ratio of the rounds of a pair of processes, and the median seconds of the second version."""
    ratios, own = [], []
    before.answer(case)
    after.answer(case)
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds or len(ratios) < ROUNDS:
        one, two, three = before.turn(), after.turn(), before.turn()
        ratios.append(two / math.sqrt(one * three))
        own.append(two)
    before.answer("end")
    after.answer("end")
    return statistics.median(ratios), statistics.median(own)


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare the cases that are given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="a checkout with compiled kernels")
    parser.add_argument("after", type=Path, help="another one")
    parser.add_argument("--models", nargs="+", required=True, help="public names of models, such as NTM")
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 16, 64], help="numbers of sequences")
    parser.add_argument("--time", type=int, default=42, help="number of time steps")
    parser.add_argument("--slots", type=int, default=0, help="number of slots; 0 for models without slots")
    parser.add_argument("--seconds", type=float, default=2, help="duration of the comparison of a pair of processes")
    parser.add_argument("--pairs", type=int, default=6, help="number of pairs of processes, at least 2")
    options = parser.parse_args(arguments)
    before, after = Version(options.before), Version(options.after)
    print(f"{'model':12} {'batch':>5} {'after / before':>15} {'+-':>6} {'ms per time step':>17}")
    for name in options.models:
        for batch in options.batch:
            case = f"{name} {batch} {options.time} {options.slots}"
            pairs = [compare(before, after, case, options.seconds) for _ in range(options.pairs)]
            ratios, times = zip(*pairs, strict=True)
            error = statistics.stdev(ratios) / math.sqrt(len(ratios))
            per_step = 1000 * min(times) / options.time
            print(f"{name:12} {batch:5} {statistics.mean(ratios):15.3f} {error:6.3f} {per_step:17.4f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        main()
