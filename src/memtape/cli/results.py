"""`memtape results`: print the ledger, published numbers and ours."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from memtape.catalog.registry import TASKS, find
from memtape.cli.options import AsJson
from memtape.cli.table import print_table
from memtape.core.data_record import DataRecord

if TYPE_CHECKING:
    from memtape.catalog.recipe import Recipe
    from memtape.experiments.ledger import Result


def results(
    model: Annotated[str | None, Parameter(help="Print the results of this model.")] = None,
    task: Annotated[
        list[str] | None, Parameter(consume_multiple=True, help="Print the results on these tasks.")
    ] = None,
    *,
    as_json: AsJson = False,
    markdown: Annotated[bool, Parameter(negative="", help="Print a Markdown table for each task.")] = False,
    each: Annotated[
        bool,
        Parameter(
            negative="",
            help="Print the scores of each part, for recipes of several parts, such as the tasks of babi.",
        ),
    ] = False,
) -> None:
    """Print the results of training by each recipe, beside published numbers.

    Scores are medians over seeds with their range. Minutes are those of one seed; other work may have shared the cores.
    """
    from memtape.experiments import ledger

    if model is not None:
        find("model", model)
    tasks = [name for name in task or () if find("task", name)]
    found = ledger.results(model, tasks)
    if each:
        _print_parts(found, as_json=as_json, markdown=markdown)
    elif as_json:
        print(json.dumps([_as_json(recipe, result) for recipe, result in found], indent=2))
    elif not found:
        print("the ledger has no result of these; `memtape results` prints all")
    elif markdown:
        print(markdown_tables(found))
    else:
        print_table([_row(recipe, result) for recipe, result in found])
        if model is None and not tasks:
            print("`memtape results MODEL TASK` prints all scores, hardware, commit and the command of each")
            return
        for recipe, result in found:
            _print_details(recipe, result)


def _print_parts(found: Sequence[tuple["Recipe", "Result"]], *, as_json: bool, markdown: bool) -> None:
    """Print a table for each result of several parts, or all of them as JSON."""
    from memtape.experiments.parts import parts_of

    parted = [(recipe.name, parts) for recipe, result in found if (parts := parts_of(recipe, result)) is not None]
    if as_json:
        print(json.dumps([{"recipe": recipe, **asdict(parts)} for recipe, parts in parted], indent=2))
    elif not parted:
        print("the ledger has no result of several parts of these; leave --each out")
    else:
        for number, (_, parts) in enumerate(parted):
            if number > 0:
                print()
            print(parts.title, end="\n\n" if markdown else "\n")
            rows = parts.rows()
            if markdown:
                print(markdown_table([{name: shown(value) for name, value in row.items()} for row in rows]))
            else:
                print_table(rows)


def shown(value: Any) -> str:
    """Return the text of a score with three digits, of another value as it is, and of a missing one as empty text."""
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)


def markdown_tables(found: Sequence[tuple["Recipe", "Result"]]) -> str:
    """Return a Markdown table for each task, with a line for each recipe.

    A table has the headline scores; for a task with tests at several lengths, it has one score at each length.
    """
    tables = []
    for task in dict.fromkeys(recipe.task for recipe, _ in found):
        tables.append(
            markdown_table([_markdown_row(recipe, result) for recipe, result in found if recipe.task == task])
        )
    return "\n\n".join(tables)


def markdown_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a Markdown table of rows, with a column for each name; names of recipes and published numbers are on the left."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    align = ["---" if name in ("recipe", "published") else "--:" for name in names]
    lines = [names, align, *([row.get(name, "") for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(recipe: "Recipe", result: "Result") -> dict[str, Any]:
    from memtape.experiments.ledger import headlines

    shown = headlines(recipe, result.metrics)[:1]
    return {
        "recipe": recipe.name,
        "score": shown[0].replace("_", " ") if shown else None,
        "published": _numbers(recipe.published.get(shown[0], {})) if shown else None,
        "ours": _spread(result, shown[0]) if shown else None,
        "seeds solved": next(iter(_seeds(recipe, result).values())),
        "minutes": _minutes(result),
    }


def _markdown_row(recipe: "Recipe", result: "Result") -> dict[str, str]:
    from memtape.experiments.ledger import headlines
    from memtape.experiments.parts import part_metrics

    shown = headlines(recipe, result.metrics)
    parts = part_metrics(recipe, result)
    at_lengths = {
        name: name.rpartition("_")[0]
        for name in result.metrics
        if name.rpartition("_")[2].isdecimal() and name not in parts
    }
    last = next((at_lengths[name] for name in shown if name in at_lengths), TASKS[recipe.task].load().scored[-1].name)
    published = "; ".join(_numbers(recipe.published[name]) for name in shown if name in recipe.published)
    return {
        "recipe": f"`{recipe.name}`",
        **_seeds(recipe, result),
        "minutes": _minutes(result),
        "published": published,
        **{name.replace("_", " "): _spread(result, name) for name in shown if name not in at_lengths},
        **{
            name.replace("_", " "): f"{result.spread(name).median:.3g}"
            for name in at_lengths
            if at_lengths[name] == last
        },
    }


def _print_details(recipe: "Recipe", result: "Result") -> None:
    print(f"\n{recipe.name}: {result.hardware}; commit {result.commit}", end="")
    print(f"; {', '.join(f'{name} {version}' for name, version in result.environment.items())}")
    for name in result.metrics:
        known = recipe.published.get(name)
        print(
            f"  {name.replace('_', ' ')}: {_spread(result, name)}",
            f"; published: {_numbers(known)}" if known else "",
            sep="",
        )
    if recipe.source is not None and recipe.published:
        print(f"  published: {recipe.source}")
    if result.data_record is not None:
        print(f"  {DataRecord.from_json(result.data_record)}")
    elif result.data is not None:
        print(f"  data: {result.data}")
    print(f"  {result.command}")


def _as_json(recipe: "Recipe", result: "Result") -> dict[str, Any]:
    finished = result.finished
    return {
        "recipe": recipe.name,
        "model": recipe.model,
        "task": recipe.task,
        "published": recipe.published,
        "source": recipe.source,
        "seeds": result.trained,
        "each": result.each,
        "solved": result.solved,
        "solved_interval": result.interval,
        "scores": {name: vars(result.spread(name)) for name in result.metrics},
        "minutes": [round(seed["seconds"] / 60, 3) for seed in finished],
        "hardware": result.hardware,
        "commit": result.commit,
        "environment": result.environment,
        "data": result.data,
        "data_record": result.data_record,
        "command": result.command,
    }


def _seeds(recipe: "Recipe", result: "Result") -> dict[str, str]:
    """Return how many seeds were solved, or the number of seeds for a task without a goal."""
    if TASKS[recipe.task].load().solved_at is None:
        return {"seeds": str(result.trained)}
    return {"seeds solved": f"{result.solved} of {len(result.seeds)}"}


def _spread(result: "Result", metric: str) -> str:
    spread = result.spread(metric)
    return f"{spread.median:.3g} ({spread.low:.3g} to {spread.high:.3g})"


def _numbers(published: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in published.items())


def _minutes(result: "Result") -> str:
    return "" if result.minutes is None else f"{result.minutes:.1f}"
