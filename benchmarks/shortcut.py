"""Shortcut: does a network follow all edges of a relation, or use the label of the last edge alone?

    memtape train dnc inference --out RUN
    python benchmarks/shortcut.py RUN --lesson 1 3

queries a trained network about new graphs of a lesson, one query each, and counts wrong answers by the number of edges
of the graph that have the label of the last edge of the path. A network that follows the path is right for any such
number. A network that uses the last label alone is right where one edge has it, and at chance level where several have
it.
"""

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import torch

from memtape.experiments.experiment import Experiment
from memtape.experiments.run_folder.folder import Run
from memtape.experiments.run_folder.weights import read_weights

MOST = 4
"""Counts from this value on are summed in one row."""


def wrong_by_namesakes(folder: Path, lesson: int, sequences: int) -> dict[int, tuple[int, int]]:
    """Return the numbers of queries and of wrong answers, by the number of edges with the label of the last one."""
    run = Run.open(folder)
    experiment = Experiment.from_config(run.read("config.json"))
    if experiment.task != "inference":
        raise SystemExit(
            f"{folder} is a run of {experiment.task}, but only inference queries relations; give a run of inference"
        )
    options = {**experiment.task_options, "questions": 1}
    task = replace(experiment, task_options=options).build_task()
    network = experiment.build_network(read_weights(run), task.input_size, task.output_size).eval()
    counts = defaultdict(lambda: (0, 0))
    for index in range(0, sequences, 100):
        batch = task.batch(index // 100, 100, lengths=(lesson, lesson), split="test", seed=experiment.seed)
        with torch.no_grad():
            outputs, _ = network(batch.inputs, lengths=batch.lengths)
        names, present = batch.graphs.edge_labels.flatten(1), batch.graphs.present.flatten(1)
        for row, path in enumerate(batch.paths[:, 0]):
            last = names[row, path[path >= 0][-1]]
            namesakes = min(int((names[row] == last)[present[row]].sum()), MOST)
            asked, wrong = counts[namesakes]
            own = batch.mask[row]
            predicted, true = (
                digits[row][own].unflatten(-1, (-1, 10)).argmax(-1) for digits in (outputs, batch.targets)
            )
            counts[namesakes] = (asked + 1, wrong + int((predicted != true).any()))
    return dict(sorted(counts.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a finished run of inference")
    parser.add_argument("--lesson", type=int, nargs="+", default=[1], help="lessons to draw queries from")
    parser.add_argument("--sequences", type=int, default=2000, help="graphs per lesson")
    options = parser.parse_args()
    for lesson in options.lesson:
        print(f"lesson {lesson}: edges with the label of the last one, queries, wrong answers")
        for namesakes, (asked, wrong) in wrong_by_namesakes(options.run, lesson, options.sequences).items():
            print(f"{namesakes if namesakes < MOST else f'{MOST} or more':>10} {asked:6} {wrong / asked:6.0%}")


if __name__ == "__main__":
    main()
