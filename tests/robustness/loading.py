"""Loading: test that malicious files are refused, and that no file is a pickle.

    python tests/robustness/loading.py

trains a small machine, stops it early, then resumes, evaluates, draws, shares, loads and sweeps it with an audit hook
that counts unpickled names. Then every reader of files (runs, reports, checkpoints, shared networks, configurations,
sweeps) receives malicious files, each in a new process: pickles, huge headers and sizes, nested brackets, names of
code, links, pipes. A file is refused correctly if the command ends with one sentence, quickly and with little memory,
and no code of the file was run. Finally, large valid files are loaded, and the peak memory is compared with their size.
"""

import argparse
import json
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from crash import FAULT, without_figures
from malicious_files import MIB, catalogue, checkpoint_of

import memtape
from memtape.cli.main import run as carry_out
from memtape.core.manifest import DamagedError
from memtape.experiments import report as reporting
from memtape.experiments.bench.peak_memory import peak_of, return_freed_memory_at_once
from memtape.experiments.evaluate import evaluate_run
from memtape.experiments.experiment import Experiment
from memtape.experiments.open_run import open_run
from memtape.experiments.resume import resume_run
from memtape.experiments.share import save_run
from memtape.experiments.sweep import workers
from memtape.experiments.sweep.proposals import Proposals
from memtape.experiments.sweep.search_space import Choices, Space
from memtape.experiments.train import train_run
from memtape.sharing.shared_folder import SharingError
from memtape.training.checkpoints import Checkpoints
from memtape.training.interruption import Interruption
from memtape.training.settings import TrainSettings

PATIENCE = 20
"""Seconds after which a reader counts as blocked."""
ALLOWED = 64 * MIB
"""Memory that a reader may use for a small file, most of it for libraries that are imported lazily."""
MOST = 2.01
"""The largest ratio of the memory for loading large files to their size."""

TINY = Experiment(
    model="ntm",
    task="copy",
    model_options={"slots": 6, "width": 4, "controller_size": 8},
    task_options={"bits": 2, "max_length": 3},
    train=TrainSettings(
        steps=4, batch_size=2, validate_every=2, validation_sequences=2, tbptt=2, carry=True, device="cpu", keep=1
    ),
)
LARGE = replace(TINY, model="lstm", model_options={"hidden_size": 512, "layers": 3})


def ignore(*_: Any) -> None:
    pass


def train(experiment: Experiment, folder: Path, until: int) -> None:
    """Train an experiment, to its end or to an interruption."""
    wish = Interruption()

    def watch(step: int, _: dict[str, float]) -> None:
        wish.requested = step == until

    train_run(experiment, *experiment.build(), folder, on_record=ignore, on_step=watch, interruption=wish)


def resume(folder: Path) -> None:
    resume_run(folder, on_start=ignore, on_record=ignore, on_step=ignore, warn=ignore)


# Pickle


def count_pickles(place: Path) -> dict[str, int]:
    """Run all commands that read or write files, and count the unpickled names; the hook cannot be removed."""
    stage, counts = [""], {"a pickle, to check that it is counted": 0}

    def hook(event: str, _: Any) -> None:
        if event.startswith("pickle."):
            counts[stage[0]] += 1

    @contextmanager
    def during(name: str) -> Iterator[None]:
        before, stage[0] = stage[0], name
        counts.setdefault(name, 0)
        yield
        stage[0] = before

    save_whole = Checkpoints.save

    def save_and_count(*words: Any) -> None:
        with during("save"):
            save_whole(*words)

    Checkpoints.save = save_and_count  # type: ignore[method-assign]
    sys.addaudithook(hook)
    run = place / "run"
    with during("train"):
        train(TINY, run, until=3)
    with during("resume"):
        resume(run)
    with during("evaluate"):
        evaluate_run(run, [2], sequences=2, task_options={})
    with during("report"):
        reporting.write_run_report(*open_run(run))
    with during("share"):
        save_run(run, place / "network")
    with during("load"):
        memtape.NTM.from_pretrained(place / "network")
    with during("sweep"):
        space = Space(trials=2, options={"model.slots": Choices(values=(4, 6))})
        for _ in range(2):
            proposals = Proposals(place / "journal.jsonl", space, seed=0)
            proposals.propose()
            proposals.answer(proposals.answered(), 1.0)
    stage[0] = "a pickle, to check that it is counted"
    pickle.loads(pickle.dumps(Path))
    return counts


# Malicious files


def read_network(folder: Path) -> int:
    try:
        memtape.NTM.from_pretrained(folder)
    except (SharingError, DamagedError) as error:
        print(f"memtape: {error}", file=sys.stderr)
        return 2
    return 0


def draw(run: Path) -> int:
    return carry_out(["report", str(run)])


SMALL = ["--task.bits", "2", "--train.steps", "2", "--train.batch-size", "2", "--train.device", "cpu"]
READERS: dict[str, tuple[str, Callable[[Path], int]]] = {
    "run": ("run", lambda folder: carry_out(["evaluate", str(folder), "--lengths", "2", "--sequences", "2"])),
    "report": ("run", draw),
    "checkpoint": ("unfinished", lambda folder: carry_out(["resume", str(folder)])),
    "network": ("network", read_network),
    "config": (
        "config",
        lambda file: carry_out(["train", "ntm", "copy", *SMALL, "--config", str(file), "--out", f"{file}-run"]),
    ),
    "sweep": (
        "sweep",
        lambda folder: carry_out(
            [
                "sweep",
                "ntm",
                "copy",
                *SMALL,
                "--seeds",
                "1",
                "--space",
                str(folder.parent / "space.toml"),
                "--out",
                str(folder),
            ]
        ),
    ),
}


@dataclass(frozen=True)
class Attempt:
    """The result of reading in a new process."""

    code: int
    output: str
    seconds: float
    grown: int
    """Bytes of memory beyond the memory of the process at its start."""


def high_water_mark() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def attempt(read: Callable[[], Any], place: Path) -> Attempt:
    """Read in a new process."""
    output, numbers = place / "output", place / "numbers"
    child = os.fork()
    if not child:
        code = FAULT
        try:
            signal.alarm(PATIENCE)
            with output.open("w") as file, open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(file.fileno(), 2)
                before, unfinished = high_water_mark(), time.perf_counter()
                code = read() or 0
                numbers.write_text(json.dumps([time.perf_counter() - unfinished, high_water_mark() - before]))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seconds, grown = json.loads(numbers.read_text()) if numbers.exists() else (PATIENCE, 0)
    return Attempt(code, output.read_text(), seconds, grown)


def try_all(bases: dict[str, Path], place: Path, most: int | None) -> list[str]:
    """Give all malicious files to all readers, print the results, and return the errors."""
    trace, wrong = place / "executed", []
    tried: dict[str, int] = {}
    refused: dict[str, int] = {}
    executed, slowest, largest = 0, 0.0, 0
    everything = list(catalogue(trace))
    for malicious in everything if most is None else random.Random(0).sample(everything, most):
        base, read = READERS[malicious.reader]
        around = place / "around"
        shutil.rmtree(around, ignore_errors=True)
        shutil.copytree(bases[base].parent, around)
        target = around / bases[base].name
        malicious.change(target)
        done = attempt(lambda read=read, target=target: read(target), place)
        lines = done.output.splitlines() or [""]
        right = done.code in (1, 2) and lines[-1].startswith("memtape: ") and "Traceback" not in done.output
        tried[malicious.reader] = tried.get(malicious.reader, 0) + 1
        refused[malicious.reader] = refused.get(malicious.reader, 0) + right
        slowest, largest = max(slowest, done.seconds), max(largest, done.grown)
        if not right:
            wrong.append(f"{malicious.reader}: {malicious.name}: exit code {done.code}: {lines[-1][:300]}")
        if done.grown > ALLOWED:
            wrong.append(f"{malicious.reader}: {malicious.name}: took {done.grown / MIB:.0f} MiB")
        if trace.exists():
            wrong.append(f"{malicious.reader}: {malicious.name}: was executed")
            executed += 1
            trace.rmdir()
    print("\nmalicious files        tried  refused in one sentence")
    for reader, number in [*tried.items(), ("together", sum(tried.values()))]:
        print(f"{reader:20}{number:8d}{refused.get(reader, sum(refused.values())):25d}")
    print(f"code executed: {executed}; slowest refusal: {slowest:.1f} s; most memory: {largest / MIB:.0f} MiB")
    return wrong


# Memory


def sizes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


class Reached(Exception):  # noqa: N818
    """The first step of a resumed training run is done."""


def resume_one_step(run: Path) -> None:
    def stop(*_: Any) -> None:
        raise Reached

    try:
        resume_run(run, on_start=ignore, on_record=ignore, on_step=stop, warn=ignore)
    except Reached:
        return


def make(experiment: Experiment, place: Path) -> None:
    """Make a run that was stopped early, a finished run, and its shared network."""
    train(experiment, place / "unfinished", until=3)
    shutil.copytree(place / "unfinished", place / "run")
    resume(place / "run")
    save_run(place / "run", place / "network")


def measure(place: Path) -> list[str]:
    """Load large valid files, print the memory used, and return the cases above the limit."""
    large, small = place / "large", place / "small"
    for folder, experiment in ((large, LARGE), (small, replace(LARGE, model_options={"hidden_size": 4}))):
        folder.mkdir()
        in_new_process(lambda folder=folder, experiment=experiment: make(experiment, folder), place / "made")
    readers: dict[str, tuple[int, Callable[[Path], Any]]] = {
        "a run": (sizes(large / "run"), lambda where: open_run(where / "run")),
        "a checkpoint, and one step": (
            sizes(checkpoint_of(large / "unfinished")),
            lambda where: resume_one_step(where / "unfinished"),
        ),
        "a network": (sizes(large / "network"), lambda where: memtape.StackedLSTM.from_pretrained(where / "network")),
    }
    wrong = []
    print("\nmemory                          MiB of files   most memory")
    for name, (size, read) in readers.items():

        def peak(read: Callable[[Path], Any] = read) -> float:
            read(small)  # imports lazily imported modules
            return MIB * peak_of(lambda: read(large))

        most = in_new_process(peak, place / "peak") / size
        print(f"{name:32}{size / MIB:12.0f}{most:12.2f} x")
        wrong += [f"loading {name} takes {most:.2f} times its size"] if most > MOST else []
    return wrong


def in_new_process(work: Callable[[], Any], file: Path) -> Any:
    """Call `work` in a new process, for work with permanent effects, such as an audit hook."""
    child = os.fork()
    if not child:
        try:
            file.write_text(json.dumps(work()))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return json.loads(file.read_text())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, help="number of malicious files to try, drawn at random (default: all)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    return_freed_memory_at_once()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        pickles = in_new_process(lambda: count_pickles(place / "pickles"), place / "pickles.json")
        for stage, number in pickles.items():
            print(f"unpickled names: {stage:40}{number:4d}")
        known = next(iter(pickles))
        wrong = [
            f"{number} names unpickled in {stage}" for stage, number in pickles.items() if stage != known and number
        ]
        wrong += [] if pickles[known] else ["the hook does not count"]

        bases = {name: place / f"of {name}" / name for name in ("run", "unfinished", "network", "config", "sweep")}
        for path in bases.values():
            path.parent.mkdir()
        train(TINY, bases["unfinished"], until=3)
        train(TINY, bases["run"], until=0)
        save_run(bases["run"], bases["network"])
        for older in sorted((bases["unfinished"] / "checkpoints").iterdir())[:-1]:
            shutil.rmtree(older)
        (bases["sweep"].parent / "space.toml").write_text("trials = 2\n[model]\nslots = [4, 6]\n")
        workers.COMMAND = (sys.executable, str(Path(__file__).parents[1] / "fake_training.py"))
        attempt(lambda: READERS["sweep"][1](bases["sweep"]), place)
        wrong += try_all(bases, place, options.files)
        wrong += measure(place)
    for problem in wrong:
        print(problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    without_figures(lambda: sys.exit(main()))
