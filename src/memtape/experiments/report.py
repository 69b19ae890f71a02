"""Report: draw the figures and write the report of a finished run."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from memtape.catalog.registry import MODELS, TASKS
from memtape.core.data_record import DataRecord
from memtape.core.graph_picture import GraphPicture
from memtape.core.lookup import Lookup
from memtape.core.score_curve import ScoreCurve
from memtape.core.story_picture import StoryPicture
from memtape.core.task import Task
from memtape.experiments.experiment import Experiment
from memtape.experiments.inspection import curve_of, graph_of, lookup_of, tape_of
from memtape.experiments.open_run import open_run
from memtape.experiments.run_folder.folder import RESULT, Run, RunError
from memtape.experiments.run_folder.record import RunRecord
from memtape.training.draw_batch import draw_batch
from memtape.training.network_traits import place_of
from memtape.viz import figures
from memtape.viz.report import Example, Illustration, Section, Table, write_report
from memtape.viz.tape import Tape


def report_run(folder: Path, *, warn: Callable[[str], None] = warnings.warn) -> Path:
    """Redraw the figures of a finished run, write its report, and return the report's file.

    Args:
        folder: the run folder.
        warn: receives a sentence if the data differs from that of training.

    Raises:
        RunError: the run does not exist or is damaged.
    """
    return write_run_report(*open_run(folder, on_other_data=warn))


def write_run_report(run: Run, experiment: Experiment, model: nn.Module, task: Task) -> Path:
    """Draw the figures of a run, as PNG and SVG, and its report.html; return the report's file.

    Args:
        run: a run folder with its metrics, result and evaluation.
        experiment: the experiment of the run.
        model: the trained network.
        task: the task that it was trained on.

    Raises:
        RunError: files are missing, damaged, or of another task.
    """
    read = RunRecord.read(run.folder)
    outcome, results, environment = run.read(RESULT), read.evaluation, read.environment
    entry = TASKS[experiment.task]
    try:
        drawn = {"learning": _learning(read.records, outcome["solved_step"], task)}
        if len(results) > 1 and not task.test_parts:
            drawn["lengths"] = _lengths(results, task, entry.unit)
    except ValueError as error:
        raise RunError(f"{run.folder} cannot be drawn ({error}); restore its files or train again") from None
    curve = curve_of(model, task, sequences=None, seed=experiment.seed)
    if curve:
        drawn["curve"] = _curve(curve, results[0]["sequences"])
    tape = entry.picture_length and tape_of(model, task, length=entry.picture_length, seed=experiment.seed)
    if tape:
        drawn["memory"] = _memory(tape, f"{entry.picture_length} {entry.unit}")
    graph = entry.picture_length and graph_of(model, task, length=entry.picture_length, seed=experiment.seed)
    if graph:
        drawn["graph"] = _graph(*graph, f"lesson {entry.picture_length}")
    looked = lookup_of(model, task, seed=experiment.seed)
    if looked:
        drawn["lookup"] = _lookup(*looked, str(model.looks))
    for name, illustration in drawn.items():
        figures.save(illustration.figure, run.figures, name)

    data = read.data
    verdict = f"Solved after {outcome['solved_step']} steps" if outcome["solved"] else "Not solved"
    return write_report(
        run.report_file,
        title=f"{experiment.model} on {experiment.task}",
        summary=f"{MODELS[experiment.model].summary} {entry.summary} {verdict}; "
        f"{outcome['sequences']:,} sequences in {outcome['seconds']:.0f} seconds of training.",
        badge="" if data is None else data.badge,
        facts={
            "seed": experiment.seed,
            **({"initial weights of": experiment.weights} if experiment.weights else {}),
            "steps": f"{outcome['steps']:,}",
            **{f"validation, {score.label}": f"{outcome['scores'][score.name]:.3g}" for score in task.scored},
            "parameters": f"{sum(parameter.numel() for parameter in model.parameters()):,}",
        },
        sections=_sections(read, drawn, _example(model, task)),
        footer=_footer(run, environment),
    )


def _sections(read: RunRecord, drawn: dict[str, Illustration], example: str) -> list[Section]:
    experiment, results = read.experiment, read.evaluation
    names = list(results[-1])
    columns = [name.replace("_", " ") for name in names]
    title = "Scores by length" if "lengths" in drawn else "Scores on the test sequences"
    scores = Table(title, columns, [tuple(result.get(name, "all") for name in names) for result in results])
    sections = [
        Section("Beyond the lengths of training", [drawn["lengths"], scores])
        if "lengths" in drawn
        else Section("Test", [*([drawn["curve"]] if "curve" in drawn else []), scores]),
        Section("Learning", [drawn["learning"]]),
        Section("An example", [Example("A short sequence and the output of the network", example)]),
        Section(
            "Settings",
            [
                Table.of_settings("Model", experiment.model_options),
                Table.of_settings("Task", experiment.task_options),
                Table.of_settings("Training", experiment.config()["train"]),
                *([_data(read.data)] if read.data else []),
                Table.of_settings("Environment", read.environment),
            ],
        ),
    ]
    for heading, name in (("The memory", "memory"), ("The graph", "graph"), ("Where it looked", "lookup")):
        if name in drawn:
            sections.insert(0, Section(heading, [drawn[name]]))
    return sections


def _data(data: DataRecord) -> Table:
    """Return the table of the data: what it is, the numbers of examples, and the files with their digests."""
    counts = {f"{split} examples": f"{count:,}" for split, count in data.examples.items()}
    files = {file.name: f"{file.size:,} bytes, SHA-256 {file.sha256}" for file in data.files}
    return Table.of_settings("Data", {"data": data.badge, **counts, **files})


def _memory(tape: Tape, size: str) -> Illustration:
    views = ", ".join(view.title.lower() for view in tape.views if not view.matrix)
    matrices = ", ".join(view.title.lower() for view in tape.views if view.matrix)
    listed = f"{views}{f'; below, after the last step: {matrices}' if matrices else ''}"
    return Illustration(
        figures.tape_figure(tape),
        f"One test sequence of {size} as the network processes it, on one time axis: inputs, outputs, targets, {listed}.",
        f"Inputs, outputs and targets over time, and {listed}.",
    )


def _graph(picture: GraphPicture, sources: Any, size: str) -> Illustration:
    reads = "; below, which edges each read head read in each step of the answer" if sources is not None else ""
    return Illustration(
        figures.graph_figure(picture, sources),
        f"A test graph of {size}, given edge by edge, with the target paths and the predictions in their place{reads}.",
        f"A graph with the target and predicted edges{', and the shares of the reads from edges' if reads else ''}.",
    )


def _lookup(picture: StoryPicture, looked: Lookup, look: str) -> Illustration:
    weights, shares = looked.weights[0].cpu().numpy(), looked.shares[0].cpu().numpy()
    by_slot = look == "slot"
    values = "the gate of each slot for each sentence" if by_slot else f"the weight of each sentence in each {look}"
    below = "; below, the share of each slot in the answer" if by_slot else ""
    return Illustration(
        figures.lookup_figure(picture, weights, shares if by_slot else None, look=look),
        f"A test question about a story, the answer, and {values}; supporting sentences are green{below}.",
        f"The sentences of a story with {values}.",
    )


def _learning(records: Sequence[Mapping[str, Any]], solved_step: int | None, task: Task) -> Illustration:
    return Illustration(
        figures.learning_curve(records, task.scored, solved_step=solved_step, chance=task.chance(task.lengths)),
        "Scores during training; the markers are validations on sequences that were not used in training.",
        "A curve of each score over training.",
    )


def _curve(curve: ScoreCurve, sequences: int) -> Illustration:
    label = curve.score.label.capitalize()
    return Illustration(
        figures.score_curve_figure(curve),
        f"{label} at each {curve.axis}, over {sequences:,} test sequences"
        + (", the dotted line is the chance level." if curve.chance is not None else "."),
        f"{label} over the {curve.axis}.",
    )


def _lengths(results: list[dict[str, Any]], task: Task, unit: str) -> Illustration:
    score = task.scored[-1]
    levels = {length: task.chance((length, length)) for length in (result["length"] for result in results)}
    chance = {length: level[score.name] for length, level in levels.items() if score.name in level}
    return Illustration(
        figures.score_by_length(results, score, trained=task.lengths, chance=chance),
        f"{score.label.capitalize()} by length, in {unit}; lengths of training are shaded"
        + (", the dotted line is the chance level." if chance else "."),
        f"{score.label.capitalize()} over the length of the sequence.",
    )


@torch.no_grad()
def _example(model: nn.Module, task: Task) -> str:
    """Return a short example with the network's output as text."""
    length = min(task.lengths[1], max(task.lengths[0], 6))
    lengths = (length, length) if task.available("example") is None else None
    batch = draw_batch(task, model, 0, 1, seed=0, split="example", lengths=lengths)
    inputs = batch.kind.move(batch.inputs, device=place_of(model)[0])
    outputs, _ = model(inputs, lengths=batch.lengths)
    return task.show(batch, outputs.cpu())


def _footer(run: Run, environment: Mapping[str, Any]) -> str:
    commit = f", commit {environment['commit']}" if environment.get("commit") else ""
    return f"memtape {environment.get('memtape')}{commit}; redrawn by `memtape report {run.folder}`"
