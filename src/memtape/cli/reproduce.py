"""`memtape reproduce`: train a recipe again and compare it with the ledger."""

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from memtape.catalog.registry import find
from memtape.cli.errors import UsageError
from memtape.cli.sweep import seeds_from, trained
from memtape.cli.table import cell, print_table
from memtape.cli.terminal import print_visible

if TYPE_CHECKING:
    from memtape.catalog.recipe import Recipe
    from memtape.experiments.agreement import Agreement
    from memtape.experiments.ledger import Result
    from memtape.experiments.sweep.sweep import Plan

STOPPED = 130


def reproduce(
    recipe: Annotated[str, Parameter(help="Name of the recipe; `memtape recipes` lists them.")],
    /,
    *,
    seeds: Annotated[str, Parameter(help="Seeds: FIRST:END, the end not included, or a single one.")] = "0:5",
    jobs: Annotated[int, Parameter(help="Training runs at a time, each with one thread.")] = 2,
    out: Annotated[
        Path | None, Parameter(help="Folder of the sweep, to keep it or to continue it; by default it is deleted.")
    ] = None,
    data_dir: Annotated[Path | None, Parameter(help="Folder with the data of tasks on real input.")] = None,
    update: Annotated[
        bool,
        Parameter(negative="", help="Write the result into the ledger of the source tree, over the old one."),
    ] = False,
) -> int:
    """Train a recipe again, print its scores beside those of the ledger, and report whether they agree.

    The exit code is 0 if they agree, and 1 if not. A median over the new seeds agrees if it lies in the range of the ledger's
    seeds, widened by that range or slightly more; lengths beyond those of training are printed but not compared.
    """
    if jobs < 1:
        raise UsageError(f"--jobs is {jobs}, but it must be at least 1; give 1 or more")

    from memtape.experiments import ledger
    from memtape.experiments.agreement import agreement
    from memtape.experiments.data_dir import with_data_dir
    from memtape.experiments.reproduction import data_of, experiment_of, options_of_each
    from memtape.experiments.sweep.sweep import Plan

    known = find("recipe", recipe)
    before = ledger.read_result(known.name)
    if update and not ledger.IN_SOURCE_TREE:
        raise UsageError("--update writes into the source tree, but memtape is installed as a package; use a clone")
    if before is None and not update:
        raise UsageError(
            f"the ledger has no result of {known.name} to agree with; give --update to add one, or use `memtape sweep`"
        )
    experiment = experiment_of(known)
    experiment = replace(experiment, task_options=with_data_dir(known.task, experiment.task_options, flag=data_dir))
    if before is not None and (own := data_of(experiment)) != before.data:
        cure = "give --data-dir the folder of docs/guides/data.md" if before.data == "real" else "leave --data-dir out"
        raise UsageError(f"the result of {known.name} in the ledger is on {before.data} data, not {own} data; {cure}")
    _, task = experiment.build()  # an error is reported now, not by every training run
    plan = Plan(experiment=experiment, seeds=seeds_from(seeds), each=options_of_each(known))
    if before is not None:
        print_visible(_announced(before, len(plan.seeds), jobs), error=True)
    new = _trained(known, plan, out, jobs)
    if new is None:
        return STOPPED
    judged = None if before is None else agreement(before, new, scored=task.scored, longest=task.lengths[1])
    if before is not None and judged is not None:
        _print(before, new, judged)
    if update:
        print_visible(f"wrote {ledger.write_result(new)}")
    return 0 if judged is None or judged.agrees else 1


def _announced(before: "Result", seeds: int, jobs: int) -> str:
    """Return how long the training runs will take according to the ledger."""
    from memtape.experiments.expectation import duration

    of_seed = max(len(before.values), 1)  # training runs of each seed
    minutes = max(ceil(seeds * of_seed / jobs) * (before.minutes or 0.0) / of_seed, 0.1)
    count = "1 seed" if seeds == 1 else f"{seeds} seeds"
    return f"{before.recipe}: {count}, {jobs} at a time; the ledger has {duration(before)}, so expect about {minutes:.1f} min"


def _trained(recipe: "Recipe", plan: "Plan", out: Path | None, jobs: int) -> "Result | None":
    """Train all seeds and return their result, or None if they were stopped."""
    from memtape.experiments.reproduction import result_of_sweep

    with ExitStack() as stack:
        folder = out or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "sweep"
        try:
            configurations = trained(plan, folder, jobs)
        except OSError as error:
            raise UsageError(
                f"{error.filename or folder} cannot be written ({error.strerror}); free disk space and try again"
            ) from None
        if configurations is None:
            print_visible("stopped" if out is None else f"stopped; the same command with --out {out} continues")
            return None
        return result_of_sweep(recipe, plan, configurations, jobs=jobs)


def _print(before: "Result", new: "Result", judged: "Agreement") -> None:
    """Print every score beside the ledger, and whether all agree."""
    if judged.comparisons:
        print_table(
            [
                {
                    "score": one.metric.replace("_", " "),
                    "ledger": (f"{cell(one.ledger.median)} ({cell(one.ledger.low)} to {cell(one.ledger.high)})"),
                    "allowed": "{} to {}".format(*map(cell, one.allowed)),
                    "now": one.new,
                    "agrees": one.agrees if one.judged else "not judged",
                }
                for one in judged.comparisons
            ]
        )
    for seed in new.seeds:
        if "error" in seed:
            value = f" with {new.each} {seed['each']}" if "each" in seed else ""
            print_visible(f"seed {seed['seed']}{value} failed: {seed['error']}")
    overlap = "overlap" if judged.shares_overlap else "do not overlap"
    intervals = [f"{result.solved} of {len(result.seeds)}" for result in (before, new)]
    print_visible(
        f"solved: {intervals[0]} in the ledger, {intervals[1]} now; the 95% intervals of these shares {overlap}"
    )
    if judged.agrees:
        print_visible(f"{new.recipe} agrees with the ledger")
        return
    apart = [one.metric.replace("_", " ") for one in judged.disagreements]
    reasons = apart if judged.shares_overlap else [*apart, "the share of solved seeds"]
    print_visible(
        f"{new.recipe} does not agree with the ledger: {', '.join(reasons) or 'no seed was trained to its end'}"
    )
