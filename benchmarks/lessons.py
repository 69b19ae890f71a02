"""Lessons: the scores of a run on graphs after each lesson of its curriculum, on graphs that are not in training.

    memtape train dnc traversal --train.keep 1000 --out RUN
    python benchmarks/lessons.py RUN --slots 256 --out results/speed/traversal-lessons.json --figure docs/images

takes the last checkpoint of each lesson, and scores it on new graphs of that lesson, of the last lesson, and of the
graph that is not in training (the London Underground, or Hinton's families), beside the published scores of Graves et
al. (2016). As in the paper, each graph has one query. Memories may have more slots than in training. A second figure
shows an answer of the last network about the held-out graph. List runs that continue others after them.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from matplotlib.figure import Figure
from safetensors.torch import load_file

from memtape.experiments.experiment import Experiment
from memtape.experiments.inspection import graph_of
from memtape.experiments.run_folder.environment import environment
from memtape.experiments.run_folder.folder import Run
from memtape.models.machine.resizable import Resizable
from memtape.training.evaluation import evaluate
from memtape.viz.graph_figure import graph_figure
from memtape.viz.saving import save
from memtape.viz.style import BLUE, INK, VERMILION, paper_style

# For each lesson the share of right answers on the graph that is not in training, and on the last lesson.
PUBLISHED = {
    "traversal": (
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 13.6, 15.0, 72.8, 88.6, 91.8, 96.0, 98.8),
        (10.7, 19.7, 27.3, 38.2, 39.7, 47.5, 48.1, 59.4, 59.0, 72.3, 81.6, 90.7, 96.8, 99.0),
    ),
    "shortest-path": (
        (8.2, 4.0, 4.0, 9.5, 14.4, 14.2, 28.3, 29.2, 34.4, 32.3, 33.8, 34.9, 40.9, 50.7, 55.3),
        (11.2, 12.7, 13.2, 13.7, 22.8, 27.6, 34.0, 39.7, 41.1, 40.0, 44.0, 47.2, 54.3, 54.0, 64.0),
    ),
    "inference": (
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.1, 0.0, 14.5, 11.1, 20.4, 43.6, 18.6, 26.4, 61.9, 81.8),
        (2.3, 8.9, 14.3, 15.5, 22.7, 25.8, 31.2, 47.6, 55.1, 49.4, 50.2, 66.3, 78.9, 68.6, 78.4, 91.1, 95.5),
    ),
}
SCORE = {"traversal": "right", "shortest-path": "minimal", "inference": "right"}


def last_of_each_lesson(run: Run) -> dict[int, Path]:
    """Return for each lesson the newest checkpoint with that lesson as the longest one in training."""
    found = {}
    for record in run.records():
        path = run.checkpoints / f"step-{record['step']:09d}"
        if record["kind"] == "validation" and path.is_dir():
            found[record.get("longest", 1)] = path
    return found


def asked_once(experiment: Experiment) -> Any:
    """Return the task of an experiment, with one query per graph."""
    once = {"questions": 1} if "questions" in experiment.task_options else {}
    return replace(experiment, task_options={**experiment.task_options, **once}).build_task()


def network_of(experiment: Experiment, task: Any, checkpoint: Path, slots: int | None) -> Any:
    weights = load_file(checkpoint / "weights.safetensors")
    network = experiment.build_network(weights, task.input_size, task.output_size).eval()
    return network if slots is None else cast(Resizable, network).with_slots(slots)


def rows_of(folder: Path, slots: int | None, sequences: int) -> Iterator[dict[str, Any]]:
    """Yield the scores of the network of each lesson."""
    run = Run(folder)
    experiment = Experiment.from_config(run.read("config.json"))
    task, last = asked_once(experiment), len(PUBLISHED[experiment.task][0])
    for lesson, checkpoint in last_of_each_lesson(run).items():
        network = network_of(experiment, task, checkpoint, slots)
        progress = json.loads((checkpoint / "progress.json").read_text())
        scores = {
            name: evaluate(network, task, sequences=sequences, seed=experiment.seed, split="test", lengths=(at, at))
            for name, at in (("same_lesson", lesson), ("last_lesson", last), ("unseen_graph", last + 1))
        }
        yield {
            "run": experiment.recipe,
            "seed": experiment.seed,
            "lesson": lesson,
            "step": progress["step"],
            "seconds": round(progress["seconds"]),
            **{name: round(found[SCORE[experiment.task]], 3) for name, found in scores.items()},
        }


def figure_of(task: str, rows: list[dict[str, Any]]) -> Figure:
    unseen, last = PUBLISHED[task]
    with paper_style():
        figure = Figure(figsize=(5.2, 3.0), layout="constrained")
        axes = figure.subplots()
        lessons = range(1, len(last) + 1)
        axes.plot(lessons, [share / 100 for share in unseen], ":", color=BLUE, label="unseen graph, as published")
        axes.plot(lessons, [share / 100 for share in last], ":", color=VERMILION, label="last lesson, as published")
        for number, seed in enumerate(sorted({row["seed"] for row in rows})):
            own = [row for row in rows if row["seed"] == seed]
            for name, colour in (("unseen_graph", BLUE), ("last_lesson", VERMILION), ("same_lesson", INK)):
                label = None if number else name.replace("_", " ")
                axes.plot(
                    [row["lesson"] for row in own],
                    [row[name] for row in own],
                    color=colour,
                    marker="o",
                    markersize=3,
                    label=label,
                )
        axes.set(xlabel="after lesson", ylabel="share of fully right answers", ylim=(-0.02, 1.02), xticks=list(lessons))
        axes.grid(visible=True)
        figure.legend(loc="outside right center")
        return figure


def walk_of(folder: Path, slots: int | None) -> Figure:
    """Return the figure of an answer about the graph that is not in training."""
    run = Run(folder)
    experiment = Experiment.from_config(run.read("config.json"))
    task, found = asked_once(experiment), last_of_each_lesson(run)
    network = network_of(experiment, task, found[max(found)], slots)
    shown = graph_of(network, task, length=len(PUBLISHED[experiment.task][0]) + 1, seed=experiment.seed)
    assert shown is not None
    return graph_figure(*shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="run folders of one task, with all their checkpoints")
    parser.add_argument("--slots", type=int, help="slots of the memory (default: as in training)")
    parser.add_argument("--sequences", type=int, default=200, help="graphs per score")
    parser.add_argument("--out", type=Path, help="write the measurements to this file")
    parser.add_argument("--figure", type=Path, help="write the figure into this folder")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tasks = {Experiment.from_config(Run(folder).read("config.json")).task for folder in options.runs}
    if len(tasks) > 1:
        parser.error(f"the runs are on the tasks {', '.join(sorted(tasks))}, but one figure is of one task")
    (task,) = tasks
    rows = []
    for folder in options.runs:
        for row in rows_of(folder, options.slots, options.sequences):
            print(json.dumps(row), flush=True)
            rows.append(row)
    if options.out:
        settings = {"task": task, "slots": options.slots, "sequences": options.sequences, "environment": environment()}
        options.out.write_text(json.dumps({**settings, "rows": rows}, indent=2) + "\n")
    if options.figure:
        save(figure_of(task, rows), options.figure, f"{task}-lessons")
        save(walk_of(options.runs[-1], options.slots), options.figure, f"{task}-answer")


if __name__ == "__main__":
    main()
