"""Run record: read the experiment, the metrics and the result of a run in any state."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from memtape.catalog.options import options_of_record
from memtape.catalog.registry import UnknownNameError, find
from memtape.core.data_record import DataRecord
from memtape.core.given_path import given_path
from memtape.core.score import Score
from memtape.experiments.experiment import Experiment, ExperimentError
from memtape.experiments.run_folder.checkpoints import saved_step
from memtape.experiments.run_folder.data_of_run import record_in
from memtape.experiments.run_folder.folder import CONFIGURATION, ENVIRONMENT, EVALUATION, RESULT, Run, RunError
from memtape.experiments.run_folder.schema import KNOWN, SCORED, has_scores
from memtape.training.settings import TrainSettings


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """A run in any state: its experiment, metrics and result."""

    folder: Path
    experiment: Experiment
    begun: datetime
    environment: Mapping[str, Any]
    result: Mapping[str, Any] | None
    """The outcome; None if the run is not finished."""
    scored: tuple[Score, ...]
    """The scores of the task."""
    data: DataRecord | None
    """The data of training; None if the task is defined by its generator, or the data was not recorded."""
    evaluation: list[dict[str, Any]]
    """Scores by length; empty if the run is not finished."""
    records: list[dict[str, Any]]
    """Metrics that were written so far."""
    stop: str | None
    """The step and the reason of a stop; None if training did not stop."""

    @classmethod
    def read(cls, folder: Path) -> "RunRecord":
        """Read a run.

        Raises:
            RunError: there is no run, or a file is damaged.
            PluginError: a plugin of the run is missing or cannot be imported.
        """
        run = Run(folder)
        folder = run.folder
        if not (folder / CONFIGURATION).is_file() and not run.finished:
            raise RunError(
                f"{folder} has no {CONFIGURATION}, so it is not a run folder; `memtape runs list` lists run folders"
            )
        try:
            config = run.read(CONFIGURATION)
            experiment = Experiment.from_config(config)
            find("model", experiment.model)
            scored = find("task", experiment.task).load().scored
        except (ExperimentError, UnknownNameError) as error:
            raise RunError(f"{folder} is not a run of this version of memtape: {error}") from None
        result = _read_if_there(run, RESULT)
        evaluation = _read_if_there(run, EVALUATION) or []
        records = [record for record in run.records() if record["kind"] in KNOWN]
        names = [score.name for score in scored]
        scored_values = [*evaluation, *(record for record in records if record["kind"] in SCORED)]
        if not all(has_scores(values, names) for values in [*scored_values, *([result["scores"]] if result else [])]):
            raise RunError(
                f"{folder} lacks the scores of {experiment.task} ({', '.join(names)}) in its files; "
                "restore them or train again"
            )
        return cls(
            folder=folder,
            experiment=experiment,
            begun=datetime.fromtimestamp((folder / CONFIGURATION).stat().st_mtime).astimezone(),
            environment=_read_if_there(run, ENVIRONMENT) or {},
            result=result,
            scored=scored,
            data=record_in(run, config),
            evaluation=evaluation,
            records=records,
            stop=run.stop(),
        )

    @property
    def steps(self) -> int:
        """The last step that has a record or a checkpoint."""
        return max([saved_step(Run(self.folder)), *(record["step"] for record in self.records[-1:])])

    def row(self) -> dict[str, Any]:
        """Return the run as a row: experiment, state and scores, those so far if it is not finished."""
        validations = [record for record in self.records if record["kind"] == "validation"]
        state = "finished" if self.result else "stopped" if self.stop else "unfinished"
        result = self.result or {"steps": self.steps}
        first = self.scored[0]
        best = min(validations, key=lambda record: first.cost(record[first.name]), default={})
        scores = result.get("scores", best)
        return {
            "model": self.experiment.model,
            "task": self.experiment.task,
            "seed": self.experiment.seed,
            "state": state,
            "steps": result["steps"],
            "solved": result.get("solved"),
            **{score.name: scores.get(score.name) for score in self.scored},
            "seconds": result.get("seconds"),
        }

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Return the options that differ from the defaults of the constructors, each with value and default."""
        known = {
            "model": find("model", self.experiment.model).options,
            "task": find("task", self.experiment.task).options,
            "train": options_of_record(TrainSettings),
        }
        defaults = {f"{part}.{option.name}": option.default for part, options in known.items() for option in options}
        own = self.experiment.options()
        return {name: (own[name], value) for name, value in defaults.items() if name in own and own[name] != value}


def run_folders(folder: Path) -> Iterator[Path]:
    """Yield the run folders below a folder, at any depth, in the order of their names; a run folder is its own.

    Raises:
        RunError: the folder does not exist.
    """
    folder = given_path(folder)
    if not folder.is_dir():
        raise RunError(f"there is no folder {folder}; give one with run folders in it")
    if (folder / CONFIGURATION).is_file():
        yield folder
        return
    for below in sorted(path for path in folder.iterdir() if path.is_dir()):
        yield from run_folders(below)


def _read_if_there(run: Run, name: str) -> Any:
    """Return the contents of a file of a run, or None if it was not written yet."""
    return run.read(name) if run.finished or (run.folder / name).is_file() else None
