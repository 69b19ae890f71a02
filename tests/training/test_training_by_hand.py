"""Training equals a loop that is written out here: batches, learning rates, clipping, optimisers and carried states."""

import copy

import pytest
import torch
from torch import nn

from memtape import StackedLSTM, tree
from memtape.training import loop
from memtape.training.evaluation import evaluate
from memtape.training.optim.graves_rmsprop import GravesRMSprop
from memtape.training.optim.schedule import rate_at, teacher_at
from memtape.training.settings import TrainSettings

STEPS, ROWS, RATE = 5, 4, 0.01

OPTIMIZERS = {
    "adam": lambda parameters: torch.optim.Adam(parameters, weight_decay=0.1),
    "adagrad": lambda parameters: torch.optim.Adagrad(parameters, weight_decay=0.1),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, alpha=0.8, momentum=0.5, weight_decay=0.1),
    "graves": lambda parameters: GravesRMSprop(parameters, lr=RATE, smoothing=0.8, momentum=0.5),
}


@pytest.fixture
def model(task):
    torch.manual_seed(0)
    return StackedLSTM(task.input_size, task.output_size, hidden_size=5, layers=1)


def by_hand(model, task, optimizer, settings):
    """Train with the operations of torch alone, and return the norm of each gradient."""
    norms, state = [], None
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * rate_at(step, settings)
        batch = task.batch(step, ROWS, seed=0)
        optimizer.zero_grad()
        outputs, state = model(batch.inputs, state, lengths=batch.lengths)
        task.loss(outputs, batch).backward()
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        norms.append(nn.utils.get_total_norm(gradients).item())
        if settings.clip == "norm":
            nn.utils.clip_grad_norm_(model.parameters(), settings.clip_limit)
        elif settings.clip == "value":
            nn.utils.clip_grad_value_(model.parameters(), settings.clip_limit)
        optimizer.step()
        state = tree.detach(state) if settings.carry else None
    return norms


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(
    "options",
    [
        {"clip": "norm", "clip_limit": 0.05},
        {"clip": "value", "clip_limit": 0.01, "schedule": "cosine"},
        {"clip": "none", "warmup_steps": 3, "carry": True},
        {"clip": "none", "accumulate": 2, "checkpoint_every": 2},
    ],
    ids=["clipped norm", "clipped values and a cosine", "warmup and a carried state", "parts and recomputation"],
)
def test_training_equals_a_loop_by_hand(run, model, task, name, options):
    others = {"weight_decay": 0.1, "smoothing": 0.8, "momentum": 0.5, "learning_rate": RATE, "validate_every": 1}
    settings = {**others, **options, "optimizer": name, "steps": STEPS, "batch_size": ROWS}
    own = copy.deepcopy(model)
    norms = by_hand(own, task, OPTIMIZERS[name](own.parameters()), TrainSettings(**settings))
    _, records, _ = run(model, task, **{**settings, "validate_every": STEPS})
    for (where, mine), other in zip(model.named_parameters(), own.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6, msg=lambda text, where=where: f"{where}: {text}")
    assert records[0]["gradient_norm"] == pytest.approx(sum(norms) / STEPS, rel=1e-4)


def test_each_step_has_the_learning_rate_of_its_number(run, model, task):
    options = {"learning_rate": RATE, "schedule": "cosine", "warmup_steps": 3, "validate_every": 1, "steps": STEPS}
    _, records, _ = run(model, task, **options)
    rates = [record["learning_rate"] for record in records if record["kind"] == "train"]
    assert rates == [RATE * rate_at(step, TrainSettings(**options)) for step in range(STEPS)]


def test_each_step_has_the_teacher_forcing_of_its_number(run, model, task, monkeypatch):
    seen, gradient = [], loop.gradient
    monkeypatch.setattr(loop, "check_compatible", lambda *_: None)
    monkeypatch.setattr(
        loop, "gradient", lambda *given, **options: seen.append(options["teacher"]) or gradient(*given, **options)
    )
    options = {"teacher": "linear", "teacher_steps": 4, "steps": STEPS}
    run(model, task, **options)
    assert seen == [teacher_at(step, TrainSettings(**options, validate_every=1)) for step in range(STEPS)]
    assert seen == [1, 0.75, 0.5, 0.25, 0]


@pytest.mark.parametrize("mode", [True, False])
def test_an_evaluation_leaves_the_mode_of_the_network(task, model, mode):
    model.train(mode)
    evaluate(model, task, sequences=2, seed=0, split="test")
    assert all(part.training == mode for part in model.modules())
