"""What a person sees while a network trains."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from memtape.catalog.registry import find
from memtape.core.score import Score
from memtape.experiments.expectation import expectation
from memtape.experiments.experiment import Experiment
from memtape.experiments.run import resume_run, train_run
from memtape.experiments.run_folder.folder import Run, default_folder
from memtape.training.interruption import interruption
from memtape.training.outcome import Outcome
from memtape.training.parallel.processes import Processes


def carry_out(experiment: Experiment, out: Path | None) -> int:
    """Train an experiment before the user's eyes, and return the exit code."""
    experiment.build()  # what cannot be built is told before processes look for one another
    processes = Processes(experiment.train)
    folder = out or Path(processes.agree_on(str(default_folder(experiment.model, experiment.task, experiment.seed))))
    with interruption() as wish, _Display() as display:
        if processes.first:
            display.begin(experiment)
            if (line := expectation(experiment)) is not None:
                display.tell(line)
        run, outcome = train_run(
            experiment, folder, record=display.record, watch=display.watch, processes=processes, interruption=wish
        )
    return _tell(run, outcome) if display.shown else 0


def carry_on(folder: Path) -> int:
    """Go on with a run before the user's eyes, and return the exit code."""
    with interruption() as wish, _Display() as display:
        run, outcome = resume_run(
            folder,
            begin=display.begin,
            record=display.record,
            watch=display.watch,
            tell=display.tell,
            interruption=wish,
        )
    if outcome is None:
        print(f"the training in {folder} had come to its end; there is nothing to go on with")
        return 0
    return _tell(run, outcome) if display.shown else 0


def _tell(run: Run, outcome: Outcome) -> int:
    """Print how a training ended."""
    if not outcome.finished:
        print(f"ended early, saved at update {outcome.steps}; go on with `memtape resume {run.folder}`")
        return 0
    verdict = "not solved" if outcome.solved_step is None else f"solved after {outcome.solved_step} updates"
    print(f"{verdict}; {outcome.steps} updates, {outcome.sequences} sequences, {outcome.seconds:.0f} s of training")
    results_table(run.read("evaluation.json"))
    print(f"run    {run.folder}\nreport {run.report_file}")
    return 0


def results_table(results: Sequence[dict[str, Any]]) -> None:
    """Print scores by length, one line for each."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in results[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for result in results:
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in result.values()))
    Console().print(table)


def _told(scored: Sequence[Score], values: Mapping[str, Any]) -> str:
    return ", ".join(f"{values[score.name]:8.3f} {score.short}" for score in scored)


class _Display:
    """A progress bar on a terminal, plain lines elsewhere; nothing in processes that do not begin it."""

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

    def __enter__(self) -> "_Display":
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def begin(self, experiment: Experiment, step: int = 0) -> None:
        """Show an experiment of which so many updates are done."""
        self.shown = True
        self.scored = find("task", experiment.task).load().scored
        self.progress.start()
        self.batch_size, self.steps = experiment.train.batch_size, experiment.train.steps
        self.first, self.begun = step, time.perf_counter()
        self.bar = self.progress.add_task(
            f"{experiment.model} {experiment.task}", total=self.steps, completed=step, loss=0.0, score="", rate=0.0
        )

    def watch(self, step: int, scores: dict[str, float]) -> None:
        """Move the bar to an update."""
        rate = (step - self.first) * self.batch_size / (time.perf_counter() - self.begun)
        told = _told(self.scored[:1], scores)
        self.progress.update(self.bar, completed=step, loss=scores["loss"], score=told, rate=rate)

    def record(self, values: dict[str, Any]) -> None:
        """Print a line for each validation and for everything out of the ordinary."""
        place = f"update {values['step']:6d}"
        if values["kind"] == "validation":
            self.tell(
                f"{place}  {values['sequences']:8d} sequences  {time.perf_counter() - self.begun:7.1f} s  "
                f"validation: {_told(self.scored, values)}",
            )
        elif values["kind"] == "restart":
            self.progress.update(self.bar, total=values["step"] + self.steps)
            self.tell(f"{place}  stuck; beginning again with other weights")
        elif values["kind"] == "skip":
            self.tell(f"{place}  skipped, as {values['place']} is not finite")
        elif values["kind"] == "rollback":
            self.tell(f"{place}  back to update {values['back_to']}, as {values['place']} is not finite")

    def tell(self, sentence: str) -> None:
        """Print a line above the bar."""
        self.console.print(sentence, highlight=False, markup=False, soft_wrap=True)
