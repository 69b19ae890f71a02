"""The training loop: its records, its end, and its final weights."""

import copy
import gc

import pytest
import torch

from memtape.training.evaluation import evaluate
from memtape.training.loop import train
from memtape.training.settings import TrainSettings


def test_every_step_calls_back_and_every_validation_is_recorded(run, model, task):
    outcome, records, steps = run(model, task)
    assert [step for step, _ in steps] == [1, 2, 3, 4, 5, 6]
    assert [(r["kind"], r["step"]) for r in records] == [(k, s) for s in (2, 4, 6) for k in ("train", "validation")]
    assert outcome.steps == 6
    assert outcome.sequences == 24
    assert set(records[0]) == {
        *("kind", "step", "sequences", "learning_rate", "loss", "gradient_norm", "cost_bits", "wrong_bits")
    }


def test_a_training_record_holds_the_mean_of_the_steps_since_the_last(run, model, task):
    _, records, steps = run(model, task)
    losses = [scores["loss"] for _, scores in steps]
    assert records[2]["loss"] == pytest.approx((losses[2] + losses[3]) / 2)


def test_the_last_step_is_always_validated(run, model, task):
    _, records, _ = run(model, task, steps=5)
    assert records[-1]["kind"] == "validation"
    assert records[-1]["step"] == 5


def test_the_same_seed_trains_to_the_same_bits(run, model, task):
    copied = copy.deepcopy(model)
    run(model, task)
    run(copied, task)
    for mine, other in zip(model.parameters(), copied.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_training_lowers_the_loss(run, model, task):
    _, _, steps = run(model, task, steps=60, learning_rate=0.01)
    losses = [scores["loss"] for _, scores in steps]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])


def test_a_solved_task_ends_the_training_run(run, model, task):
    outcome, _, _ = run(model, task, steps=20, solved_score=100, solved_validations=2)
    assert outcome.solved
    assert outcome.solved_step == outcome.steps == 4


def test_training_may_continue_after_a_task_is_solved(run, model, task):
    outcome, _, _ = run(model, task, solved_score=100, solved_validations=1, stop_when_solved=False)
    assert outcome.solved_step == 2
    assert outcome.steps == 6


def test_an_unsolved_task_is_reported(run, model, task):
    outcome, _, _ = run(model, task)
    assert not outcome.solved
    assert outcome.solved_step is None


def test_the_final_weights_are_those_of_the_best_validation(run, model, task):
    """With a rate that ruins the network after the first validation, the final weights are those of the first
    validation.
    """
    outcome, records, _ = run(model, task, steps=8, learning_rate=3.0, clip="none")
    costs = [record["cost_bits"] for record in records if record["kind"] == "validation"]
    assert min(costs) < costs[-1]
    assert outcome.scores["cost_bits"] == min(costs)
    again = evaluate(model, task, sequences=8, seed=0, split="validation")
    assert again["cost_bits"] == pytest.approx(min(costs), rel=1e-6)


@pytest.mark.parametrize(("clip", "change"), [("norm", True), ("value", True), ("none", False)])
def test_clipping_bounds_the_update(run, model, task, clip, change):
    """Torch's RMSprop removes the scale of the gradient; the rule of Graves keeps it through its epsilon."""
    free = copy.deepcopy(model)
    run(free, task, steps=1, optimizer="graves", momentum=0.0, clip="none")
    run(model, task, steps=1, optimizer="graves", momentum=0.0, clip=clip, clip_limit=1e-4)
    same = all(torch.equal(a, b) for a, b in zip(model.parameters(), free.parameters(), strict=True))
    assert same is not change


def test_exploding_gradients_are_clipped_if_they_are_finite(run, model, task):
    """The square of 1e25 overflows float32, but the norm must not overflow."""
    for parameter in model.parameters():
        parameter.register_hook(lambda gradient: gradient * 0 + 1e25)
    outcome, records, _ = run(model, task, steps=2)
    assert outcome.steps == 2
    assert records[0]["gradient_norm"] > 1e25
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_training_under_autocast_learns_and_keeps_float32_weights(run, model, task):
    _, _, steps = run(model, task, steps=60, learning_rate=0.01, precision="bf16")
    losses = [scores["loss"] for _, scores in steps]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    xs = task.batch(0, 2).inputs
    assert torch.equal(model(xs)[0], type(model).forward(model, xs)[0]), "autocast stays on after training"


def test_more_parts_than_rows_are_refused():
    with pytest.raises(ValueError, match="accumulate 5 is above batch_size 4"):
        TrainSettings(batch_size=4, accumulate=5)


def test_chunks_and_streams_are_used_in_training(run, model, task):
    losses = {}
    for name, options in {"whole": {}, "cut": {"tbptt": 2}, "carried": {"carry": True}}.items():
        _, _, steps = run(copy.deepcopy(model), task, **options)
        losses[name] = [scores["loss"] for _, scores in steps]
    assert losses["whole"][0] == pytest.approx(losses["cut"][0]) == pytest.approx(losses["carried"][0])
    assert losses["whole"][1] != losses["cut"][1]
    assert losses["whole"][1] != losses["carried"][1]


def test_memory_is_constant_and_a_carried_state_has_no_graph(short, model, task):
    """The number of live tensors after many steps equals that after few."""
    counts = []

    def count(step, _):
        if step in (20, 60):
            gc.collect()
            counts.append(sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects()))

    settings = TrainSettings(**{**short, "steps": 60, "tbptt": 3, "carry": True, "validate_every": 100})
    train(model, task, settings, seed=0, on_record=lambda _: None, on_step=count)
    assert counts[0] == counts[1]
