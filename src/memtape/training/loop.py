"""Loop: train a network on a task until it is solved, from initial weights or from a checkpoint."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

from memtape.core.batch import SequenceBatch
from memtape.core.manifest import DamagedError
from memtape.core.task import Task
from memtape.training.checkpoints import Checkpoint, Checkpoints
from memtape.training.compatibility import check_compatible
from memtape.training.draw_batch import draw_batch
from memtape.training.gradient import gradient
from memtape.training.interruption import Interruption
from memtape.training.key_penalty import add_key_penalty, penalty_at
from memtape.training.optim.closed_form import solve
from memtape.training.optim.linear_start import without_softmax
from memtape.training.optim.non_finite import NonFiniteError, first_non_finite
from memtape.training.optim.schedule import rate_at, teacher_at
from memtape.training.optim.vanishing_penalty import against_vanishing
from memtape.training.outcome import Outcome
from memtape.training.parallel.processes import Processes
from memtape.training.randomness import seed_generators
from memtape.training.settings import TrainSettings
from memtape.training.state import TrainingState
from memtape.training.validation import RestartWeights, validate

Record = dict[str, Any]


def train(
    model: nn.Module,
    task: Task,
    settings: TrainSettings,
    *,
    seed: int,
    on_record: Callable[[Record], None],
    on_step: Callable[[int, dict[str, float]], None],
    restart_weights: RestartWeights | None = None,
    processes: Processes | None = None,
    checkpoints: Checkpoints | None = None,
    resume_from: Checkpoint | None = None,
    interruption: Interruption | None = None,
) -> Outcome:
    """Train a network in place; afterwards it has the weights of its best validation.

    Args:
        model: the network, called as `model(inputs, lengths=...)`, with the state as second argument where one is carried;
            trained in place.
        task: the source of batches and scores.
        settings: the training settings.
        seed: seed of the data.
        on_record: receives every training and validation record; called in the first process only.
        on_step: receives the number of each completed step, its loss and scores; called in the first process only.
        restart_weights: returns the weights of a restart, by its number from 1 on; only used with `settings.restarts`.
        processes: the processes that train together; None means those that a launcher started, or only this one.
        checkpoints: where to save; with None, nothing is saved.
        resume_from: the checkpoint to continue from; None starts at step 0.
        interruption: a request to stop early, checked after each step.

    Returns:
        The outcome: steps, scores and seconds.

    Raises:
        NonFiniteError: a loss or a gradient is NaN or infinite; the message names the first module where it appears.
        LostProcessError: another process of the training run ended or failed.
        DamagedError: the checkpoint to continue from belongs to another training run.
        OSError: a checkpoint cannot be written.
        SettingsError: settings that do not fit the network, the task, or the number of processes.
        ValueError: `non_finite` is "rollback", but nothing is saved.
    """
    training = _Training(
        model,
        task,
        settings,
        seed=seed,
        processes=processes or Processes(settings),
        checkpoints=checkpoints,
        on_record=on_record,
    )
    with training.processes.reporting_lost_processes(), training.unwrapped_at_the_end():
        training.start(resume_from)
        while not training.state.done:
            scores = training.step()
            if scores is not None and training.processes.first:
                on_step(training.state.progress.step, scores)
            training.validate_if_due(restart_weights)
            interrupted = training.processes.any(interruption is not None and interruption.requested)
            training.save_if_due(at_once=interrupted)
            if interrupted and not training.state.done:
                return training.outcome(finished=False)
        return training.outcome(finished=True)


class _Training:
    """A training run in progress."""

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        settings: TrainSettings,
        *,
        seed: int,
        processes: Processes,
        checkpoints: Checkpoints | None,
        on_record: Callable[[Record], None],
    ):
        if settings.non_finite == "rollback" and checkpoints is None:
            raise ValueError(
                'non_finite is "rollback", but nothing is saved to roll back to; pass checkpoints or choose "skip"'
            )
        check_compatible(model, task, settings)
        self.model, self.task, self.settings, self.seed = model, task, settings, seed
        self.processes, self.checkpoints, self.on_record = processes, checkpoints, on_record
        self.state = TrainingState(model, task, settings, processes)

    @contextmanager
    def unwrapped_at_the_end(self) -> Iterator[None]:
        """Remove the wrappers of training from the network at the end, also after an error."""
        try:
            yield
        finally:
            self.state.network.unwrap()

    def start(self, checkpoint: Checkpoint | None) -> None:
        """Restore the state of a checkpoint, or save the initial state."""
        seed_generators(self.seed + self.processes.index)
        if checkpoint is not None:
            try:
                self.state.restore(checkpoint)
            except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
                reason = " ".join(str(error).split())[:300]
                raise DamagedError(
                    f"the checkpoint of step {checkpoint.progress.step} does not belong to this training run "
                    f"({type(error).__name__}: {reason}); restore the run's folder or train again"
                ) from error
        elif self.checkpoints is not None:
            self.checkpoints.save(self.state.checkpoint(), self.processes)

    def step(self) -> dict[str, float] | None:
        """Do one step and return its loss and scores, or None if it was skipped."""
        state, settings = self.state, self.settings
        network, progress = state.network, state.progress
        for group in network.optimizer.param_groups:
            group["lr"] = settings.learning_rate * rate_at(progress.own_step, settings)
        batch = draw_batch(
            self.task,
            self.model,
            progress.batch,
            settings.batch_size,
            seed=self.seed,
            lengths=state.lengths,
            run=network,
        )
        if settings.optimizer == "ridge":
            return self._solve(batch)
        network.optimizer.zero_grad()
        rows = settings.batch_size / self.processes.count
        with (
            against_vanishing(network.trained, settings.vanishing_penalty, rows=rows),
            without_softmax(self.model, progress.own_step < settings.linear_start_steps),
        ):
            scores, reached, own = gradient(
                network,
                self.task,
                batch,
                state.carried,
                settings=settings,
                processes=self.processes,
                teacher=teacher_at(progress.own_step, settings),
            )
        add_key_penalty(network, penalty_at(progress.own_step, settings))
        norm = network.clip()
        progress.step += 1
        progress.batch += 1
        if not (math.isfinite(scores["loss"]) and math.isfinite(norm)):
            network.gather()
            self._handle_non_finite(first_non_finite(self.model, self.task, own))
            return None
        network.optimizer.step()
        state.carried = reached
        progress.skipped_in_a_row = 0
        progress.add(gradient_norm=norm, **scores)
        return scores

    def _solve(self, batch: SequenceBatch) -> dict[str, float]:
        """Solve for the readout on one batch."""
        scores = solve(self.model, self.task, batch, self.settings)
        progress = self.state.progress
        progress.step += 1
        progress.batch += 1
        progress.add(**scores)
        return scores

    def _handle_non_finite(self, place: str) -> None:
        """Stop, skip the step, or roll back to the last checkpoint."""
        progress, limit = self.state.progress, self.settings.non_finite_limit
        if self.settings.non_finite == "stop":
            raise self._stopped(place)
        if self.settings.non_finite == "skip":
            progress.skipped += 1
            progress.skipped_in_a_row += 1
            if progress.skipped_in_a_row > limit:
                raise self._stopped(place, f"after {limit} skipped steps in a row")
            self._record("skip", {"place": place})
            return
        if progress.rollbacks == limit:
            raise self._stopped(place, f"after {limit} rollbacks to a checkpoint")
        assert self.checkpoints is not None
        checkpoint, _, damages = self.checkpoints.newest()
        if checkpoint is None:
            raise self._stopped(place, f"and every checkpoint is damaged ({'; '.join(damages)})")
        self._record("rollback", {"place": place, "back_to": checkpoint.progress.step})
        self.state.restore(checkpoint)
        restored = self.state.progress
        restored.batch, restored.rollbacks = progress.batch, progress.rollbacks + 1

    def _stopped(self, place: str, what_was_tried: str = "") -> NonFiniteError:
        """Record that the training run stops, and return the error that explains it."""
        self._record("stopped", {"place": place})
        return NonFiniteError(self.state.progress.step, place, what_was_tried)

    def validate_if_due(self, restart_weights: RestartWeights | None) -> None:
        """Record metrics and validate when they are due."""
        if not self.state.is_due(self.settings.validate_every):
            return
        if self.state.progress.count:
            rate = self.state.network.optimizer.param_groups[0]["lr"]
            self._record("train", {"learning_rate": rate, **self.state.progress.take_means()})
        validate(self.state, seed=self.seed, record=self._record, restart_weights=restart_weights)

    def save_if_due(self, *, at_once: bool) -> None:
        """Save a checkpoint when it is due, at the end, and on request."""
        every = self.settings.save_every or self.settings.validate_every
        if self.checkpoints is not None and (at_once or self.state.done or self.state.is_due(every)):
            self.checkpoints.save(self.state.checkpoint(), self.processes)

    def _record(self, kind: str, values: Mapping[str, Any]) -> None:
        step = self.state.progress.step
        progress = {"step": step, "sequences": step * self.settings.batch_size}
        if self.processes.first:
            self.on_record({"kind": kind, **progress, **values})

    def outcome(self, *, finished: bool) -> Outcome:
        """Return the outcome; a finished training run leaves the network with the weights of its best validation."""
        self.state.count_seconds()
        progress = self.state.progress
        if finished:
            self.model.load_state_dict(self.state.best_weights)
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
