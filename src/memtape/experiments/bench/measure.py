"""Measure: time and memory of a step of a model on each backend."""

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import product
from statistics import median, quantiles
from time import perf_counter
from typing import Any, Literal

import torch

from memtape.catalog.registry import MODELS, Entry, find
from memtape.core import checks
from memtape.core.backends import BackendError, backends, use_backend
from memtape.core.cell import fused_run
from memtape.core.recurrent import Recurrent
from memtape.experiments.experiment import Experiment, ExperimentError
from memtape.experiments.run_folder.environment import environment
from memtape.training.settings import TrainSettings

Mode = Literal["train", "infer"]
Device = Literal["cpu", "cuda"]
Step = Callable[[], object]

FUSED: dict[Device, str] = {"cpu": "cpu", "cuda": "triton"}
"""The backend of the fused kernels on each device."""

TASK = "copy"
"""The task that defines the input and output sizes."""

WARM_UPS = 3
LEAST_ROUNDS = 5
TURN = 0.03
"""Approximate duration of a turn in seconds."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One measurement, as plain values that can be passed to another process."""

    model: str
    options: Mapping[str, Any]
    """Options of the model, including its slots."""
    backend: str
    mode: Mode
    batch: int
    time: int
    threads: int
    device: Device = "cpu"

    def network(self) -> Recurrent[Any]:
        """Build the network; the weights depend on the case only.

        Raises:
            ExperimentError: an option does not exist or has an invalid value.
        """
        model, _ = Experiment(
            model=self.model, task=TASK, model_options=self.options, task_options={}, train=TrainSettings()
        ).build()
        return model.to(self.device)  # type: ignore[return-value]

    def step(self, network: Recurrent[Any]) -> Step:
        """Return the measured work: a forward pass, and in training a backward pass from a mean of squares."""
        xs = torch.randint(2, (self.batch, self.time, network.cell.input_size)).float().to(self.device)

        def train() -> None:
            network.zero_grad()
            network(xs)[0].square().mean().backward()

        def infer() -> None:
            with torch.no_grad():
                network(xs)

        def step() -> None:
            with use_backend(self.backend):
                train() if self.mode == "train" else infer()
            if self.device == "cuda":
                torch.cuda.synchronize()

        return step


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Cases that differ in the backend only, and their network."""

    cases: tuple[Case, ...]
    network: Recurrent[Any]


def comparisons(
    models: Sequence[str] = (),
    *,
    batch: Sequence[int],
    time: Sequence[int],
    slots: Sequence[int],
    backend: Sequence[str] = (),
    mode: Sequence[Mode] = ("train", "infer"),
    options: Mapping[str, Any] | None = None,
    threads: int | None = None,
    device: Device = "cpu",
) -> list[Comparison]:
    """Return the cases to measure, with each network built once.

    Args:
        models: their names; none for all recurrent cells.
        batch: numbers of sequences.
        time: numbers of steps.
        slots: numbers of slots; ignored by models without slots.
        backend: names of backends; none for all that are available on the device except "compile", which starts slowly.
        mode: whether to measure a training step or a forward pass.
        options: options of the models; a model ignores those of other models.
        threads: threads on the CPU; none leaves torch's default.
        device: where to compute.

    Raises:
        ExperimentError: a model is not a recurrent cell, a size is below 1, no model has an option, or a model rejects
            a value.
        UnknownNameError: a model does not exist.
        BackendError: a backend does not exist or is not available.
    """
    entries = [find("model", name) for name in models] or [entry for entry in MODELS.values() if _has_steps(entry)]
    _refuse_stepless(entries)
    threads = torch.get_num_threads() if threads is None else threads
    _refuse_sizes(batch=batch, time=time, slots=slots, threads=[threads])
    _refuse_options(options or {}, {option.name for entry in entries for option in entry.options}, entries)
    chosen = _checked(backend, device)
    compared = []
    for entry in entries:
        known = {option.name for option in entry.options}
        own = {name: value for name, value in (options or {}).items() if name in known}
        tapes = [own | {"slots": number} for number in slots] if "slots" in known else [own]
        for tape in tapes:
            cases = [
                Case(
                    model=entry.name,
                    options=tape,
                    backend=chosen[0],
                    mode=one_mode,
                    batch=size,
                    time=steps,
                    threads=threads,
                    device=device,
                )
                for one_mode, size, steps in product(mode, batch, time)
            ]
            if not cases:
                continue
            network = cases[0].network()  # errors are reported before minutes of measuring
            compared += [
                Comparison(cases=tuple(replace(case, backend=name) for name in chosen), network=network)
                for case in cases
            ]
    return compared


def measured(comparison: Comparison, *, seconds: float) -> list[dict[str, Any]]:
    """Measure the cases of a comparison, and return a row for each.

    Args:
        comparison: the cases and their network.
        seconds: about how long to time each case.

    Returns:
        Rows of plain values: the case, "ms_per_step" with its "spread" (interquartile range divided by the median),
        "ratio" with its "ratio_spread" (speed relative to the reference of the same group; None without one),
        "peak_mib" (memory allocated by a step), "rounds", and "fused" (whether the backend has a fused kernel of this
        model; without one it runs the reference).
    """
    cases, network = comparison.cases, comparison.network
    with _threads(cases[0].threads):
        times = side_by_side({case.backend: case.step(network) for case in cases}, seconds=seconds * len(cases))
    return [_row(case, network, times) for case in cases]


def side_by_side(steps: Mapping[str, Step], *, seconds: float) -> dict[str, list[float]]:
    """Time steps in turns, round after round, so that a slowdown of the machine affects all of them.

    A turn repeats one step. Its first step is not timed, since the caches contain the data of another one.

    Args:
        steps: the steps to time, by name.
        seconds: approximate total duration; there are at least five rounds.

    Returns:
        The mean seconds of each step in each round.
    """
    repeats = {}
    for name, step in steps.items():
        for _ in range(WARM_UPS):
            step()
        before = perf_counter()
        step()
        repeats[name] = max(1, round(TURN / (perf_counter() - before)))
    times: dict[str, list[float]] = {name: [] for name in steps}
    rounds = 0
    with _uncollected():
        begun = perf_counter()
        while rounds < LEAST_ROUNDS or perf_counter() - begun < seconds:
            for name, step in steps.items():
                step()
                before = perf_counter()
                for _ in range(repeats[name]):
                    step()
                times[name].append((perf_counter() - before) / repeats[name])
            gc.collect()
            rounds += 1
    return times


def ratio(times: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """Return the median over rounds of the ratio of the others' time to this one's, and its spread."""
    return middle([other / own for own, other in zip(times, others, strict=True)])


def middle(values: Sequence[float]) -> tuple[float, float]:
    """Return the median of at least two values, and their interquartile range divided by it."""
    low, _, high = quantiles(values, method="inclusive")
    return median(values), (high - low) / median(values)


def surroundings(threads: int | None) -> dict[str, Any]:
    """Return the environment of a measurement, including the build of the kernels."""
    found = environment()
    return {**found, "threads": threads or found["threads"]}


def _row(case: Case, network: Recurrent[Any], times: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    own = times[case.backend]
    length, spread = middle(own)
    times_as_fast, ratio_spread = ratio(own, times["reference"]) if "reference" in times else (None, None)
    return {
        "model": case.model,
        "backend": case.backend,
        "mode": case.mode,
        "batch": case.batch,
        "time": case.time,
        "slots": case.options.get("slots"),
        "threads": case.threads,
        "device": case.device,
        "options": dict(case.options),
        "ms_per_step": 1000 * length / case.time,
        "spread": spread,
        "ratio": times_as_fast,
        "ratio_spread": ratio_spread,
        "peak_mib": _peak(case),
        "rounds": len(own),
        "fused": fused_run(network.cell, case.backend) is not None,
    }


def _peak(case: Case) -> float:
    """Return the peak memory of a case, measured in a new process."""
    command = [sys.executable, "-m", "memtape.experiments.bench.peak_memory", json.dumps(asdict(case))]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        reason = (finished.stderr.strip().splitlines() or [f"exit code {finished.returncode}"])[-1]
        raise ExperimentError(
            f"the memory of {case.model} on {case.backend} with batch {case.batch} and time {case.time} cannot be measured "
            f"({reason}); measure a smaller case"
        )
    return float(finished.stdout)


def _checked(names: Sequence[str], device: Device) -> list[str]:
    if device == "cuda" and not torch.cuda.is_available():
        raise ExperimentError("device is cuda, but torch finds none; leave --device out")
    present = backends()
    for name in names:
        if name not in present:
            raise BackendError(f"the backend is {name!r}, but it must be one of {', '.join(present)}; name one of them")
        with use_backend(name):
            pass
        if name in FUSED.values() and name != FUSED[device]:
            raise ExperimentError(
                f"the backend {name} does not compute on {device}; leave it out or give --device another value"
            )
    here = [name for name in ("reference", FUSED[device]) if present[name] is None]
    return list(dict.fromkeys(names)) or here


def _has_steps(entry: Entry) -> bool:
    return issubclass(entry.load(), Recurrent)


def _refuse_stepless(entries: Sequence[Entry]) -> None:
    for entry in entries:
        if not _has_steps(entry):
            raise ExperimentError(f"{entry.name} is not a recurrent cell; measure another model")


def _refuse_sizes(**sizes: Sequence[int]) -> None:
    for name, values in sizes.items():
        if not values:
            raise ExperimentError(f"{name} has no value, but it must have at least one; give one or more")
        for value in values:
            try:
                checks.at_least(1, **{name: value})
            except ValueError as error:
                raise ExperimentError(str(error)) from None


def _refuse_options(options: Mapping[str, Any], known: set[str], entries: Sequence[Any]) -> None:
    if "slots" in options:
        raise ExperimentError("slots is given as an option of the model, but several can be measured; give --slots")
    for name in options:
        if name not in known:
            models = " or ".join(entry.name for entry in entries)
            raise ExperimentError(f"there is no option {name} of {models}; the options are {', '.join(sorted(known))}")


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Disable the garbage collector, and exclude existing objects from later collections."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
