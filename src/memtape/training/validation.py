"""Validation: score a network in training, and decide whether it is the best, solved, stuck, or ready to grow."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from memtape.training.evaluation import evaluate
from memtape.training.state import TrainingState

RestartWeights = Callable[[int], Mapping[str, Tensor]]
"""Function that returns the weights of a restart, by its number from 1 on."""


def validate(
    state: TrainingState,
    *,
    seed: int,
    record: Callable[[str, Mapping[str, Any]], None],
    restart_weights: RestartWeights | None,
) -> None:
    """Score the network, and decide whether it is the best so far, solved, stuck, or ready for longer sequences.

    Args:
        state: the state of the training run; changed in place.
        seed: seed of the data.
        record: receives kinds of records and their values.
        restart_weights: returns the weights that a stuck training run restarts from; None for no restarts.
    """
    task, settings, progress = state.task, state.settings, state.progress
    state.network.gather()
    growing = state.growing_to
    scores = evaluate(
        state.model,
        task,
        sequences=settings.validation_sequences,
        seed=seed,
        split="validation",
        lengths=None if growing is None else (growing, growing),
        processes=state.processes,
    )
    now = {} if settings.curriculum_score is None else {"longest": state.lengths[1]}
    record("validation", {**now, **scores})
    first, judge = task.scored[0], task.scored[-1]
    if progress.best is None or first.reaches(scores[first.name], progress.best[first.name]):
        state.keep_as_best(scores)
    goal = task.solved_at if settings.solved_score is None else settings.solved_score
    solved = growing is None and goal is not None and judge.reaches(scores[judge.name], goal)
    progress.solved_in_a_row = progress.solved_in_a_row + 1 if solved else 0
    if progress.solved_in_a_row == settings.solved_validations and progress.solved_step is None:
        progress.solved_step = progress.step
    looked_at = progress.own_step == settings.restart_after
    least = task.stuck_at if settings.restart_score is None else settings.restart_score
    stuck = looked_at and least is not None and not judge.reaches(scores[judge.name], least)
    pass_mark = math.nan if settings.curriculum_score is None else settings.curriculum_score
    if stuck and progress.restarts < settings.restarts and restart_weights is not None and not state.done:
        progress.restarts += 1
        record("restart", {"restarts": progress.restarts})
        state.restart(restart_weights(progress.restarts))
    elif growing is not None and judge.reaches(scores[judge.name], pass_mark) and not state.done:
        state.lengthen()
