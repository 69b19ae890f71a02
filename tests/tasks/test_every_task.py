"""Invariants of every task, with synthetic examples."""

import dataclasses
from functools import cache

import pytest
import torch

from memtape.catalog.registry import TASKS as REGISTERED
from memtape.core import state_tree
from memtape.core.task import HeldTask
from memtape.tasks.images.digits import Digits
from memtape.tasks.language.characters import Characters
from memtape.tasks.language.scan import Scan
from memtape.tasks.long_range.adding import Adding

TASKS = {
    **{name: (entry.load(), entry.card.small) for name, entry in REGISTERED.items()},
    **{
        f"{name}, with defaults": (entry.load(), {})
        for name, entry in REGISTERED.items()
        if any(option.default != entry.card.small.get(option.name, option.default) for option in entry.options)
    },
    "adding anywhere": (Adding, {"min_length": 5, "max_length": 9, "markers": "anywhere"}),
    "digits by pixels, permuted": (Digits, {"order": "pixels", "permuted": True}),
    "a stream of characters": (Characters, {"window": 12, "order": "stream"}),
    "scan by length": (Scan, {"split": "length"}),
}
MARKS = {name: [pytest.mark.every_form] if name.endswith(", with defaults") else [] for name in TASKS}


@cache
def built(name):
    """Return a task, which the tests share."""
    kind, options = TASKS[name]
    return kind(**options)


@pytest.fixture(params=[pytest.param(name, marks=marks) for name, marks in MARKS.items()])
def task(request):
    return built(request.param)


@pytest.fixture(
    params=[
        pytest.param((name, form), id=f"{name} as {form}", marks=MARKS[name])
        for name, (kind, _) in TASKS.items()
        for form in kind.input_kinds
    ]
)
def task_and_form(request):
    name, form = request.param
    return built(name), form


@pytest.fixture(params=REGISTERED)
def small_task(request):
    return built(request.param)


def same(first, second):
    one, other = state_tree.leaves(first), state_tree.leaves(second)
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def outputs_for(task, batch):
    return torch.randn(*batch.mask.shape, task.output_size, dtype=torch.float64)


def as_double(batch):
    exact = batch.targets.double() if batch.targets.is_floating_point() else batch.targets
    return dataclasses.replace(batch, targets=exact)


def test_a_batch_is_a_pure_function_of_seed_split_and_index(task_and_form):
    task, form = task_and_form
    batch = task.batch(1, 8, seed=1, split="test", input_kind=form)
    task.batch(2, 8, input_kind=form)
    assert same(task.batch(1, 8, seed=1, split="test", input_kind=form), batch)
    assert not same(task.batch(2, 8, seed=1, split="test", input_kind=form), batch)
    assert not same(task.batch(1, 8, seed=1, split="validation", input_kind=form), batch)
    assert not same(task.batch(1, 8, seed=1, input_kind=form), task.batch(1, 8, seed=2, input_kind=form))


def test_drawing_does_not_change_the_global_generator(task):
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    task.batch(0, 2)
    assert torch.equal(torch.rand(1), expected)


def test_a_batch_has_the_shapes_of_the_task(task_and_form):
    task, form = task_and_form
    batch = task.batch(0, 7, input_kind=form)
    time = int(batch.lengths.max())
    assert len(batch) == 7
    assert batch.mask.shape == (7, time)
    assert batch.mask.any(1).all()
    assert not (batch.mask & (torch.arange(time) >= batch.lengths[:, None])).any()
    if batch.targets.is_floating_point():
        assert batch.targets.shape == (7, time, task.output_size)
    elif batch.targets.ndim > 2:
        assert batch.targets.shape[:2] == (7, time)
    else:
        assert batch.targets.shape == (7, time)
        assert 0 <= batch.targets.min() <= batch.targets.max() < task.output_size
    if form == "sequences":
        vectors = batch.inputs.is_floating_point()
        assert batch.inputs.shape == ((7, time, task.input_size) if vectors else (7, time))
        assert vectors or 0 <= batch.inputs.min() <= batch.inputs.max() < task.input_size


def test_padding_is_zero(task_and_form):
    task, form = task_and_form
    batch = task.batch(0, 30, input_kind=form)
    for row, length in enumerate(batch.lengths):
        assert not batch.targets[row, length:].any()
        assert form != "sequences" or not batch.inputs[row, length:].any()


def test_scores_have_the_names_of_the_task(task_and_form):
    task, form = task_and_form
    batch = task.batch(0, 5, input_kind=form)
    names = [score.name for score in task.scored]
    assert list(task.scores(outputs_for(task, batch).float(), batch)) == names
    assert task.chance(task.lengths).keys() <= set(names)


def test_losses_and_tallies_of_parts_add_up(task_and_form):
    task, form = task_and_form
    batch = as_double(task.batch(0, 9, input_kind=form))
    outputs = outputs_for(task, batch)
    parts = [(batch.rows(*ends), outputs[slice(*ends)]) for ends in ((0, 4), (4, 9))]
    whole = sum(task.weight(part) * task.loss(ys, part) for part, ys in parts) / task.weight(batch)
    torch.testing.assert_close(whole, task.loss(outputs, batch), rtol=1e-12, atol=0)
    tallies = [task.tally(ys, part) for part, ys in parts]
    for name, value in task.tally(outputs, batch).items():
        assert sum(tally[name] for tally in tallies) == pytest.approx(value, rel=1e-12)


def test_unscored_outputs_have_no_influence_and_scored_ones_have_a_gradient(task_and_form, equal_up_to_rounding):
    task, form = task_and_form
    batch = as_double(task.batch(0, 5, input_kind=form))
    outputs = outputs_for(task, batch).requires_grad_()
    loss, scores = task.loss(outputs, batch), task.scores(outputs, batch)
    loss.backward()
    assert outputs.grad[batch.mask].any(-1).all()
    assert not outputs.grad[~batch.mask].any()
    changed = torch.where(batch.mask[:, :, None], outputs.detach(), 1e6)
    equal_up_to_rounding(task.loss(changed, batch), loss)
    assert task.scores(changed, batch) == pytest.approx(scores)


def test_an_example_is_shown_to_its_own_end(task_and_form):
    task, form = task_and_form
    batch = task.batch(0, 3, input_kind=form)
    plain = task.show(batch, row=1).splitlines()
    with_outputs = task.show(batch, outputs_for(task, batch).float(), row=1).splitlines()
    assert plain[0] == with_outputs[0] == f"{type(task).__name__}, {int(batch.lengths[1])} steps"
    assert with_outputs != plain
    assert all(line == line.rstrip() for line in plain + with_outputs)


def test_every_example_is_in_its_split_once(task):
    if not isinstance(task, HeldTask):
        return
    for split in ("validation", "test"):
        count = task.available(split)
        batches = [task.batch(index, 60, split=split) for index in range(-(-count // 60))]
        assert sum(map(len, batches)) == count
        assert same(batches[0], task.batch(0, 60, split=split, seed=5))
        with pytest.raises(ValueError, match=rf"batch {len(batches)} of 60 .* is beyond its {count} examples; request"):
            task.batch(len(batches), 60, split=split)
    with pytest.raises(ValueError, match=r"have fixed lengths; leave the lengths out"):
        task.batch(0, 2, lengths=(task.lengths[0], task.lengths[1] + 1))


def test_another_form_is_refused(task):
    with pytest.raises(
        ValueError, match=rf"the network reads images, but {type(task).__name__} provides {task.input_kinds[0]}"
    ):
        task.batch(0, 2, input_kind="images")


@pytest.mark.parametrize("entry", REGISTERED.values(), ids=lambda entry: entry.name)
def test_every_option_can_be_set_on_the_command_line(entry):
    defaults = {option.name: option.default for option in entry.options}
    assert entry.load()(**defaults).lengths == entry.load()().lengths


def test_a_vocabulary_has_a_word_for_each_symbol(task):
    if task.vocabulary is not None:
        assert len(set(task.vocabulary)) == len(task.vocabulary) == task.input_size


@pytest.fixture
def double_by_default():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_floats_have_the_default_dtype_and_the_same_values_in_each(small_task, double_by_default):
    narrow_task, wide_task = small_task, type(small_task)(**small_task.configuration)
    for form in wide_task.input_kinds:
        wide = played(wide_task, wide_task.batch(2, 3, input_kind=form))
        torch.set_default_dtype(torch.float32)
        narrow = played(narrow_task, narrow_task.batch(2, 3, input_kind=form))
        torch.set_default_dtype(torch.float64)
        for one, other in zip(state_tree.leaves(wide), state_tree.leaves(narrow), strict=True):
            floats = one.is_floating_point()
            assert (one.dtype, other.dtype) == ((torch.float64, torch.float32) if floats else (other.dtype, one.dtype))
            torch.testing.assert_close(one.float() if floats else one, other, rtol=1e-6, atol=1e-6)
        outputs = torch.randn(*wide.mask.shape, wide_task.output_size)
        assert wide_task.loss(outputs, wide).dtype == torch.float64
        wide_task.scores(outputs, wide)
        wide_task.show(wide, outputs)


def played(task, batch):
    """Complete an interactive batch with a network that always gives the same outputs."""
    return task.play(batch, lambda inputs, state, lengths: (inputs[..., :1] * torch.ones(task.output_size), None), None)
