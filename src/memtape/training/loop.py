"""Loop: train a network on a task until it is solved."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from memtape.core import tree
from memtape.core.task import Task
from memtape.training.evaluation import evaluate
from memtape.training.non_finite import NonFiniteError, first_non_finite
from memtape.training.schedule import lengths_at, optimizer_for, rate_at
from memtape.training.settings import TrainSettings

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a training ended; the network holds the weights of its best validation."""

    solved: bool
    solved_step: int | None
    steps: int
    sequences: int
    seconds: float
    scores: dict[str, float]
    """Scores of the best validation."""
    restarts: int = 0
    """How often it began again; steps, sequences and seconds count all of it."""


def train(
    model: nn.Module,
    task: Task,
    settings: TrainSettings,
    *,
    seed: int,
    record: Callable[[Record], None],
    watch: Callable[[int, dict[str, float]], None],
    other_weights: Callable[[int], Mapping[str, Tensor]] | None = None,
) -> Outcome:
    """Train a network and leave it with the weights of its best validation, the one of least cost.

    Args:
        model: the network, called as `model(inputs, lengths=...)`; trained in place.
        task: where batches and scores come from.
        settings: how to train.
        seed: seed of the data.
        record: receives every training and validation record as it comes.
        watch: receives the number of each update that is done, and its loss and scores.
        other_weights: returns the weights of a new beginning, by its number from 1 on; only used with `settings.restarts`.

    Returns:
        How it ended.

    Raises:
        NonFiniteError: a loss or a gradient that is NaN or infinite; names the first module where it appears.
    """
    accelerator = _accelerator(settings)
    optimizer = optimizer_for(model.parameters(), settings)
    network, optimizer = accelerator.prepare(model, optimizer)
    begun = time.perf_counter()
    recent = _Mean()
    best: dict[str, float] | None = None
    best_weights: dict[str, Tensor] = {}
    solved_in_a_row, solved_step, step, begun_at, restarts = 0, None, 0, 0, 0

    while step < begun_at + settings.steps:
        step += 1
        own_step = step - begun_at
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * rate_at(own_step - 1, settings)
        batch = task.batch(
            step - 1, settings.batch_size, seed=seed, lengths=lengths_at(own_step - 1, task.lengths, settings)
        )
        batch = tree.move(batch, device=accelerator.device)
        outputs, _ = network(batch.inputs, lengths=batch.lengths)
        loss = task.loss(outputs, batch)
        optimizer.zero_grad()
        accelerator.backward(loss)
        norm = _clip(accelerator, network, settings)
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            raise NonFiniteError(step, first_non_finite(model, batch))
        optimizer.step()
        scores = {"loss": loss.item(), **task.scores(outputs.detach(), batch)}
        recent.add(gradient_norm=norm.item(), **scores)
        watch(step, scores)

        if own_step % settings.validate_every and own_step != settings.steps:
            continue
        progress = {
            "step": step,
            "sequences": step * settings.batch_size,
            "seconds": round(time.perf_counter() - begun, 3),
        }
        record({"kind": "train", **progress, "learning_rate": optimizer.param_groups[0]["lr"], **recent.take()})
        scores = evaluate(network, task, sequences=settings.validation_sequences, seed=seed, split="validation")
        record({"kind": "validation", **progress, **scores})
        if best is None or scores["cost_bits"] <= best["cost_bits"]:
            best = scores
            best_weights = {name: value.clone() for name, value in model.state_dict().items()}
        solved_in_a_row = solved_in_a_row + 1 if scores["wrong_bits"] <= settings.solved_wrong_bits else 0
        if solved_in_a_row == settings.solved_validations and solved_step is None:
            solved_step = step
            if settings.stop_when_solved:
                break
        stuck = own_step == settings.restart_after and scores["wrong_bits"] > settings.restart_wrong_bits
        if stuck and restarts < settings.restarts and other_weights is not None:
            restarts += 1
            record({"kind": "restart", **progress, "restarts": restarts})
            accelerator.unwrap_model(network).load_state_dict(other_weights(restarts))
            optimizer.state.clear()
            begun_at, best, solved_in_a_row = step, None, 0

    accelerator.unwrap_model(network, keep_fp32_wrapper=False)
    model.load_state_dict(best_weights)
    return Outcome(
        solved=solved_step is not None,
        solved_step=solved_step,
        steps=step,
        sequences=step * settings.batch_size,
        seconds=time.perf_counter() - begun,
        scores=best or {},
        restarts=restarts,
    )


def _accelerator(settings: TrainSettings) -> Accelerator:
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    AcceleratorState._reset_state()  # Accelerate keeps the precision of a process's first training for all later ones
    return Accelerator(cpu=settings.device == "cpu", mixed_precision="bf16" if settings.precision == "bf16" else "no")


def _clip(accelerator: Accelerator, network: nn.Module, settings: TrainSettings) -> Tensor:
    """Limit the gradients in place, and return their norm before that.

    The norm is summed in float64: gradients that exploded, but are numbers still, are cut to the limit like any others.
    """
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    norms = [torch.linalg.vector_norm(gradient, dtype=torch.float64) for gradient in gradients]
    norm = torch.linalg.vector_norm(torch.stack(norms))
    if settings.clip == "norm":
        nn.utils.clip_grads_with_norm_(network.parameters(), settings.clip_limit, norm)
    elif settings.clip == "value":
        accelerator.clip_grad_value_(network.parameters(), settings.clip_limit)
    return norm


class _Mean:
    """Running means of named numbers."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.count = 0

    def add(self, **values: float) -> None:
        self.count += 1
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def take(self) -> dict[str, float]:
        means = {name: total / self.count for name, total in self.sums.items()}
        self.sums, self.count = {}, 0
        return means
