"""`memtape models`, `tasks` and `recipes`: the catalog."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from cyclopts import Parameter

from memtape.catalog.references import references
from memtape.catalog.registry import MODELS, RECIPES, TASKS, Entry, UnknownNameError, find
from memtape.cli.errors import UsageError
from memtape.cli.options import AsJson
from memtape.cli.table import print_table


def models(*, as_json: AsJson = False) -> None:
    """List the models with a summary and their papers."""
    _entries("model", list(MODELS.values()), as_json)


def tasks(*, as_json: AsJson = False) -> None:
    """List the tasks with a summary and their papers."""
    _entries("task", list(TASKS.values()), as_json)


def cite(
    *names: Annotated[str, Parameter(name="NAME", help="Models, tasks and recipes.")],
) -> None:
    """Print the papers of models, tasks and recipes as BibTeX, without duplicates."""
    if not names:
        raise UsageError("there is no name to cite; give models, tasks or recipes, such as `memtape cite ntm copy`")
    cards = [entry.card for name in names for entry in _named(name)]
    known = references()
    print(
        "\n\n".join(dict.fromkeys(known[key].bibtex if key in known else key for card in cards for key in card.paper))
    )


def _named(name: str) -> list[Entry]:
    """Return the model or the task of a name, or both for a recipe."""
    found: list[Entry] = [kind[name] for kind in (MODELS, TASKS) if name in kind]
    if found:
        return found
    if name in RECIPES:
        return [MODELS[RECIPES[name].model], TASKS[RECIPES[name].task]]
    raise UnknownNameError("model, task or recipe", name, dict.fromkeys((*MODELS, *TASKS)))


def recipes(
    name: Annotated[str | None, Parameter(help="Recipe whose settings are shown.")] = None,
    /,
    *,
    as_json: AsJson = False,
) -> None:
    """List the recipes; the one without a variant is used unless --recipe names another."""
    chosen = list(RECIPES.values()) if name is None else [find("recipe", name)]
    if as_json:
        print(json.dumps([asdict(recipe) for recipe in chosen], indent=2))
        return
    if name is None:
        print_table([{"recipe": recipe.name, "model": recipe.model, "task": recipe.task} for recipe in chosen])
        return
    parts = (("model", chosen[0].model_options), ("task", chosen[0].task_options), ("train", chosen[0].train))
    rows = [
        {"option": f"--{part}.{option}", "value": str(value)}
        for part, values in parts
        for option, value in values.items()
    ]
    print_table(rows, folded=["value"])
    for score, values in chosen[0].published.items():
        print(f"published {score}: {', '.join(f'{name} {value:g}' for name, value in values.items())}")
    if chosen[0].source is not None:
        print(f"source: {chosen[0].source}")


def _entries(kind: str, entries: Sequence[Entry], as_json: bool) -> None:
    if as_json:
        values: list[dict[str, Any]] = [
            {
                "name": entry.name,
                "summary": entry.summary,
                "paper": entry.paper,
                "inputs": entry.card.inputs,
                "plugin": entry.plugin,
                "options": {option.name: option.default for option in entry.options},
            }
            for entry in entries
        ]
        print(json.dumps(values, indent=2))
        return
    rows = [{kind: entry.name, "what it is": entry.summary, "paper": entry.paper} for entry in entries]
    print_table(rows, folded=["what it is", "paper"])
