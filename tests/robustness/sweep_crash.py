"""Sweep crash: kill sweeps and their training runs at random times and check that they reach the same report.

    python tests/robustness/sweep_crash.py --kills 20

runs two small sweeps once without interruption, one of seeds and one of a space, then both repeatedly with kills: a
SIGKILL for the sweep alone, for one of its training runs, or for all of them at once. A killed sweep is started again
with the same command. It is right if its report, its best configuration, and the weights and metrics of every training
run have the same bits, except for seconds; if no finished run was changed; and if no folder was moved aside. Sweeps and
training runs are forked from a process that has loaded all libraries, so that a kill interrupts the work and not the
loading.
"""

import argparse
import hashlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import optuna.samplers  # noqa: F401  a sweep would load it

from memtape.cli.main import run as carry_out
from memtape.experiments import resume
from memtape.experiments import train as train_by_name
from memtape.experiments.sweep import report as sweep_report  # noqa: F401
from memtape.experiments.sweep import workers

WORDS = [
    *("ntm", "copy", "--model.slots", "16", "--model.width", "6", "--model.controller-size", "16"),
    *("--task.bits", "3", "--task.max-length", "4", "--train.batch-size", "4", "--train.steps", "60"),
    *("--train.validate-every", "10", "--train.validation-sequences", "8", "--train.save-every", "5"),
    *("--train.device", "cpu", "--train.restarts", "0"),
]
SPACE = "trials = 3\n[train]\nlearning_rate = { low = 1e-4, high = 1e-2, log = true }\n"
VICTIMS = {"sweep": "the sweep alone", "training": "one training run", "all": "all processes"}
FAULT = 70
"""Exit code of a process with an error that is not reported in one sentence."""


def fork(words: Sequence[str], log: int, *, keep: Sequence[int] = ()) -> int:
    """Run a command line in a new process, with only its log and the given files open; return its process id."""
    child = os.fork()
    if child:
        return child
    code = FAULT
    try:
        os.setsid()
        os.dup2(log, 1)
        os.dup2(log, 2)
        for number in set(range(3, 256)) - set(keep):
            try:
                os.close(number)
            except OSError:
                continue
        code = carry_out(list(words))
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


class Forked:
    """A training run that is forked, with the interface of `subprocess.Popen` that sweeps use."""

    def __init__(self, command: Sequence[str], *, stderr: IO[bytes], pass_fds: Sequence[int], **_: Any):
        self.pid = fork(command[len(workers.COMMAND) :], stderr.fileno(), keep=pass_fds)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code once there is one."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode


def load_everything(folder: Path) -> None:
    """Train once, so that all libraries of forked sweeps and training runs are loaded."""
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        code = carry_out(["train", *WORDS, "--out", str(folder)])
    if code:
        sys.exit(f"a training run without kills fails: {output.getvalue()}")


def forked_without_figures() -> None:
    """Fork training runs, and leave out their scores by length and their figures, which take longer than these runs."""
    train_by_name.by_length = lambda *_, **__: [{"length": 4, "sequences": 1, "cost_bits": 0.0, "wrong_bits": 0.0}]
    train_by_name.write_run_report = lambda run, *_: run.report_file.touch()
    resume.report_run = lambda folder: (folder / "report.html").touch()
    workers.subprocess = SimpleNamespace(Popen=Forked, DEVNULL=subprocess.DEVNULL)


def training_runs_of(sweep: int) -> list[int]:
    """Return the ids of the processes of a sweep that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if int(parent) == sweep and state != "Z":
            found.append(int(entry.name))
    return found


def finished(folder: Path) -> dict[str, int]:
    """Return the time at which each finished run ended."""
    return {str(file): file.stat().st_mtime_ns for file in folder.glob("configurations/*/seed*/manifest.json")}


def fingerprint(folder: Path) -> dict[str, Any]:
    """Return everything that must be equal."""
    report = json.loads((folder / "report.json").read_text())
    for description in report["configurations"]:
        del description["seconds"]
        for row in description["rows"]:
            row.pop("seconds", None)
    files = [*folder.glob("best.toml"), *folder.glob("configurations/*/seed*/weights.safetensors")]
    files += folder.glob("configurations/*/seed*/metrics.jsonl")
    digests = {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)}
    return {"report.json": report, **digests, "moved aside": [path.name for path in folder.glob("**/*.left*")]}


class Killer:
    """Kills sweeps at random moments.

    Args:
        kills: number of kills.
        seed: seed of the times and the victims.
    """

    def __init__(self, kills: int, seed: int):
        self.left, self.chooser = kills, random.Random(seed)
        self.killed: Counter[str] = Counter()

    def run_with_kills(self, words: Sequence[str], folder: Path, longest: float) -> list[str]:
        """Run a sweep that is killed at random and started again until it ends; return the errors."""
        done: dict[str, int] = {}
        touched = []
        while True:
            with (folder.parent / "log").open("ab") as log:
                sweep = fork([*words, "--out", str(folder)], log.fileno())
            status = self._watch(sweep, longest)
            now = finished(folder)
            touched += [f"{file} was written again" for file in done if done[file] != now.get(file)]
            done = now
            if status is not None:
                return [*touched, *([f"exit code {status}"] if status else [])]

    def _watch(self, sweep: int, longest: float) -> int | None:
        """Wait for a sweep while killing its training runs; return its exit code, or None if it was killed itself."""
        while self.left:
            time.sleep(self.chooser.uniform(0, longest))
            ended, status = os.waitpid(sweep, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            victim = self.chooser.choice(list(VICTIMS))
            if victim != "training":
                os.kill(sweep, signal.SIGSTOP)  # so that it starts no more runs
            trainings = training_runs_of(sweep)
            if victim == "training" and not trainings:
                continue
            self.chooser.shuffle(trainings)
            for training in trainings[: {"sweep": 0, "training": 1, "all": None}[victim]]:
                with suppress(ProcessLookupError):  # it has ended
                    os.kill(training, signal.SIGKILL)
            self.left -= 1
            self.killed[victim] += 1
            if victim != "training":
                os.kill(sweep, signal.SIGKILL)
                os.waitpid(sweep, 0)
                return None
        return os.waitstatus_to_exitcode(os.waitpid(sweep, 0)[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="seed of the times and the victims")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    forked_without_figures()
    killer, wrong = Killer(options.kills, options.seed), []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        load_everything(place / "loaded")
        (place / "space.toml").write_text(SPACE)
        sweep = ["sweep", *WORDS, "--jobs", "2", "--seeds"]
        commands = {"seeds": [*sweep, "0:4"], "space": [*sweep, "0:2", "--space", str(place / "space.toml")]}
        wanted, longest, sweeps = {}, {}, 0
        for kind, words in commands.items():
            start = time.perf_counter()
            if problems := Killer(0, 0).run_with_kills(words, place / kind, 0):
                sys.exit(f"the sweep without kills fails: {problems}\n{(place / 'log').read_text()}")
            longest[kind] = time.perf_counter() - start
            wanted[kind] = fingerprint(place / kind)
        while killer.left:
            for kind, words in commands.items():
                folder = place / str(sweeps)
                problems = killer.run_with_kills(words, folder, longest[kind] / 2)
                if not problems:
                    found = fingerprint(folder)
                    names = {**wanted[kind], **found}
                    problems = [f"{part} differs" for part in names if found.get(part) != wanted[kind].get(part)]
                wrong += [f"sweep {sweeps}: {problem}" for problem in problems]
                shutil.rmtree(folder)
                sweeps += 1
    broken = len({problem.partition(":")[0] for problem in wrong})
    victims = ", ".join(f"{killer.killed[victim]} of {description}" for victim, description in VICTIMS.items())
    print(f"{options.kills} kills in {sweeps} sweeps, {victims}; the same report: {sweeps - broken} of {sweeps}")
    for problem in wrong:
        print(problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
