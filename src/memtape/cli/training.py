"""What a person sees while a network trains."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from memtape.recipes.experiment import Experiment
from memtape.recipes.running import train_run
from memtape.training.runs import default_folder


def carry_out(experiment: Experiment, out: Path | None) -> int:
    """Train an experiment before the user's eyes, and return the exit code."""
    folder = out or default_folder(experiment.model, experiment.task, experiment.seed)
    console = Console(stderr=True)
    with _Display(experiment, console) as display:
        run, outcome, results = train_run(experiment, folder, record=display.record, watch=display.watch)
    verdict = "not solved" if outcome.solved_step is None else f"solved after {outcome.solved_step} updates"
    print(f"{verdict}; {outcome.steps} updates, {outcome.sequences} sequences, {outcome.seconds:.0f} s of training")
    results_table(results)
    print(f"run    {run.folder}\nreport {run.report_file}")
    return 0


def results_table(results: Sequence[dict[str, Any]]) -> None:
    """Print scores by length, one line for each."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in results[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for result in results:
        table.add_row(*(f"{value:.2f}" if isinstance(value, float) else str(value) for value in result.values()))
    Console().print(table)


class _Display:
    """A progress bar on a terminal, plain lines elsewhere."""

    def __init__(self, experiment: Experiment, console: Console):
        self.console = console
        self.batch_size, self.steps = experiment.train.batch_size, experiment.train.steps
        self.begun = time.perf_counter()
        self.progress = Progress(
            TextColumn(f"{experiment.model} {experiment.task}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]:.4f}  {task.fields[bits]:7.2f} bits  {task.fields[rate]:4.0f} seq/s"),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self.bar = self.progress.add_task("", total=experiment.train.steps, loss=0.0, bits=0.0, rate=0.0)

    def __enter__(self) -> "_Display":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def watch(self, step: int, scores: dict[str, float]) -> None:
        rate = step * self.batch_size / (time.perf_counter() - self.begun)
        self.progress.update(self.bar, completed=step, loss=scores["loss"], bits=scores["cost_bits"], rate=rate)

    def record(self, values: dict[str, Any]) -> None:
        """Print a line for each validation and each new beginning."""
        if values["kind"] == "validation":
            self.console.print(
                f"update {values['step']:6d}  {values['sequences']:8d} sequences  {values['seconds']:7.1f} s  "
                f"validation: {values['cost_bits']:8.3f} bits, {values['wrong_bits']:7.2f} wrong",
                highlight=False,
                soft_wrap=True,
            )
        elif values["kind"] == "restart":
            self.progress.update(self.bar, total=values["step"] + self.steps)
            self.console.print(
                f"update {values['step']:6d}  stuck; beginning again with other weights", highlight=False
            )
