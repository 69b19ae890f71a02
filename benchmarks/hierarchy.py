"""Hierarchy: which memory generalises to long strings on which class of languages?

    python benchmarks/hierarchy.py --out docs/images/hierarchy.png

reads the ledger of the recipes for the Chomsky suite, and what `benchmarks/length_generalisation.py --json` saved in
results/lengths/: the accuracies of stack RNNs with rounded actions, and of networks with more slots than in training,
enough for the longest strings. It prints the mean accuracy of the lengths 100 to 500 for each network and problem, of the
best seed and as mean of the seeds, and draws those of the best seeds.
"""

import argparse
import json
from pathlib import Path
from statistics import fmean

import matplotlib.pyplot as plt
import numpy as np

from memtape import Chomsky
from memtape.experiments.ledger import read_result
from memtape.viz.style import INK_ON_PAPER, MUTED, paper_style

SAVED = Path(__file__).parents[1] / "results" / "lengths"
LENGTHS = (100, 200, 300, 400, 500)
NETWORKS = {
    "elman": "RNN",
    "lstm": "LSTM",
    "stackrnn": "stack RNN",
    "taperrnn": "tape RNN",
    "ntm": "NTM",
    "dnc": "DNC",
}
LENGTHENED = {"taperrnn", "ntm", "dnc"}
"""The networks with a number of slots; their rows are those with more slots."""
CLASSES = {"regular": 4, "deterministic context-free": 4, "context-sensitive": 7}
"""The number of problems of each class, in the order of the recipes."""

Scores = dict[str, list[float]]
"""The score of each seed by problem."""


def trained(model: str) -> Scores:
    """Return the mean accuracy of long strings, for each problem and seed."""
    result = read_result(f"{model}/chomsky")
    if result is None:
        return {}
    return {
        value: [
            fmean(seed["metrics"][f"accuracy_{length}"] for length in LENGTHS)
            for seed in result.with_value(value).finished
        ]
        for value in result.values
    }


def tested_again(model: str, actions: str) -> Scores:
    """Return the same for trained networks that were tested in another form."""
    file = SAVED / f"{model}-chomsky.json"
    if not file.is_file():
        return {}
    record = json.loads(file.read_text())
    return {
        problem: [
            fmean(score for length, score in zip(record["lengths"], seed, strict=True) if length in LENGTHS)
            for seed in by_actions[actions]
        ]
        for problem, by_actions in record["accuracy"].items()
    }


def rows() -> dict[str, Scores]:
    """Return the scores of all networks, by the names of the rows."""
    table = {}
    for model, name in NETWORKS.items():
        table[name] = tested_again(model, "probabilities") if model in LENGTHENED else trained(model)
        if model == "stackrnn":
            table[f"{name}, rounded"] = tested_again(model, "rounded")
    return {name: scores for name, scores in table.items() if scores}


def draw(table: dict[str, Scores], problems: list[str], file: Path) -> None:
    """Draw the score of the best seed above chance, a row for each network and a column for each problem."""
    chance = np.array([Chomsky(problem=problem).chance((40, 40))["accuracy"] for problem in problems])
    best = np.array([[max(scores[problem]) for problem in problems] for scores in table.values()])
    with paper_style():
        figure, axes = plt.subplots(figsize=(7.6, 0.34 * len(table) + 1.9), layout="constrained")
        image = axes.imshow(
            ((best - chance) / (1 - chance)).clip(0, 1), cmap=INK_ON_PAPER, vmin=0, vmax=1, aspect="auto"
        )
        for (row, column), score in np.ndenumerate(best):
            dark = (score - chance[column]) / (1 - chance[column]) > 0.5
            axes.text(column, row, f"{100 * score:.0f}", ha="center", va="center", color="white" if dark else "black")
        axes.set_yticks(range(len(table)), list(table))
        axes.set_xticks(
            range(len(problems)), [problem.replace("-", " ") for problem in problems], rotation=40, ha="right"
        )
        start = -0.5
        for name, count in CLASSES.items():
            axes.text(start + count / 2, -0.65, name, ha="center", va="bottom")
            start += count
            if start < len(problems) - 1:
                axes.axvline(start, color="white", linewidth=4)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        bar = figure.colorbar(image, ax=axes, ticks=[0, 1], shrink=0.6, pad=0.01)
        bar.ax.set_yticklabels(["chance", "all right"], color=MUTED)
        bar.outline.set_visible(False)
        figure.savefig(file)


def main() -> None:
    """Print the table and draw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    table = rows()
    problems = list(next(iter(table.values())))
    print(f"| problem | {' | '.join(table)} |")
    print(f"| --- |{' --- |' * len(table)}")
    for problem in problems:
        cells = (f"{100 * max(scores[problem]):.1f} ({100 * fmean(scores[problem]):.1f})" for scores in table.values())
        print(f"| `{problem}` | {' | '.join(cells)} |")
    if given.out:
        draw(table, problems, given.out)


if __name__ == "__main__":
    main()
