"""Sweep report: the result of each training run, statistics over seeds, and the best configuration."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from memtape.core.atomic_write import write_atomically
from memtape.core.score import Score
from memtape.experiments.configuration_file import as_toml
from memtape.experiments.run_folder.environment import environment
from memtape.experiments.run_folder.folder import Run
from memtape.experiments.sweep.statistics import quartiles, wilson_interval
from memtape.experiments.sweep.sweep import Configuration, Plan, result_of
from memtape.experiments.sweep.workers import Training
from memtape.viz.saving import save
from memtape.viz.sweep_figure import sweep_figure

OUTCOME = ("solved", "solved_step", "steps", "sequences", "restarts", "seconds")


def report_of(plan: Plan, configurations: Sequence[Configuration]) -> dict[str, Any]:
    """Return the report of a finished sweep, as plain values.

    Args:
        plan: the plan of the sweep.
        configurations: all of them.

    Returns:
        The plan, the environment, "configurations" from the best to the worst, and "best", the number of the first of
        them, None if most seeds of every configuration failed. A configuration has the proposed values, its "value"
        (less is better), its "score" (the same by its name), the number of "solved" and "trained" seeds with the
        "interval" of their ratio, quartiles of steps until solved, of all steps and of seconds, and a row for each
        seed. The row of a failed training run has its "failure" instead.
    """
    ranked = sorted((_summary(one) for one in configurations), key=_rank)
    return {
        "plan": plan.record(),
        "environment": environment(),
        "configurations": ranked,
        "best": None if ranked[0]["value"] is None else ranked[0]["number"],
    }


def write_sweep_report(folder: Path, report: dict[str, Any], configurations: Sequence[Configuration]) -> list[Path]:
    """Write report.json, best.toml and the learning curves of a sweep; return the files.

    There is no best.toml if most seeds of every configuration failed, and no figure if no run reached a validation.

    Args:
        folder: the sweep's folder.
        report: what `report_of` returned.
        configurations: all of them.
    """
    files = [folder / "report.json"]
    write_atomically(files[0], f"{json.dumps(report, indent=2)}\n".encode())
    by_number = {one.number: one for one in configurations}
    best = report["configurations"][0]
    solved = f"{best['solved']} of {best['trained']} seeds solved"
    first, *others = (by_number[one["number"]] for one in report["configurations"])
    if report["best"] is not None:
        remark = f"The best configuration of a sweep: {solved}."
        files.append(folder / "best.toml")
        write_atomically(files[1], as_toml(first.experiment, remark).encode())
    curves, *rest = ([_validations(training) for training in one.training_runs.values()] for one in (first, *others))
    if any(curves):
        title = f"{first.experiment.model} on {first.experiment.task}, configuration {first.number}: {solved}"
        files += save(sweep_figure(curves, first.scored, others=rest, title=title), folder, "learning_curves")
    return files


def _validations(training: Training) -> list[dict[str, Any]]:
    return [record for record in Run(training.folder).records() if record["kind"] == "validation"]


def _rank(summary: dict[str, Any]) -> tuple[float, float, int]:
    """Return the sort key of configurations: the value, the steps until solved, and the number."""
    value, steps = summary["value"], summary["steps_until_solved"]
    return math.inf if value is None else value, math.inf if steps is None else steps["median"], summary["number"]


def _summary(configuration: Configuration) -> dict[str, Any]:
    rows = [row_of(seed, training, configuration.scored) for seed, training in configuration.training_runs.items()]
    ended = [row for row in rows if "failure" not in row]
    solved = [row["solved_step"] for row in ended if row["solved"]]
    value, first = configuration.value, configuration.scored[0]
    return {
        "number": configuration.number,
        "values": dict(configuration.values),
        "value": value if math.isfinite(value) else None,
        "score": {first.name: first.cost(value) if math.isfinite(value) else None},
        "solved": len(solved),
        "trained": len(rows),
        "interval": wilson_interval(len(solved), len(rows)),
        "steps_until_solved": quartiles(solved),
        "steps": quartiles([row["steps"] for row in ended]),
        "seconds": quartiles([row["seconds"] for row in ended]),
        "rows": rows,
    }


def row_of(seed: int, training: Training, scored: Sequence[Score]) -> dict[str, Any]:
    """Return the outcome of a training run and its scores, or its "failure"."""
    result = result_of(training, scored)
    if result is None:
        return {"seed": seed, "failure": training.failure()}
    return {"seed": seed, **{name: result[name] for name in OUTCOME}, **result["scores"]}
