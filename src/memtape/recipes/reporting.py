"""Reporting: turn a finished run into figures and a page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from memtape.core.task import Task
from memtape.recipes.experiment import Experiment
from memtape.recipes.inspection import tape_of
from memtape.recipes.registry import MODELS, TASKS
from memtape.training.runs import Run
from memtape.viz import figures
from memtape.viz.report import Example, Illustration, Section, Table, write_report


def write_run_report(run: Run, experiment: Experiment, model: nn.Module, task: Task) -> Path:
    """Draw the figures of a run, as PNG and SVG, and its report.html; return the report's file.

    Args:
        run: a run folder with its metrics, result and evaluation.
        experiment: what was run.
        model: the trained network.
        task: the task that it was trained on.
    """
    outcome, results, environment = (run.read(f"{name}.json") for name in ("result", "evaluation", "environment"))
    records = run.records()
    entry = TASKS[experiment.task]
    guess = {length: _scored_bits(task, (length, length)) for length in (result["length"] for result in results)}
    learning = figures.learning_curve(
        records, solved_step=outcome["solved_step"], chance_bits=_scored_bits(task, task.lengths)
    )
    lengths = figures.wrong_bits_by_length(
        results, trained=task.lengths, chance={length: bits / 2 for length, bits in guess.items()}
    )
    drawn = {
        "learning": Illustration(
            learning,
            "Cost and wrong bits per sequence while training; the marks are validations on sequences of the training "
            "lengths that training never saw.",
            "Two curves that fall as training goes on.",
        ),
        "lengths": Illustration(
            lengths,
            f"Wrong bits per sequence by length, in {entry.unit}; lengths of training are shaded, the dotted line is a guess.",
            "Wrong bits over the length of the sequence.",
        ),
    }
    tape = tape_of(model, task, length=entry.picture_length, seed=experiment.seed)
    if tape is not None:
        drawn["tape"] = Illustration(
            figures.tape_figure(tape),
            f"One test sequence of {entry.picture_length} {entry.unit} as the network sees it, on one time axis: what goes in "
            "and comes out, what the heads add and read, and where they stand on the tape.",
            "Inputs, outputs, targets, adds, reads, write weights and read weights over time.",
        )
    for name, illustration in drawn.items():
        figures.save(illustration.figure, run.figures, name)

    verdict = f"Solved after {outcome['solved_step']} updates" if outcome["solved"] else "Not solved"
    return write_report(
        run.report_file,
        title=f"{experiment.model} on {experiment.task}",
        summary=f"{MODELS[experiment.model].summary} {entry.summary} {verdict}; "
        f"{outcome['sequences']:,} sequences in {outcome['seconds']:.0f} seconds of training.",
        facts={
            "seed": experiment.seed,
            "updates": f"{outcome['steps']:,}",
            "validation cost": f"{outcome['scores']['cost_bits']:.3g} bits",
            "validation wrong": f"{outcome['scores']['wrong_bits']:.3g} bits",
            "parameters": f"{sum(parameter.numel() for parameter in model.parameters()):,}",
        },
        sections=_sections(environment, experiment, drawn, results, _example(model, task)),
        footer=_footer(run, environment),
    )


def _sections(
    environment: Mapping[str, Any],
    experiment: Experiment,
    drawn: dict[str, Illustration],
    results: list[dict[str, Any]],
    example: str,
) -> list[Section]:
    columns = [name.replace("_", " ") for name in results[0]]
    by_length = Table("Scores by length", columns, [tuple(result.values()) for result in results])
    sections = [
        Section("Beyond the lengths of training", [drawn["lengths"], by_length]),
        Section("Learning", [drawn["learning"]]),
        Section("An example", [Example("A short sequence, and the answer of the network", example)]),
        Section(
            "Settings",
            [
                Table.of_settings("Model", experiment.model_options),
                Table.of_settings("Task", experiment.task_options),
                Table.of_settings("Training", experiment.config()["train"]),
                Table.of_settings("Environment", environment),
            ],
        ),
    ]
    if "tape" in drawn:
        sections.insert(0, Section("The tape", [drawn["tape"]]))
    return sections


@torch.no_grad()
def _example(model: nn.Module, task: Task) -> str:
    """Return a short example with the network's answer as text."""
    length = min(task.lengths[1], max(task.lengths[0], 6))
    batch = task.batch(0, 1, split="example", lengths=(length, length))
    outputs, _ = model(batch.inputs.to(next(model.parameters()).device), lengths=batch.lengths)
    return task.show(batch, outputs.cpu())


def _scored_bits(task: Task, lengths: tuple[int, int]) -> float:
    """Return the number of bits in an answer, as an average over a range of lengths."""
    batches = [task.batch(index, 8, split="example", lengths=lengths) for index in range(32)]
    return sum(float(batch.mask.sum()) for batch in batches) * task.output_size / (8 * len(batches))


def _footer(run: Run, environment: Mapping[str, Any]) -> str:
    commit = f", commit {environment['commit']}" if environment.get("commit") else ""
    return f"memtape {environment.get('memtape')}{commit}; made again by `memtape report {run.folder}`"
