"""Progress display: a bar and a line for each validation while a network trains, and the result at the end."""

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from memtape.catalog.registry import find
from memtape.cli.table import print_table, spaced
from memtape.cli.terminal import print_visible, visible
from memtape.core.missing_kernels import MissingKernelsWarning
from memtape.core.score import Score
from memtape.experiments.experiment import Experiment
from memtape.experiments.run_folder.folder import EVALUATION, Run
from memtape.training.outcome import Outcome


def print_outcome(run: Run, outcome: Outcome) -> None:
    """Print the outcome of a training run, its scores by length, and its files."""
    if not outcome.finished:
        print_visible(f"ended early, saved at step {outcome.steps}; continue with `memtape resume {run.folder}`")
        return
    verdict = "not solved" if outcome.solved_step is None else f"solved after {outcome.solved_step} steps"
    print_visible(
        f"{verdict}; {outcome.steps} steps, {outcome.sequences} sequences, {outcome.seconds:.0f} s of training"
    )
    print_table([spaced(result) for result in run.read(EVALUATION)])
    print_visible(f"run    {run.folder}\nreport {run.report_file}")


class ProgressDisplay:
    """A progress bar on a terminal, plain lines elsewhere; shows nothing until it is started.

    Attributes:
        shown: whether this process started it.
    """

    def __init__(self) -> None:
        self.shown = False
        self.console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]:.4f}  {task.fields[score]}  {task.fields[rate]:4.0f} seq/s"),
            TimeRemainingColumn(compact=True),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )

    def __enter__(self) -> "ProgressDisplay":
        self.show_warning, warnings.showwarning = warnings.showwarning, self._show_warning
        return self

    def __exit__(self, *_: object) -> None:
        warnings.showwarning = self.show_warning
        self.progress.stop()

    def _show_warning(self, message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
        """Print the warning of missing kernels as a line of the display; only one of several processes prints it."""
        if not issubclass(category, MissingKernelsWarning):
            self.show_warning(message, category, *place, **options)
        elif self.shown:
            self.print(str(message))

    def start(self, experiment: Experiment, step: int = 0) -> None:
        """Start the display of an experiment, from a given number of completed steps."""
        self.shown = True
        self.scored = find("task", experiment.task).load().scored
        self.progress.start()
        self.batch_size, self.steps = experiment.train.batch_size, experiment.train.steps
        self.first_step, self.started = step, time.perf_counter()
        self.bar = self.progress.add_task(
            f"{experiment.model} {experiment.task}", total=self.steps, completed=step, loss=0.0, score="", rate=0.0
        )

    def on_step(self, step: int, scores: dict[str, float]) -> None:
        """Move the bar to a step."""
        rate = (step - self.first_step) * self.batch_size / (time.perf_counter() - self.started)
        score = _in_words(self.scored[:1], scores)
        self.progress.update(self.bar, completed=step, loss=scores["loss"], score=score, rate=rate)

    def on_record(self, values: dict[str, Any]) -> None:
        """Print a line for each validation, restart, skipped step and rollback."""
        place = f"step {values['step']:6d}"
        if values["kind"] == "validation":
            self.print(
                f"{place}  {values['sequences']:8d} sequences  {time.perf_counter() - self.started:7.1f} s  "
                f"validation: {_in_words(self.scored, values)}",
            )
        elif values["kind"] == "restart":
            self.progress.update(self.bar, total=values["step"] + self.steps)
            self.print(f"{place}  stuck; restarting with other weights")
        elif values["kind"] == "skip":
            self.print(f"{place}  skipped, as {values['place']} is not finite")
        elif values["kind"] == "rollback":
            self.print(f"{place}  back to step {values['back_to']}, as {values['place']} is not finite")

    def print(self, sentence: str) -> None:
        """Print a line above the bar."""
        self.console.print(visible(sentence), highlight=False, markup=False, soft_wrap=True)


def _in_words(scored: Sequence[Score], values: Mapping[str, Any]) -> str:
    return ", ".join(f"{values[score.name]:8.3f} {score.short}" for score in scored)
