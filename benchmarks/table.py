"""Table: write the results in `results/` into the README and docs/sequences.md.

    python benchmarks/table.py

replaces what stands between the two marks in each of them.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from memtape.catalog.registry import TASKS, find

ROOT = Path(__file__).parent.parent
FAMILIES = (
    "elman",
    "jordan",
    "lstm",
    "gru",
    "leaky",
    "skip",
    "orthogonal",
    "clockwork",
    "esn",
    "bilstm",
    "bigru",
    "recursive",
    "rntn",
    "treelstm",
)
"""Networks of the chapter, in the order of their rows."""
CHAPTER = ("adding", "copy-memory", "digits", "sentiment", "char-lm")
"""Tasks of the chapter, in the order of their columns."""

Result = Mapping[str, Any]


def bits_row(result: Result) -> str:
    """Return the line of one result on a task of bits."""
    seeds = result["seeds"]
    finished = [seed for seed in seeds if "metrics" in seed]
    lengths = [name.removeprefix("wrong_bits_") for name in finished[0]["metrics"] if name.startswith("wrong_bits_")]
    wrong = " / ".join(
        f"{median(seed['metrics'][f'wrong_bits_{length}'] for seed in finished):.2f} at {length}" for length in lengths
    )
    solved = sum(seed["solved"] for seed in seeds)
    minutes = median(seed["seconds"] for seed in finished) / 60
    cost = median(seed["metrics"]["validation_cost_bits"] for seed in finished)
    published = result["published"].get("cost_bits", {})
    told = ", ".join(f"{name} {value:g}" for name, value in published.items())
    return f"| {result['recipe']} | {solved} of {len(seeds)} | {minutes:.1f} | {cost:.2f} | {told} | {wrong} |"


def bits_table(results: Sequence[Result]) -> str:
    """Return the table of the results on tasks of bits."""
    head = (
        "| recipe | seeds solved | minutes | bits per sequence | published | wrong bits per sequence, by length |\n"
        "|---|--:|--:|--:|---|---|"
    )
    found = [result for result in results if "cost_bits" in _scores(result)]
    return "\n".join([head, *map(bits_row, found)])


def chapter_table(results: Sequence[Result]) -> str:
    """Return the table of every network on every task of the chapter: the median over seeds, and its range."""
    by_name = {result["recipe"]: result for result in results}
    heads = [f"{task}: {find('task', task).load().scored[0].label}" for task in CHAPTER]
    lines = [f"| network | {' | '.join(heads)} |", "|---|" + "--:|" * len(CHAPTER)]
    for model in FAMILIES:
        cells = [_middle(by_name.get(f"{model}-{task}")) for task in CHAPTER]
        if any(cells):
            lines.append(f"| {model} | {' | '.join(cells)} |")
    lines.append(f"| *published, or a guess* | {' | '.join(_published(by_name, task) for task in CHAPTER)} |")
    return "\n".join(lines)


def others_table(results: Sequence[Result]) -> str:
    """Return the table of all other results on sequences, a line each."""
    chapter = {f"{model}-{task}" for model in FAMILIES for task in CHAPTER}
    lines = ["| recipe | seeds | minutes | test scores, median over seeds |", "|---|--:|--:|---|"]
    for result in results:
        if "cost_bits" in _scores(result) or result["recipe"] in chapter:
            continue
        finished = [seed for seed in result["seeds"] if "metrics" in seed]
        minutes = median(seed["seconds"] for seed in finished) / 60
        names = [name for name in finished[0]["metrics"] if not name.startswith("validation_")]
        told = ", ".join(
            f"{name.replace('_', ' ')} {median(s['metrics'][name] for s in finished):.4g}" for name in names
        )
        lines.append(f"| {result['recipe']} | {len(finished)} | {minutes:.1f} | {told} |")
    return "\n".join(lines)


def _scores(result: Result) -> set[str]:
    return {score.name for score in TASKS[result["task"]].load().scored}


def _middle(result: Result | None) -> str:
    """Return the first score on the test split over seeds: the median and, in brackets, the range."""
    if result is None:
        return ""
    name = f"{find('task', result['task']).load().scored[0].name}_test"
    values = [seed["metrics"][name] for seed in result["seeds"] if "metrics" in seed]
    return f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def _published(by_name: Mapping[str, Result], task: str) -> str:
    first = find("task", task).load().scored[0].name
    known = next((result["published"] for result in by_name.values() if result["task"] == task), {})
    return ", ".join(f"{name} {value:.3g}" for name, value in known.get(first, {}).items())


def tables() -> list[tuple[Path, str, str]]:
    """Return each document with a mark in it and the table that stands there."""
    kept = [json.loads(path.read_text()) for path in sorted((ROOT / "results").glob("*.json"))]
    return [
        (ROOT / "README.md", "results", bits_table(kept)),
        (ROOT / "docs" / "sequences.md", "sequences", f"{chapter_table(kept)}\n\n{others_table(kept)}"),
    ]


def put(document: str, mark: str, table: str) -> str:
    """Return a document with a table between the two marks."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, _, rest = document.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}"


if __name__ == "__main__":
    for path, mark, table in tables():
        path.write_text(put(path.read_text(), mark, table))
