"""Learning figure: the scores of a training run over its sequences, from its records."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from memtape.core.task import Task
from memtape.experiments.run_folder.schema import SCORED
from memtape.viz.learning_curve import learning_curve


def learning_figure(
    records: Sequence[Mapping[str, Any]], task: Task, *, solved_step: int | None, title: str = ""
) -> Figure:
    """Draw the learning curve of a training run.

    Args:
        records: its records.
        task: its task.
        solved_step: the step at which the task was solved; None if it was not.
        title: a line above the panels.

    Raises:
        ValueError: training ended before its first validation.
    """
    if not any(record["kind"] in SCORED for record in records):
        raise ValueError(
            "there is nothing to draw, as training ended before its first validation; train longer, or lower validate_every"
        )
    return learning_curve(records, task.scored, title=title, solved_step=solved_step, chance=task.chance(task.lengths))
