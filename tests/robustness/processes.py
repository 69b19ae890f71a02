"""Processes: train in one, two and three processes, and check that they reach the same weights.

    python tests/robustness/processes.py

trains a small machine for 200 steps in one process, and with the same global batches in several processes, which hold
the whole network (ddp) or parts of it (fsdp). Then one process resumes a run of two processes from the middle, and
three processes resume that run of one. The program prints the largest difference of a weight from the run in one
process, and for comparison the largest change of a weight in training.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from crash import fork, wait, without_figures
from safetensors.torch import load_file

STEPS, MIDDLE = 200, 100
WORDS = [
    *("train", "ntm", "copy", "--model.slots", "16", "--model.width", "6", "--model.controller-size", "16"),
    *("--task.bits", "3", "--task.max-length", "6", "--train.batch-size", "12", "--train.steps", str(STEPS)),
    *("--train.validate-every", str(MIDDLE), "--train.validation-sequences", "32", "--train.keep", "9"),
    *("--train.device", "cpu", "--train.threads", "1", "--train.patience", "60"),
]
LIMIT = 1e-4
"""Largest difference of a weight that counts as rounding."""


def train(words: list[str], run: Path, processes: int) -> None:
    """Run a command line in several processes, and exit if one fails."""
    meeting = run.with_name("meeting")
    meeting.unlink(missing_ok=True)
    codes = wait(fork(words, processes, meeting))
    if any(codes):
        sys.exit(f"{' '.join(words)}: exit codes {codes}")


def weights_at(run: Path, step: int) -> dict:
    return load_file(run / "checkpoints" / f"step-{step:09d}" / "weights.safetensors")


def difference(first: dict, second: dict) -> float:
    return max((first[name] - second[name]).abs().max().item() for name in first)


def turn_back(run: Path) -> None:
    """Change a finished run into one that was killed in the middle."""
    shutil.rmtree(run / "checkpoints" / f"step-{STEPS:09d}")
    for name in ("manifest.json", "result.json", "weights.safetensors"):
        (run / name).unlink()


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone = folder / "alone"
        train([*WORDS, "--out", str(alone)], alone, 1)
        wanted = weights_at(alone, STEPS)
        print(f"largest change of a weight in {STEPS} steps: {difference(weights_at(alone, 0), wanted):.2g}")
        found = {}
        for parallel in ("ddp", "fsdp"):
            for processes in (2, 3):
                run = folder / f"{parallel}-{processes}"
                train([*WORDS, "--train.parallel", parallel, "--out", str(run)], run, processes)
                found[f"{processes} processes, {parallel}"] = difference(weights_at(run, STEPS), wanted)
            run = folder / f"{parallel}-2"
            for before, after in ((2, 1), (1, 3)):
                turn_back(run)
                train(["resume", str(run)], run, after)
                found[f"{after} from step {MIDDLE} on, after {before}, {parallel}"] = difference(
                    weights_at(run, STEPS), wanted
                )
    for what, worst in found.items():
        print(f"{what:44} largest difference {worst:.2g}")
    return 1 if max(found.values()) > LIMIT else 0


if __name__ == "__main__":
    without_figures(lambda: sys.exit(main()))
