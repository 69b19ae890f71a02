"""Tracking: check what each installed tracker records of a training run, and measure its cost.

    python benchmarks/tracking.py
    python benchmarks/tracking.py --trackers tensorboard mlflow --rounds 5

trains a small machine without a tracker and with each tracker, in separate processes; every run is stopped half-way and
resumed. For each tracker it prints how many numbers the tracker's own reader finds (wandb has no reader in Python: its
log is parsed with its own message classes); whether they equal metrics.jsonl and the evaluation, each once; whether
weights and metrics have the same bits as without a tracker; how many connections to other machines were attempted (from
Python; name lookups count too); and the median over rounds of the time per step relative to that without a tracker.
Every tenth step is recorded; usual runs record every 250th step, so that there the cost is much smaller.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

TRACKERS = ("tensorboard", "trackio", "wandb", "mlflow")
STEPS, EVERY = 1000, 10
LOCAL = ("localhost", "127.0.0.1", "::1", None)

Curves = dict[str, list[tuple[int, float]]]


def work(name: str, folder: Path) -> dict[str, Any]:
    """Train the first half, or resume it, and return the number of connections, and the curves at the end."""
    tried: list[object] = []

    def listen(event: str, values: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(values[1], tuple) and values[1][0] not in LOCAL:
            tried.append(values[1])
        if event == "socket.getaddrinfo" and values[0] not in LOCAL:
            tried.append(values[0])

    sys.addaudithook(listen)

    from memtape.experiments import train as training
    from memtape.experiments.experiment import Experiment
    from memtape.experiments.resume import resume_run
    from memtape.training.interruption import Interruption
    from memtape.training.settings import TrainSettings

    settings = TrainSettings(
        steps=STEPS,
        batch_size=4,
        validate_every=EVERY,
        validation_sequences=16,
        stop_when_solved=False,
        save_every=STEPS // 2,
        device="cpu",
        threads=1,
        tracker=name,
    )
    model, task = {"slots": 16, "width": 6, "controller_size": 16}, {"bits": 3, "max_length": 4}
    experiment = Experiment(model="ntm", task="copy", model_options=model, task_options=task, train=settings)
    wish = Interruption()

    def watch(step: int, _: dict[str, float]) -> None:
        wish.requested = wish.requested or step == STEPS // 2

    def ignore(*_: object) -> None:
        pass

    training.write_run_report = ignore  # takes longer than the training steps
    before = Path(f"{folder}-before-{time.monotonic_ns()}")  # loads lazily imported modules, which would be timed
    short = replace(experiment, train=replace(settings, steps=EVERY, tracker="none"))
    training.train_run(short, *short.build(), before, on_record=ignore, on_step=ignore)
    if not folder.exists():
        training.train_run(experiment, *experiment.build(), folder, on_record=ignore, on_step=watch, interruption=wish)
        return {"connections": len(tried)}
    resume_run(folder, on_start=ignore, on_record=ignore, on_step=ignore, warn=ignore)
    return {"connections": len(tried), "curves": {} if name == "none" else READERS[name](folder / "tracker")}


def wanted(folder: Path) -> Curves:
    """Return the curves of the metrics file and the scores by length."""
    curves: Curves = defaultdict(list)
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        record = json.loads(line)
        for key in record.keys() - {"kind", "step"}:
            curves[f"{record['kind']}/{key}"].append((record["step"], record[key]))
    for result in json.loads((folder / "evaluation.json").read_text()):
        for key in ("cost_bits", "wrong_bits"):
            curves[f"evaluation/{key}_{result['length']}"].append((STEPS, result[key]))
    return curves


def read_tensorboard(folder: Path) -> Curves:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def read_trackio(folder: Path) -> Curves:
    from trackio.sqlite_storage import SQLiteStorage

    curves: Curves = defaultdict(list)
    for run in SQLiteStorage.get_runs("memtape"):
        for values in SQLiteStorage.get_logs("memtape", run):
            for tag in values.keys() - {"step", "timestamp"}:
                curves[tag].append((values["step"], values[tag]))
    return curves


def read_mlflow(folder: Path) -> Curves:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    (run,) = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    history = {tag: client.get_metric_history(run.info.run_id, tag) for tag in run.data.metrics}
    return {tag: [(metric.step, metric.value) for metric in metrics] for tag, metrics in history.items()}


def read_wandb(folder: Path) -> Curves:
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    curves: Curves = defaultdict(list)
    content, place, whole = file.read_bytes(), 7, b""
    while place + 7 <= len(
        content
    ):  # blocks of 32 KiB; a record has checksum, length and type: full, first, middle, last
        left = 2**15 - place % 2**15
        if left < 7:
            place += left
            continue
        length, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        whole += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            history = Record.FromString(whole).history
            values = {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in history.item}
            for tag, value in values.items():
                if not tag.startswith("_"):
                    curves[tag].append((values["_step"], value))
            whole = b""
    return curves


READERS = {"tensorboard": read_tensorboard, "trackio": read_trackio, "wandb": read_wandb, "mlflow": read_mlflow}


def same(found: Curves, expected: Curves) -> bool:
    """Whether all curves are present, with the same numbers up to the rounding of float32."""
    return found.keys() == expected.keys() and all(
        len(found[tag]) == len(expected[tag])
        and all(
            step == other and math.isclose(value, number, rel_tol=1e-6)
            for (step, value), (other, number) in zip(found[tag], expected[tag], strict=True)
        )
        for tag in expected
    )


def in_a_process(name: str, folder: Path) -> dict[str, Any]:
    """Call `work` in a new process, without settings of trackers in the environment."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TRACKIO", "WANDB", "MLFLOW"))}
    answer = folder.with_suffix(".json")
    words = [sys.executable, __file__, "--work", name, str(folder), str(answer)]
    done = subprocess.run(words, env={**kept, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the run with {name} failed:\n{done.stderr}")
    return json.loads(answer.read_text())


def installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--trackers", nargs="+", choices=TRACKERS, default=[name for name in TRACKERS if installed(name)]
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        name, folder, answer = options.work
        Path(answer).write_text(json.dumps(work(name, Path(folder))))
        return 0
    names = ["none", *options.trackers]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    lines, good = {}, True
    with tempfile.TemporaryDirectory() as place:
        for turn in range(options.rounds):
            for name in names:
                folder = Path(place) / f"{name}-{turn}"
                first, second = in_a_process(name, folder), in_a_process(name, folder)
                seconds[name].append(json.loads((folder / "result.json").read_text())["seconds"])
                if name == "none":
                    continue
                files, plain = ("weights.safetensors", "metrics.jsonl"), Path(place) / "none-0"
                bits = all((folder / file).read_bytes() == (plain / file).read_bytes() for file in files)
                read_back, tried = second["curves"], first["connections"] + second["connections"]
                curves = {tag: [tuple(point) for point in points] for tag, points in read_back.items()}
                equal = same(curves, wanted(folder))
                good = good and bits and equal and not tried
                lines[name] = (
                    f"{sum(map(len, curves.values()))} numbers read back, the curves of the run: {'yes' if equal else 'no'}; "
                    f"the same bits: {'yes' if bits else 'no'}; connections tried: {tried}"
                )
    usual = statistics.median(seconds["none"])
    print(f"none         {usual / STEPS * 1000:.2f} ms per step")
    for name, line in lines.items():
        relative = statistics.median(seconds[name]) / usual
        print(f"{name:12} {line}; time per step: {relative:.2f}  ({name} {metadata.version(name)})")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
