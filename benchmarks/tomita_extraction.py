"""Tomita extraction: extract the automata of networks that were trained on Tomita's languages.

    memtape reproduce gru/tomita --seeds 0:3 --jobs 1 --out RUNS
    python benchmarks/tomita_extraction.py RUNS
    python benchmarks/tomita_extraction.py RUNS --picture docs/images/automaton-tomita-3.png

The first line trains the networks, and keeps their run folders. The second one extracts the automaton of each network by L*
and by clusters of hidden states. For each language it prints for how many networks the minimal automaton is equal to that of
the language, and the medians of states before they were minimised, counterexamples, queries, seconds, and the share of held-out
words on which automaton and network agree. `--picture` draws the automaton of the first network for language 3.
"""

import argparse
import time
from pathlib import Path
from statistics import median
from typing import Any

import memtape
from memtape.automata import Extraction, extract, tomita

LENGTHS = (20, 50, 100, 200)
METHODS = {"lstar": "L*", "clusters": "clusters"}
COLUMNS = ("language", "states", "method", "equal", "states found", "counterexamples", "queries", "seconds")


def runs_in(folder: Path) -> dict[int, list[Any]]:
    """Return the trained runs in a folder by the number of their language, those of each language by seed."""
    files = [file for file in folder.rglob("config.json") if file.parent.parent.name != "checkpoints"]
    runs = [
        run for run in (memtape.load(file.parent) for file in sorted(files)) if isinstance(run.task, memtape.Tomita)
    ]
    found: dict[int, list[Any]] = {}
    for run in sorted(runs, key=lambda run: (run.task.number, run.seed)):
        found.setdefault(run.task.number, []).append(run)
    return found


def row(number: int, runs: list[Any], method: str) -> list[str]:
    """Extract the automata of the networks for a language, and return their row of the table."""
    found: list[Extraction] = []
    seconds = []
    for run in runs:
        began = time.perf_counter()
        found.append(extract(run.model, run.task.vocabulary, before="^", method=method, held_out=LENGTHS))
        seconds.append(time.perf_counter() - began)
    true = tomita(number, later=runs[0].task.third == "later").minimise()
    return [
        f"{number}",
        f"{len(true.states)}",
        METHODS[method],
        f"{sum(one.dfa == true for one in found)} of {len(runs)}",
        f"{median(one.states for one in found)}",
        f"{median(len(one.counterexamples) for one in found)}" if method == "lstar" else "",
        f"{median(one.queries for one in found):,}",
        f"{median(seconds):.1f}",
        *(f"{median(one.agreement[length] for one in found):.3f}" for length in LENGTHS),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder that contains run folders of the task tomita")
    parser.add_argument("--picture", type=Path, help="file for the picture of an automaton of language 3")
    options = parser.parse_args()
    runs = runs_in(options.runs)
    if not runs:
        parser.error(f"{options.runs} has no run of the task tomita; train some as in the first line of --help")
    if options.picture and 3 not in runs:
        parser.error(
            f"{options.runs} has no run of language 3, whose automaton is drawn; train one, or leave --picture out"
        )
    names = [*COLUMNS, *(f"agreement at {length}" for length in LENGTHS)]
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for number, networks in runs.items():
        for method in METHODS:
            print(f"| {' | '.join(row(number, networks, method))} |", flush=True)
    if options.picture:
        network = runs[3][0].model
        found = extract(network, memtape.Tomita.vocabulary, before="^", held_out=())
        found.dfa.figure(title="Extracted from a GRU trained on Tomita's language 3").savefig(options.picture)


if __name__ == "__main__":
    main()
