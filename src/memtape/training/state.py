"""Training state: network, optimiser, counters and carried state of a training run, to save and to resume from."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from memtape.core import state_tree
from memtape.core.task import Task
from memtape.training.checkpoints import Checkpoint, ProcessShare
from memtape.training.gradient import State
from memtape.training.optim.schedule import lengths_at
from memtape.training.parallel.network import Network
from memtape.training.parallel.processes import Processes
from memtape.training.parallel.replicas import Replicas
from memtape.training.progress import Progress
from memtape.training.randomness import random_states, restore_random_states
from memtape.training.settings import TrainSettings


class TrainingState:
    """The state of a training run, with everything that it needs to continue.

    Args:
        model: the network.
        task: the task.
        settings: the training settings.
        processes: the processes that train it.

    Attributes:
        network: the network in its replicated or sharded form, with its optimiser.
        progress: counters and scores.
        carried: state that the next batch starts from; None for the initial state.
        best_weights: the weights of the best validation; empty before the first.
    """

    def __init__(self, model: nn.Module, task: Task, settings: TrainSettings, processes: Processes):
        self.model, self.task, self.settings, self.processes = model, task, settings, processes
        self.network = _network_for(model, settings, processes)
        self.progress = Progress()
        self.carried: State = None
        self.best_weights: dict[str, Tensor] = {}
        self.counted_to = time.perf_counter()

    @property
    def done(self) -> bool:
        """Whether the training run reached its end."""
        solved = self.settings.stop_when_solved and self.progress.solved_step is not None
        return solved or self.progress.own_step >= self.settings.steps

    @property
    def lengths(self) -> tuple[int, int]:
        """The current shortest and longest length of training sequences."""
        least, progress = self.task.shortest_length(), self.progress
        return lengths_at(progress.own_step, self.task.lengths, self.settings, least=least, passed=progress.passed)

    @property
    def growing_to(self) -> int | None:
        """The current longest length while a curriculum by score still raises it, else None."""
        longest = self.lengths[1]
        return longest if self.settings.curriculum_score is not None and longest < self.task.lengths[1] else None

    def lengthen(self) -> None:
        """Raise the longest training length of a curriculum by score to the next one with validation sequences."""
        self.progress.passed += 1
        while (longest := self.growing_to) and not self._validated_at(longest):
            self.progress.passed += 1
        self.forget_best()

    def is_due(self, every: int) -> bool:
        """Return whether an action that happens every `every` steps and at the end is due."""
        return self.progress.own_step % every == 0 or self.progress.own_step == self.settings.steps

    def keep_as_best(self, scores: dict[str, float]) -> None:
        """Save the current weights as those of the best scores so far."""
        self.progress.best, self.progress.best_step = scores, self.progress.step
        self.best_weights = {name: value.clone() for name, value in self.model.state_dict().items()}

    def forget_best(self) -> None:
        """Let the next validation be the best, whatever its scores."""
        self.progress.best, self.best_weights = None, {}

    def restart(self, weights: Mapping[str, Tensor]) -> None:
        """Restart from other weights; only the sequence of batches continues."""
        self.network.load_weights(weights)
        self.network.optimizer.state.clear()
        self.carried = None
        self.forget_best()
        self.progress.begun_at, self.progress.solved_in_a_row, self.progress.passed = self.progress.step, 0, 0

    def count_seconds(self) -> None:
        """Add the time since the last call."""
        now = time.perf_counter()
        self.progress.seconds += now - self.counted_to
        self.counted_to = now

    def checkpoint(self) -> Checkpoint:
        """Return everything that is needed to continue from here."""
        self.count_seconds()
        self.network.gather()
        random_tensors, random_plain = random_states()
        carried = {} if self.carried is None else state_tree.named_tensors(state_tree.move(self.carried, device="cpu"))
        share = ProcessShare(
            tensors={
                **{f"random.{name}": value for name, value in random_tensors.items()},
                **{f"carried.{name}": value for name, value in carried.items()},
            },
            plain=random_plain,
        )
        return Checkpoint(
            weights=self.model.state_dict(),
            best_weights=self.best_weights,
            optimizer=self.network.optimizer_state(),
            progress=self.progress,
            shares=(share,),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore the state of a checkpoint; errors of many types mean that it belongs to another training run."""
        self.network.load_weights(checkpoint.weights)
        self.network.load_optimizer_state(checkpoint.optimizer)
        self._check_like_weights(checkpoint.best_weights)
        if (best := checkpoint.progress.best) is not None and not best.keys() >= {s.name for s in self.task.scored}:
            raise ValueError("its best validation lacks a score of this task")
        self.progress = replace(checkpoint.progress, seconds=max(self.progress.seconds, checkpoint.progress.seconds))
        self.best_weights = dict(checkpoint.best_weights)
        self.carried = self._own_rows(checkpoint.shares)
        if self.processes.index < len(checkpoint.shares):
            share = checkpoint.shares[self.processes.index]
            tensors = {name.removeprefix("random."): value for name, value in share.tensors.items()}
            restore_random_states(tensors, dict(share.plain))

    def _validated_at(self, length: int) -> bool:
        return self.task.available_within("validation", (length, length)) != 0

    def _check_like_weights(self, best: Mapping[str, Tensor]) -> None:
        """Raise ValueError unless the best weights are of this network, or there are none yet."""
        kinds = {name: (value.shape, value.dtype) for name, value in self.model.state_dict().items()}
        if best and {name: (value.shape, value.dtype) for name, value in best.items()} != kinds:
            raise ValueError("its best weights belong to another network")

    def _own_rows(self, shares: Sequence[ProcessShare]) -> State:
        """Return this process's rows of the carried state, for any number of processes that saved it."""
        names = [name for name in shares[0].tensors if name.startswith("carried.")]
        if not names:
            return None
        first, last = self.processes.share(self.settings.batch_size)
        rows = {
            name.removeprefix("carried."): torch.cat([s.tensors[name] for s in shares])[first:last] for name in names
        }
        example = self.model.init_state(last - first)  # type: ignore[operator]
        carried = state_tree.from_named_tensors(rows, example)
        kinds = [[(leaf.shape, leaf.dtype) for leaf in state_tree.leaves(state)] for state in (carried, example)]
        if kinds[0] != kinds[1]:
            raise ValueError("its carried state belongs to another network or batch size")
        return state_tree.move(carried, device=self.processes.accelerator.device)


def _network_for(model: nn.Module, settings: TrainSettings, processes: Processes) -> Network:
    """Return a network in its replicated or sharded form."""
    if settings.parallel == "fsdp" and processes.count > 1:
        from memtape.training.parallel.shards import Shards

        return Shards(model, settings, processes)
    return Replicas(model, settings, processes)
