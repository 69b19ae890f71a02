"""`memtape sweep`: train many seeds, of one configuration or of those that a search proposes."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from cyclopts import App

from memtape.cli.errors import UsageError
from memtape.cli.experiment_options import add_experiments
from memtape.cli.options import named_option
from memtape.cli.table import cell, print_table, spaced
from memtape.cli.terminal import print_visible

if TYPE_CHECKING:
    from memtape.experiments.experiment import Experiment
    from memtape.experiments.sweep.sweep import Configuration, Plan

HELP = """Train many seeds of a model on a task, and report how many were solved.

With a --space, optuna proposes configurations, each is trained with all seeds, and the best one is written to a file
for --config. Every training run is a process of its own. To continue a sweep that was stopped or killed, repeat the
command with the same --out. The options of the model, the task and training are those of `memtape train`.
"""

OWN = (
    named_option(
        "seeds", str, "0:10", "Seeds of every configuration: FIRST:END, the end not included, or a single one."
    ),
    named_option("jobs", int, 2, "Training runs at a time, each with one thread."),
    named_option("space", Path | None, None, "TOML file with the options to vary; docs/guides/sweeps.md shows one."),
    named_option("sampler_seed", int, 0, "Seed of the configurations that are proposed."),
    named_option(
        "out",
        Path | None,
        None,
        "Folder of the sweep, a new one or one to continue; by default a new one under runs/.",
    ),
)
MOST_SEEDS = 10_000
DIGITS = 18
"""Digits of the largest seed."""
HIDDEN = ("solved", "sequences", "restarts")
"""Columns of the report that the table of seeds omits."""


def app(recipe_name: str | None, words: Sequence[str]) -> App:
    """Return the command, for the requested recipe and the words of the command line."""
    return add_experiments(App(name="sweep", help=HELP), OWN, _sweep, recipe_name=recipe_name, words=words)


def _sweep(experiment: "Experiment", given: Mapping[str, Any]) -> int:
    seeds, jobs = seeds_from(given["seeds"]), given["jobs"]
    for name, value, least in (("jobs", jobs, 1), ("sampler-seed", given["sampler_seed"], 0)):
        if value < least:
            raise UsageError(f"--{name} is {value}, but it must be at least {least}; give {least} or more")

    from memtape.experiments.sweep.report import report_of, write_sweep_report
    from memtape.experiments.sweep.search_space import Space
    from memtape.experiments.sweep.sweep import Plan, default_sweep_folder
    from memtape.training.tracking import require_tracker

    experiment.build()  # an error is reported now, not by every training run
    require_tracker(experiment.train.tracker)
    space = None if given["space"] is None else Space.read(given["space"], experiment)
    plan = Plan(experiment=experiment, seeds=seeds, space=space, sampler_seed=given["sampler_seed"])
    folder = given["out"] or default_sweep_folder(experiment.model, experiment.task)
    _print_to_stderr(f"sweep {folder}")
    try:
        configurations = trained(plan, folder, jobs)
        if configurations is None:
            print_visible(f"stopped; the same command with --out {folder} continues")
            return 0
        report = report_of(plan, configurations)
        files = write_sweep_report(folder, report, configurations)
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written ({error.strerror}); free disk space, and the same command with "
            f"--out {folder} continues"
        ) from None
    _print_report(report)
    print_visible("\n".join(f"wrote {file}" for file in files))
    return 0


def trained(plan: "Plan", folder: Path, jobs: int) -> list["Configuration"] | None:
    """Run a sweep and print a line for each finished run; return its configurations, None if it was stopped."""
    from memtape.experiments.sweep.sweep import Listener, sweep

    with _stopped_by_signals() as stop:
        listener = Listener(ended=_print_end, killed=_print_kill)
        return sweep(plan, folder, jobs=jobs, stop=stop, listener=listener)


def seeds_from(text: str) -> tuple[int, ...]:
    """Return the seeds that --seeds names, as in 0:10 or 3.

    Raises:
        UsageError: the text names no seeds, or too many.
    """
    first, colon, end = text.partition(":")
    if not (first.isdecimal() and (end.isdecimal() if colon else True)):
        raise UsageError(f"--seeds is {text!r}, but it must be FIRST:END or a single seed; give 0:10 for seeds 0 to 9")
    if max(len(first), len(end)) > DIGITS:
        raise UsageError(f"--seeds has a number of more than {DIGITS} digits; give a smaller one, such as 0:10")
    seeds = range(int(first), int(end) if colon else int(first) + 1)
    if not seeds:
        raise UsageError(f"--seeds is {text!r}, which is empty, as the end is not included; give 0:10 for seeds 0 to 9")
    if seeds.stop - seeds.start > MOST_SEEDS:
        raise UsageError(f"--seeds is {text!r}, but a sweep has at most {MOST_SEEDS}; give 0:10 for seeds 0 to 9")
    return tuple(seeds)


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """Yield an event that is set by SIGINT or SIGTERM."""
    stop = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask_to_stop(*_: object) -> None:
        _print_to_stderr("stopping; training runs write a checkpoint and end")
        stop.set()

    for number in before:
        signal.signal(number, ask_to_stop)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_to_stderr(text: str) -> None:
    print_visible(text, error=True)


def _print_end(configuration: "Configuration", seed: int) -> None:
    """Print a line for a finished training run."""
    from memtape.experiments.sweep.sweep import result_of

    training = configuration.training_runs[seed]
    failure, result = training.failure(), result_of(training, configuration.scored)
    if failure is not None:
        _print_to_stderr(_failed(configuration.number, seed, failure))
    elif result is not None:
        verdict = f"solved after {result['solved_step']} steps" if result["solved"] else "not solved"
        first, seconds = configuration.scored[0], result["seconds"]
        score = f"{result['scores'][first.name]:.3f} {first.short}"
        _print_to_stderr(f"no. {configuration.number} seed {seed}: {verdict}, {score}, {seconds:.0f} s")


def _print_kill(configuration: "Configuration", seed: int, by: str) -> None:
    _print_to_stderr(f"no. {configuration.number} seed {seed}: ended early, {by}; continuing from its last checkpoint")


def _print_report(report: Mapping[str, Any]) -> None:
    """Print a line for each configuration, the best one first, a line for each seed of the best, and every failure."""
    configurations = report["configurations"]
    print_table(
        [
            {
                "no.": one["number"],
                "solved": f"{one['solved']} of {one['trained']}",
                "95% interval": "{:.0%} to {:.0%}".format(*one["interval"]),
                **spaced(one["score"]),
                "steps until solved": _spread(one["steps_until_solved"]),
                "seconds": _spread(one["seconds"]),
            }
            for one in configurations
        ]
    )
    print_visible("medians over seeds, in brackets the quartiles\n")
    if configurations[0]["values"]:
        print_table([{"no.": one["number"], **one["values"]} for one in configurations])
        print_visible(f"\nseeds of no. {configurations[0]['number']}:")
    ended = [row for row in configurations[0]["rows"] if "failure" not in row]
    if ended:
        print_table([spaced({name: value for name, value in row.items() if name not in HIDDEN}) for row in ended])
    for one in configurations:
        for row in one["rows"]:
            if "failure" in row:
                print_visible(_failed(one["number"], row["seed"], row["failure"]))


def _failed(number: int, seed: int, failure: Mapping[str, str]) -> str:
    return f"no. {number} seed {seed} failed, {failure['exit']}: {failure['last_line']}"


def _spread(values: Mapping[str, float] | None) -> str | None:
    if values is None:
        return None
    return "{} ({} to {})".format(*(cell(_rounded(values[name])) for name in ("median", "low", "high")))


def _rounded(value: float) -> float:
    return float(f"{value:.3g}" if value < 100 else f"{value:.0f}")
