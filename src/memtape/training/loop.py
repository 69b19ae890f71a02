"""Loop: train a network on a task until it is solved, from the beginning or from a checkpoint."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from memtape.core import tree
from memtape.core.batch import SequenceBatch
from memtape.core.manifest import DamagedError
from memtape.core.task import Task
from memtape.training.checkpoints import Checkpoint, Checkpoints, ProcessShare
from memtape.training.closed_form import solve
from memtape.training.evaluation import evaluate
from memtape.training.fit import check_fit
from memtape.training.interruption import Interruption
from memtape.training.network import Network
from memtape.training.non_finite import NonFiniteError, first_non_finite
from memtape.training.playing import batch_for
from memtape.training.processes import Processes
from memtape.training.progress import Progress
from memtape.training.randomness import random_states, restore_random_states, seed_generators
from memtape.training.replicas import Replicas
from memtape.training.schedule import lengths_at, rate_at, teacher_at
from memtape.training.settings import TrainSettings
from memtape.training.update import State, gradient
from memtape.training.vanishing import against_vanishing

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a training ended; the network holds the weights of its best validation."""

    finished: bool
    """Whether it came to its end; else it was interrupted and can be resumed."""
    solved: bool
    solved_step: int | None
    steps: int
    sequences: int
    seconds: float
    scores: dict[str, float]
    """Scores of the best validation."""
    restarts: int = 0
    """How often it began again; steps, sequences and seconds count all of it."""
    skipped: int = 0
    """Updates that were skipped because something was not finite."""
    rollbacks: int = 0


def train(
    model: nn.Module,
    task: Task,
    settings: TrainSettings,
    *,
    seed: int,
    record: Callable[[Record], None],
    watch: Callable[[int, dict[str, float]], None],
    other_weights: Callable[[int], Mapping[str, Tensor]] | None = None,
    processes: Processes | None = None,
    checkpoints: Checkpoints | None = None,
    resume_from: Checkpoint | None = None,
    interruption: Interruption | None = None,
) -> Outcome:
    """Train a network and leave it with the weights of its best validation, the one of least cost.

    Args:
        model: the network, called as `model(inputs, lengths=...)`, with the state as second argument where one is carried;
            trained in place.
        task: where batches and scores come from.
        settings: how to train.
        seed: seed of the data.
        record: receives every training and validation record as it comes, in the first process alone.
        watch: receives the number of each update that is done, and its loss and scores; in the first process alone.
        other_weights: returns the weights of a new beginning, by its number from 1 on; only used with `settings.restarts`.
        processes: the processes that train together; None means this one alone, or those that a launcher started.
        checkpoints: where to save; None saves nothing.
        resume_from: where to go on; None begins at the beginning.
        interruption: the wish to end early, looked at after each update.

    Returns:
        How it ended.

    Raises:
        NonFiniteError: a loss or a gradient that is NaN or infinite; names the first module where it appears.
        LostProcessError: another process of the training is gone.
        DamagedError: a checkpoint to go on from that is not of this training.
        OSError: a checkpoint cannot be written.
        SettingsError: settings that do not fit the network, the task, or the number of processes.
        ValueError: a rollback is asked for, but nothing is saved.
    """
    training = _Training(
        model,
        task,
        settings,
        seed=seed,
        processes=processes or Processes(settings),
        checkpoints=checkpoints,
        record=record,
    )
    with training.processes.watched():
        training.begin(resume_from)
        while not training.done:
            watched = training.update()
            if watched is not None and training.processes.first:
                watch(training.progress.step, watched)
            training.validate_if_due(other_weights)
            interrupted = training.processes.any(interruption is not None and interruption.asked)
            training.save_if_due(at_once=interrupted)
            if interrupted and not training.done:
                return training.outcome(finished=False)
        return training.outcome(finished=True)


class _Training:
    """A training as it goes on."""

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        settings: TrainSettings,
        *,
        seed: int,
        processes: Processes,
        checkpoints: Checkpoints | None,
        record: Callable[[Record], None],
    ):
        if settings.non_finite == "rollback" and checkpoints is None:
            raise ValueError(
                'non_finite is "rollback", but nothing is saved to roll back to; pass checkpoints or choose "skip"'
            )
        check_fit(model, task, settings)
        self.model, self.task, self.settings, self.seed = model, task, settings, seed
        self.processes, self.checkpoints, self.record = processes, checkpoints, record
        self.network = _network_for(model, settings, processes)
        self.progress = Progress()
        self.carried: State = None
        self.best_weights: dict[str, Tensor] = {}
        self.begun = time.perf_counter()

    def begin(self, checkpoint: Checkpoint | None) -> None:
        """Stand where a checkpoint stands, or save that nothing was done yet."""
        seed_generators(self.seed + self.processes.index)
        if checkpoint is not None:
            try:
                self._restore(checkpoint)
            except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
                reason = " ".join(str(error).split())[:300]
                raise DamagedError(
                    f"the checkpoint of update {checkpoint.progress.step} does not belong to this training "
                    f"({type(error).__name__}: {reason}); restore the run's folder or train again"
                ) from error
        elif self.checkpoints is not None:
            self._save(self.checkpoints)

    @property
    def done(self) -> bool:
        solved = self.settings.stop_when_solved and self.progress.solved_step is not None
        return solved or self.progress.own_step >= self.settings.steps

    @property
    def lengths(self) -> tuple[int, int]:
        """The shortest and the longest length that training draws now."""
        least, progress = self.task.shortest_length(), self.progress
        return lengths_at(progress.own_step, self.task.lengths, self.settings, least=least, passed=progress.passed)

    @property
    def growing_to(self) -> int | None:
        """The longest length now, if a curriculum by what is learned has it grow on, else None."""
        longest = self.lengths[1]
        return longest if self.settings.curriculum_score is not None and longest < self.task.lengths[1] else None

    def update(self) -> dict[str, float] | None:
        """Do one update and return its loss and scores, None if it was not done."""
        progress, settings = self.progress, self.settings
        for group in self.network.optimizer.param_groups:
            group["lr"] = settings.learning_rate * rate_at(progress.own_step, settings)
        batch = batch_for(
            self.task,
            self.model,
            progress.batch,
            settings.batch_size,
            seed=self.seed,
            lengths=self.lengths,
            run=self.network,
        )
        if settings.optimizer == "ridge":
            return self._solve(batch)
        self.network.optimizer.zero_grad()
        rows = settings.batch_size / self.processes.count
        with against_vanishing(self.network.trained, settings.vanishing_penalty, rows=rows):
            scores, reached, own = gradient(
                self.network,
                self.task,
                batch,
                self.carried,
                settings=settings,
                processes=self.processes,
                teacher=teacher_at(progress.own_step, settings),
            )
        norm = self.network.clip()
        progress.step += 1
        progress.batch += 1
        if not (math.isfinite(scores["loss"]) and math.isfinite(norm)):
            self.network.gather()
            self._meet_non_finite(first_non_finite(self.model, self.task, own))
            return None
        self.network.optimizer.step()
        self.carried = reached
        progress.skipped_in_a_row = 0
        progress.add(gradient_norm=norm, **scores)
        return scores

    def _solve(self, batch: SequenceBatch) -> dict[str, float]:
        """Solve for the readout on a batch."""
        scores = solve(self.model, self.task, batch, self.settings)
        self.progress.step += 1
        self.progress.batch += 1
        self.progress.add(**scores)
        return scores

    def _meet_non_finite(self, place: str) -> None:
        """Stop, skip the update, or go back to the last checkpoint."""
        progress, limit = self.progress, self.settings.non_finite_limit
        if self.settings.non_finite == "stop":
            raise self._stopped(place)
        if self.settings.non_finite == "skip":
            progress.skipped += 1
            progress.skipped_in_a_row += 1
            if progress.skipped_in_a_row > limit:
                raise self._stopped(place, f"after {limit} updates in a row that were skipped for it")
            self._record("skip", {"place": place})
            return
        if progress.rollbacks == limit:
            raise self._stopped(place, f"after {limit} returns to a checkpoint")
        assert self.checkpoints is not None
        checkpoint, _, damages = self.checkpoints.newest()
        if checkpoint is None:
            raise self._stopped(place, f"and no checkpoint is sound ({'; '.join(damages)})")
        self._record("rollback", {"place": place, "back_to": checkpoint.progress.step})
        self._restore(checkpoint)
        self.progress.batch, self.progress.rollbacks = progress.batch, progress.rollbacks + 1

    def _stopped(self, place: str, what_was_tried: str = "") -> NonFiniteError:
        """Record that the training stops, and return why."""
        self._record("stopped", {"place": place})
        return NonFiniteError(self.progress.step, place, what_was_tried)

    def validate_if_due(self, other_weights: Callable[[int], Mapping[str, Tensor]] | None) -> None:
        """Record and validate on the beat and at the end, and begin again if the training is stuck."""
        progress, settings = self.progress, self.settings
        if not self._on_beat(settings.validate_every):
            return
        if progress.count:
            rate = self.network.optimizer.param_groups[0]["lr"]
            self._record("train", {"learning_rate": rate, **progress.take_means()})
        self.network.gather()
        growing = self.growing_to
        scores = evaluate(
            self.model,
            self.task,
            sequences=settings.validation_sequences,
            seed=self.seed,
            split="validation",
            lengths=None if growing is None else (growing, growing),
            processes=self.processes,
        )
        now = {} if settings.curriculum_score is None else {"longest": self.lengths[1]}
        self._record("validation", {**now, **scores})
        first, judge = self.task.scored[0], self.task.scored[-1]
        if progress.best is None or first.reaches(scores[first.name], progress.best[first.name]):
            progress.best, progress.best_step = scores, progress.step
            self.best_weights = {name: value.clone() for name, value in self.model.state_dict().items()}
        goal = self.task.solved_at if settings.solved_score is None else settings.solved_score
        solved = growing is None and goal is not None and judge.reaches(scores[judge.name], goal)
        progress.solved_in_a_row = progress.solved_in_a_row + 1 if solved else 0
        if progress.solved_in_a_row == settings.solved_validations and progress.solved_step is None:
            progress.solved_step = progress.step
        looked_at = progress.own_step == settings.restart_after
        least = self.task.stuck_at if settings.restart_score is None else settings.restart_score
        stuck = looked_at and least is not None and not judge.reaches(scores[judge.name], least)
        if stuck and progress.restarts < settings.restarts and other_weights is not None and not self.done:
            progress.restarts += 1
            self._record("restart", {"restarts": progress.restarts})
            self.network.load(other_weights(progress.restarts))
            self.network.optimizer.state.clear()
            self.carried, self.best_weights = None, {}
            progress.begun_at, progress.best, progress.solved_in_a_row, progress.passed = progress.step, None, 0, 0
        elif growing is not None and judge.reaches(scores[judge.name], self._pass_mark) and not self.done:
            progress.passed += 1
            progress.best, self.best_weights = None, {}

    @property
    def _pass_mark(self) -> float:
        return math.nan if self.settings.curriculum_score is None else self.settings.curriculum_score

    def _on_beat(self, every: int) -> bool:
        return self.progress.own_step % every == 0 or self.progress.own_step == self.settings.steps

    def save_if_due(self, *, at_once: bool) -> None:
        """Save on the beat, at the end, and when it is wished."""
        every = self.settings.save_every or self.settings.validate_every
        if self.checkpoints is not None and (at_once or self.done or self._on_beat(every)):
            self._save(self.checkpoints)

    def _save(self, checkpoints: Checkpoints) -> None:
        self._count_seconds()
        self.network.gather()
        random_tensors, random_plain = random_states()
        carried = {} if self.carried is None else tree.named_tensors(tree.move(self.carried, device="cpu"))
        share = ProcessShare(
            tensors={
                **{f"random.{name}": value for name, value in random_tensors.items()},
                **{f"carried.{name}": value for name, value in carried.items()},
            },
            plain=random_plain,
        )
        checkpoints.save(
            Checkpoint(
                weights=self.model.state_dict(),
                best_weights=self.best_weights,
                optimizer=self.network.remembered(),
                progress=self.progress,
                shares=(share,),
            ),
            self.processes,
        )

    def _restore(self, checkpoint: Checkpoint) -> None:
        self.network.load(checkpoint.weights)
        self.network.remember(checkpoint.optimizer)
        self._check_like_weights(checkpoint.best_weights)
        if (best := checkpoint.progress.best) is not None and not best.keys() >= {s.name for s in self.task.scored}:
            raise ValueError("its best validation has not the scores of this task")
        self.progress = replace(checkpoint.progress, seconds=max(self.progress.seconds, checkpoint.progress.seconds))
        self.best_weights = dict(checkpoint.best_weights)
        self.carried = self._own_rows(checkpoint.shares)
        if self.processes.index < len(checkpoint.shares):
            share = checkpoint.shares[self.processes.index]
            tensors = {name.removeprefix("random."): value for name, value in share.tensors.items()}
            restore_random_states(tensors, dict(share.plain))

    def _check_like_weights(self, best: Mapping[str, Tensor]) -> None:
        """Raise ValueError unless the best weights are of this network, or there are none yet."""
        kinds = {name: (value.shape, value.dtype) for name, value in self.model.state_dict().items()}
        if best and {name: (value.shape, value.dtype) for name, value in best.items()} != kinds:
            raise ValueError("its best weights are those of another network")

    def _own_rows(self, shares: Sequence[ProcessShare]) -> State:
        """Return this process's rows of the carried state, whatever the number of processes that saved it."""
        names = [name for name in shares[0].tensors if name.startswith("carried.")]
        if not names:
            return None
        first, last = self.processes.share(self.settings.batch_size)
        rows = {
            name.removeprefix("carried."): torch.cat([s.tensors[name] for s in shares])[first:last] for name in names
        }
        example = self.model.init_state(last - first)  # type: ignore[operator]
        carried = tree.from_named_tensors(rows, example)
        kinds = [[(leaf.shape, leaf.dtype) for leaf in tree.leaves(state)] for state in (carried, example)]
        if kinds[0] != kinds[1]:
            raise ValueError("the state that it carries is one of another network or batch size")
        return tree.move(carried, device=self.processes.accelerator.device)

    def _record(self, kind: str, values: Mapping[str, Any]) -> None:
        progress = {"step": self.progress.step, "sequences": self.progress.step * self.settings.batch_size}
        if self.processes.first:
            self.record({"kind": kind, **progress, **values})

    def _count_seconds(self) -> None:
        now = time.perf_counter()
        self.progress.seconds += now - self.begun
        self.begun = now

    def outcome(self, *, finished: bool) -> Outcome:
        """Say how it ended; at its end the network gets the weights of its best validation."""
        self._count_seconds()
        progress = self.progress
        if finished:
            self.network.release()
            self.model.load_state_dict(self.best_weights)
        return Outcome(
            finished=finished,
            solved=progress.solved_step is not None,
            solved_step=progress.solved_step,
            steps=progress.step,
            sequences=progress.step * self.settings.batch_size,
            seconds=progress.seconds,
            scores=progress.best or {},
            restarts=progress.restarts,
            skipped=progress.skipped,
            rollbacks=progress.rollbacks,
        )


def _network_for(model: nn.Module, settings: TrainSettings, processes: Processes) -> Network:
    """Return a network in the form in which the processes hold it."""
    if settings.parallel == "fsdp" and processes.count > 1:
        from memtape.training.shards import Shards

        return Shards(model, settings, processes)
    return Replicas(model, settings, processes)
