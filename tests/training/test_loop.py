"""The loop: what it records, when it stops, what it leaves behind."""

import copy
import gc
from dataclasses import replace

import pytest
import torch
from torch import nn

from memtape import NTM, Copy
from memtape.tasks.graph import ShortestPath
from memtape.training.checkpoints import Checkpoints
from memtape.training.evaluation import by_length, evaluate
from memtape.training.loop import train
from memtape.training.non_finite import NonFiniteError, first_non_finite
from memtape.training.settings import TrainSettings


@pytest.fixture
def task():
    return Copy(bits=2, max_length=3)


@pytest.fixture
def model(task):
    torch.manual_seed(0)
    return NTM(task.input_size, task.output_size, slots=6, width=4, controller_size=8)


SHORT = {"steps": 6, "batch_size": 4, "validate_every": 2, "validation_sequences": 8, "device": "cpu"}


def run(model, task, *, checkpoints=None, records=None, **settings):
    records, steps = [] if records is None else records, []
    outcome = train(
        model,
        task,
        TrainSettings(**{**SHORT, **settings}),
        seed=0,
        record=records.append,
        watch=lambda step, scores: steps.append((step, scores)),
        checkpoints=checkpoints,
    )
    return outcome, records, steps


def test_every_update_is_watched_and_every_validation_recorded(model, task):
    outcome, records, steps = run(model, task)
    assert [step for step, _ in steps] == [1, 2, 3, 4, 5, 6]
    assert [(r["kind"], r["step"]) for r in records] == [(k, s) for s in (2, 4, 6) for k in ("train", "validation")]
    assert outcome.steps == 6
    assert outcome.sequences == 24
    assert set(records[0]) == {
        *("kind", "step", "sequences", "learning_rate", "loss", "gradient_norm", "cost_bits", "wrong_bits")
    }


def test_a_training_record_holds_the_mean_of_the_updates_since_the_last(model, task):
    _, records, steps = run(model, task)
    losses = [scores["loss"] for _, scores in steps]
    assert records[2]["loss"] == pytest.approx((losses[2] + losses[3]) / 2)


def test_the_last_update_is_validated_even_off_the_beat(model, task):
    _, records, _ = run(model, task, steps=5)
    assert records[-1]["kind"] == "validation"
    assert records[-1]["step"] == 5


def test_the_same_seed_trains_to_the_same_bits(model, task):
    twin = copy.deepcopy(model)
    run(model, task)
    run(twin, task)
    for mine, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_training_lowers_the_loss(model, task):
    _, _, steps = run(model, task, steps=60, learning_rate=0.01)
    losses = [scores["loss"] for _, scores in steps]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])


def test_a_solved_task_ends_the_training(model, task):
    outcome, _, _ = run(model, task, steps=20, solved_score=100, solved_validations=2)
    assert outcome.solved
    assert outcome.solved_step == outcome.steps == 4


def test_a_solved_task_may_be_trained_on(model, task):
    outcome, _, _ = run(model, task, solved_score=100, solved_validations=1, stop_when_solved=False)
    assert outcome.solved_step == 2
    assert outcome.steps == 6


def test_a_task_that_is_not_solved_says_so(model, task):
    outcome, _, _ = run(model, task)
    assert not outcome.solved
    assert outcome.solved_step is None


def test_the_weights_of_the_best_validation_are_left(model, task):
    """A rate that ruins the network after the first validation leaves what was there at the first validation."""
    outcome, records, _ = run(model, task, steps=8, learning_rate=3.0, clip="none")
    costs = [record["cost_bits"] for record in records if record["kind"] == "validation"]
    assert min(costs) < costs[-1]
    assert outcome.scores["cost_bits"] == min(costs)
    again = evaluate(model, task, sequences=8, seed=0, split="validation")
    assert again["cost_bits"] == pytest.approx(min(costs), rel=1e-6)


@pytest.mark.parametrize(("clip", "change"), [("norm", True), ("value", True), ("none", False)])
def test_clipping_bounds_the_update(model, task, clip, change):
    """With plain momentum-free RMSprop the size of the gradient is lost, so the rule of Graves, whose epsilon keeps it."""
    free = copy.deepcopy(model)
    run(free, task, steps=1, optimizer="graves", momentum=0.0, clip="none")
    run(model, task, steps=1, optimizer="graves", momentum=0.0, clip=clip, clip_limit=1e-4)
    same = all(torch.equal(a, b) for a, b in zip(model.parameters(), free.parameters(), strict=True))
    assert same is not change


def test_gradients_that_exploded_are_cut_as_long_as_they_are_numbers(model, task):
    """1e25 squared is beyond float32: the norm must not be."""
    for parameter in model.parameters():
        parameter.register_hook(lambda gradient: gradient * 0 + 1e25)
    outcome, records, _ = run(model, task, steps=2)
    assert outcome.steps == 2
    assert records[0]["gradient_norm"] > 1e25
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_a_training_that_is_stuck_begins_again(model, task):
    """With a bound of 0 wrong bits two updates are always stuck; the second beginning is the last."""
    other = NTM(task.input_size, task.output_size, slots=6, width=4, controller_size=8).state_dict()
    asked = []

    def other_weights(number):
        asked.append(number)
        return other

    records = []
    settings = TrainSettings(**SHORT, restarts=2, restart_after=2, restart_score=0)
    outcome = train(
        model, task, settings, seed=0, record=records.append, watch=lambda *_: None, other_weights=other_weights
    )
    assert asked == [1, 2]
    assert outcome.restarts == 2
    assert outcome.steps == 2 + 2 + 6
    assert [record["step"] for record in records if record["kind"] == "validation"] == [2, 4, 6, 8, 10]
    assert [record["step"] for record in records if record["kind"] == "restart"] == [2, 4]


def test_the_task_says_when_a_training_is_stuck_unless_the_settings_do(model, task):
    task.stuck_at = 1e9
    settings = TrainSettings(**SHORT, restarts=2, restart_after=2)
    asked = []
    other = copy.deepcopy(model).state_dict()

    def other_weights(number):
        asked.append(number)
        return other

    def trained():
        train(model, task, settings, seed=0, record=lambda _: None, watch=lambda *_: None, other_weights=other_weights)
        return len(asked)

    assert trained() == 0
    task.stuck_at = -1.0
    assert trained() == 2


def test_a_new_beginning_trains_as_a_first_one_would(model, task):
    """Rate, optimiser and best validation begin anew: only the data go on."""
    begun = copy.deepcopy(model)
    settings = {**SHORT, "steps": 4, "schedule": "cosine", "restart_after": 2, "restart_score": 0.0}

    def data_from(first):
        class Later(Copy):
            def batch(self, index, *arguments, **options):
                return super().batch(index + first, *arguments, **options)

        return Later(bits=2, max_length=3)

    options = {"seed": 0, "record": lambda _: None, "watch": lambda *_: None}
    again = {name: value.clone() for name, value in begun.state_dict().items()}
    train(model, task, TrainSettings(**settings, restarts=1), **options, other_weights=lambda _: again)
    train(begun, data_from(2), TrainSettings(**settings), **options)
    for mine, other in zip(model.parameters(), begun.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_restarts_happen_where_validations_are():
    with pytest.raises(ValueError, match="restart_after 5 is no multiple of validate_every 2, at which"):
        TrainSettings(restarts=1, restart_after=5, validate_every=2)


def test_the_curriculum_reaches_the_task(model):
    drawn = []

    class Watched(Copy):
        def sample(self, batch_size, lengths, generator):
            if batch_size == SHORT["batch_size"]:  # and no single one, to see whether such lengths can be drawn
                drawn.append(lengths)
            return super().sample(batch_size, lengths, generator)

    run(model, Watched(bits=2, max_length=3), steps=2, curriculum_steps=2, curriculum_min=3)
    assert drawn[:2] == [(3, 3), (2, 3)]


class Watched(Copy):
    """A task that writes down which lengths it was asked for, with the number of rows."""

    def __init__(self):
        super().__init__(bits=2, max_length=3)
        self.asked = []

    def sample(self, batch_size, lengths, generator):
        self.asked.append((batch_size, lengths))
        return super().sample(batch_size, lengths, generator)


def lengths_of(task, rows):
    return [lengths for count, lengths in task.asked if count == rows]


def test_a_curriculum_by_score_moves_on_when_a_length_is_passed(model):
    task = Watched()
    outcome, records, _ = run(model, task, steps=8, curriculum_score=100.0, solved_score=100.0, stop_when_solved=False)
    assert lengths_of(task, 4) == [(1, 1), (1, 1), (1, 2), (1, 2), *[(1, 3)] * 4]
    assert lengths_of(task, 8) == [(1, 1), (2, 2), (1, 3), (1, 3)]
    assert [record["longest"] for record in records if record["kind"] == "validation"] == [1, 2, 3, 3]
    assert outcome.solved_step == 8


def test_a_curriculum_by_score_stays_where_nothing_is_passed(model):
    task = Watched()
    outcome, _records, _ = run(model, task, curriculum_score=-1.0, curriculum_max=2, solved_score=100.0)
    assert lengths_of(task, 4) == [(1, 2)] * 6
    assert lengths_of(task, 8) == [(2, 2)] * 3
    assert not outcome.solved
    assert outcome.scores.keys() >= {"cost_bits"}


def test_the_best_validation_is_of_the_last_length(model, task):
    outcome, records, _ = run(model, task, steps=6, curriculum_score=100.0)
    validations = [record["cost_bits"] for record in records if record["kind"] == "validation"]
    assert outcome.scores["cost_bits"] == validations[2] > min(validations)


def test_a_training_that_ends_as_it_passes_keeps_its_weights(model, task):
    outcome, _, _ = run(model, task, steps=2, curriculum_score=100.0)
    assert outcome.scores["wrong_bits"] >= 0


@pytest.fixture
def walk():
    return ShortestPath(max_lesson=2, planner_share=0.5, planning=2)


def walker(walk):
    torch.manual_seed(0)
    return NTM(walk.input_size, walk.output_size, slots=6, width=4, controller_size=8)


def test_what_a_network_plays_is_what_it_learns_from(walk):
    one, other = walker(walk), walker(walk)
    _, _, steps = run(one, walk, steps=2, learning_rate=0.1)
    _, _, again = run(other, walk, steps=2, learning_rate=0.1)
    assert steps == again
    walk.planner_share = 1.0
    _, _, led = run(walker(walk), walk, steps=2, learning_rate=0.1)
    assert led != steps


def test_a_training_that_is_played_resumes_to_the_same_bits(walk, tmp_path):
    straight, resumed = walker(walk), walker(walk)
    _, _, steps = run(straight, walk)
    checkpoints = Checkpoints(tmp_path, {}, keep=1)
    run(resumed, walk, steps=4, checkpoints=checkpoints)
    watched = []
    train(
        walker(walk),
        walk,
        TrainSettings(**SHORT),
        seed=0,
        record=lambda _: None,
        watch=lambda step, scores: watched.append((step, scores)),
        resume_from=checkpoints.newest()[0],
    )
    assert watched == steps[4:]


def test_a_training_under_autocast_learns_and_keeps_float32_weights(model, task):
    _, _, steps = run(model, task, steps=60, learning_rate=0.01, precision="bf16")
    losses = [scores["loss"] for _, scores in steps]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    xs = task.batch(0, 2).inputs
    assert torch.equal(model(xs)[0], type(model).forward(model, xs)[0]), "autocast stays on after the training"


def test_a_parameter_that_is_not_finite_stops_the_training_and_is_named(model, task):
    with torch.no_grad():
        model.cell.machine.to_output.weight[0, 0] = float("nan")
    with pytest.raises(NonFiniteError, match=r"update 1 because the parameter cell\.machine\.to_output\.weight is not"):
        run(model, task)


@pytest.mark.parametrize(
    "settings", [{}, {"non_finite": "skip", "non_finite_limit": 1}, {"non_finite": "rollback", "non_finite_limit": 1}]
)
def test_the_last_record_of_a_training_that_stops_says_where(model, tmp_path, settings):
    records = []
    with pytest.raises(NonFiniteError):
        run(model, _Poisoned(range(2, 99)), records=records, checkpoints=Checkpoints(tmp_path, {}, keep=1), **settings)
    step = 4 if settings.get("non_finite") == "skip" else 3
    assert records[-1] == {"kind": "stopped", "step": step, "sequences": 4 * step, "place": "the loss"}
    assert sum(record["kind"] == "stopped" for record in records) == 1


def test_a_module_whose_output_is_not_finite_is_named(task):
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(task.input_size, task.output_size)
            self.second = nn.Identity()
            self.second.register_forward_hook(lambda module, x, y: y / 0)

        def forward(self, xs, lengths=None):
            return self.second(self.first(xs)), None

    with pytest.raises(
        NonFiniteError, match=r"the output of second \(Identity\) is not finite; lower the learning rate"
    ):
        run(Broken(), task)


def test_a_gradient_that_is_not_finite_is_named(model, task):
    batch = task.batch(0, 2)
    model(batch.inputs)[0].sum().backward()
    model.cell.machine.initial_reads.grad[0] = float("inf")
    assert first_non_finite(model, task, batch) == "the gradient of cell.machine.initial_reads"


def test_scores_by_length_are_averages_over_the_test_split(model, task):
    results = by_length(model, task, [2, 5], sequences=40, seed=3)
    assert [(r["length"], r["sequences"]) for r in results] == [(2, 40), (5, 40)]
    batches = [task.batch(i, n, seed=3, split="test", lengths=(5, 5)) for i, n in ((0, 32), (1, 8))]
    with torch.no_grad():
        wrong = sum(float(((model(b.inputs)[0] > 0) != (b.targets > 0.5))[b.mask].sum()) for b in batches)
    assert results[1]["wrong_bits"] == pytest.approx(wrong / 40)


def test_no_sequences_are_refused(model, task):
    with pytest.raises(ValueError, match="sequences is 0, but it must be at least 1"):
        evaluate(model, task, sequences=0, seed=0, split="test")


class _Poisoned(Copy):
    """Copy whose batches of some indices have a target beyond all numbers, as broken data has."""

    def __init__(self, bad):
        super().__init__(bits=2, max_length=3)
        self.bad, self.drawn = bad, []

    def batch(self, index, batch_size, *, split="train", **options):
        batch = super().batch(index, batch_size, split=split, **options)
        if split != "train":
            return batch
        self.drawn.append(index)
        return replace(batch, targets=batch.targets * float("inf")) if index in self.bad else batch


def test_skipping_leaves_out_the_update_and_says_so(model):
    outcome, records, steps = run(model, _Poisoned({2, 3}), non_finite="skip")
    assert outcome.skipped == 2
    assert [step for step, _ in steps] == [1, 2, 5, 6]
    assert [(r["step"], r["place"]) for r in records if r["kind"] == "skip"] == [(3, "the loss"), (4, "the loss")]
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_a_skipped_update_changes_no_weight(model):
    twin = copy.deepcopy(model)
    run(model, _Poisoned({2}), steps=3, validate_every=1, non_finite="skip")
    run(twin, _Poisoned(()), steps=2, validate_every=1)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))


def test_too_many_skipped_updates_in_a_row_stop_the_training(model):
    with pytest.raises(NonFiniteError, match=r"stopped at update 5 .* after 2 updates in a row that were skipped"):
        run(model, _Poisoned({0, 2, 3, 4}), non_finite="skip", non_finite_limit=2)


def test_a_rollback_goes_on_from_the_last_checkpoint_with_other_data(model, tmp_path):
    task = _Poisoned({3})
    outcome, records, _ = run(model, task, non_finite="rollback", checkpoints=Checkpoints(tmp_path, {}, keep=1))
    assert (outcome.rollbacks, outcome.steps) == (1, 6)
    assert task.drawn == [0, 1, 2, 3, 4, 5, 6, 7]
    (rollback,) = [r for r in records if r["kind"] == "rollback"]
    assert (rollback["step"], rollback["back_to"]) == (4, 2)


def test_too_many_rollbacks_stop_the_training(model, tmp_path):
    with pytest.raises(NonFiniteError, match=r"stopped at update 3 .* after 2 returns to a checkpoint"):
        run(
            model,
            _Poisoned(range(2, 99)),
            non_finite="rollback",
            non_finite_limit=2,
            checkpoints=Checkpoints(tmp_path, {}, keep=1),
        )


def test_a_rollback_needs_checkpoints(model, task):
    with pytest.raises(ValueError, match=r'non_finite is "rollback", but nothing is saved'):
        run(model, task, non_finite="rollback")


def test_more_parts_than_rows_are_refused():
    with pytest.raises(ValueError, match="accumulate 5 is above batch_size 4"):
        TrainSettings(batch_size=4, accumulate=5)


def test_chunks_and_streams_reach_the_training(model, task):
    losses = {}
    for name, options in {"whole": {}, "cut": {"tbptt": 2}, "carried": {"carry": True}}.items():
        _, _, steps = run(copy.deepcopy(model), task, **options)
        losses[name] = [scores["loss"] for _, scores in steps]
    assert losses["whole"][0] == pytest.approx(losses["cut"][0]) == pytest.approx(losses["carried"][0])
    assert losses["whole"][1] != losses["cut"][1]
    assert losses["whole"][1] != losses["carried"][1]


def test_memory_stays_flat_and_a_carried_state_has_no_graph(model, task):
    """What is alive after many updates is as much as after few."""
    counts = []

    def count(step, _):
        if step in (20, 60):
            gc.collect()
            counts.append(sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects()))

    settings = TrainSettings(**{**SHORT, "steps": 60, "tbptt": 3, "carry": True, "validate_every": 100})
    train(model, task, settings, seed=0, record=lambda _: None, watch=count)
    assert counts[0] == counts[1]
