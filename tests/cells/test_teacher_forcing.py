"""Teacher forcing: computing all steps at once equals single steps if only outputs are fed back."""

import pytest
import torch

from memtape import tree, unroll
from memtape.cells import ElmanCell, JordanCell, LSTMCell, OutputFeedback, Readout, TeacherForced

BATCH, TIME, INPUT, OUTPUT = 3, 7, 2, 3
F64 = torch.float64


def jordan(**options):
    return JordanCell(INPUT, 5, OUTPUT, **options).double()


def with_both_recurrences(**options):
    return OutputFeedback(Readout(LSTMCell(INPUT + OUTPUT, 5), OUTPUT), **options).double()


def same(first, second):
    torch.testing.assert_close(first, second, rtol=1e-12, atol=1e-12)


@pytest.fixture(params=[jordan, with_both_recurrences])
def build(request):
    return request.param


def random(*shape):
    return torch.randn(*shape, dtype=F64)


def one_by_one(cell, xs, targets, state=None):
    """Feed the targets back in a loop."""
    state = state or cell.init_state(len(xs), dtype=F64)
    ys = []
    for t in range(xs.shape[1]):
        y, state = cell(xs[:, t], state)
        state = tree.from_named_tensors(tree.named_leaves(state) | {"fed_back": targets[:, t]}, state)
        ys.append(y)
    return torch.stack(ys, dim=1), state


@pytest.mark.parametrize("feedback", ["outputs", "softmax", "sigmoid", "argmax"])
def test_all_steps_at_once_equal_single_steps(build, feedback):
    cell = build(feedback=feedback)
    xs, targets = random(BATCH, TIME, INPUT), random(BATCH, TIME, OUTPUT)
    initial = unroll(cell, random(BATCH, 2, INPUT))[1]
    for state in (None, initial):
        ys, last = cell.teacher_forced(xs, targets, state)
        expected, end = one_by_one(cell, xs, targets, state)
        same(ys, expected)
        same(tree.named_tensors(last), tree.named_tensors(end))
        stepped, end, _ = unroll(TeacherForced(cell), torch.cat([xs, targets], dim=-1), state)
        same(ys, stepped)
        same(tree.named_tensors(last), tree.named_tensors(end))


def test_the_gradients_of_all_steps_at_once_equal_those_of_single_steps(build):
    cell = build()
    xs, targets = random(BATCH, TIME, INPUT), random(BATCH, TIME, OUTPUT)
    found = torch.autograd.grad(cell.teacher_forced(xs, targets)[0].square().sum(), list(cell.parameters()))
    expected = torch.autograd.grad(one_by_one(cell, xs, targets)[0].square().sum(), list(cell.parameters()))
    same(found, expected)


def test_padding_has_no_influence(build):
    cell = build()
    xs, targets = random(BATCH, TIME, INPUT), random(BATCH, TIME, OUTPUT)
    lengths = torch.tensor([4, 0, TIME])
    padded, padded_targets = xs.clone(), targets.clone()
    for row, length in enumerate(lengths):
        padded[row, length:] = padded_targets[row, length:] = torch.nan
    ys, last = cell.teacher_forced(padded, padded_targets, lengths=lengths)
    initial = tree.named_tensors(cell.init_state(1, dtype=F64))
    for row, length in enumerate(lengths):
        assert not ys[row, length:].any()
        end = {name: leaf[row : row + 1] for name, leaf in tree.named_tensors(last).items()}
        if length:
            alone, expected = cell.teacher_forced(xs[row : row + 1, :length], targets[row : row + 1, :length])
            same(ys[row, :length], alone[0])
            same(end, tree.named_tensors(expected))
        else:
            same(end, initial)


def test_symbols_equal_one_hot_vectors(build):
    cell = build()
    symbols, classes = torch.randint(INPUT, (BATCH, TIME)), torch.randint(OUTPUT, (BATCH, TIME))
    vectors = torch.eye(INPUT, dtype=F64)[symbols], torch.eye(OUTPUT, dtype=F64)[classes]
    same(cell.teacher_forced(symbols, classes)[0], cell.teacher_forced(*vectors)[0])
    lengths = torch.full((BATCH,), TIME - 1)
    classes[:, -1] = -1
    same(cell.teacher_forced(symbols, classes, lengths=lengths)[0][:, :-1], cell.teacher_forced(*vectors)[0][:, :-1])


def test_without_teacher_forcing_the_outputs_are_fed_back(build):
    cell = build(feedback="softmax")
    xs, targets = random(BATCH, TIME, INPUT), random(BATCH, TIME, OUTPUT)
    ys, last = cell.teacher_forced(xs, targets, teacher=0.0)
    expected, end, _ = unroll(cell, xs)
    same(ys, expected)
    same(tree.named_tensors(last), tree.named_tensors(end))


def test_targets_are_fed_back_with_the_given_probability():
    cell = TeacherForced(JordanCell(1, 2, 1), teacher=0.3)
    inputs = torch.stack([torch.ones(20000), torch.full((20000,), 7.0)], dim=1)
    fed_back = cell(inputs, cell.init_state(20000))[1].fed_back
    assert abs((fed_back == 7).double().mean() - 0.3) < 0.02


def test_a_hidden_recurrence_cannot_take_all_steps_at_once():
    """With hidden recurrence, an early input influences late outputs for any feedback; without, it does not."""
    reached = {}
    for build in (jordan, with_both_recurrences):
        cell = build()
        xs, targets = random(1, TIME, INPUT).requires_grad_(), random(1, TIME, OUTPUT)
        ys, _ = cell.teacher_forced(xs, targets)
        (gradient,) = torch.autograd.grad(ys[:, -1].sum(), xs)
        reached[build] = bool(gradient[:, :-1].any())
    assert reached == {jordan: False, with_both_recurrences: True}


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda cell: cell.teacher_forced(random(1, 4, INPUT), random(1, 3, OUTPUT)), "the targets have shape"),
        (
            lambda cell: cell.teacher_forced(torch.full((1, 4), 5), random(1, 4, OUTPUT)),
            "inputs contain the symbol 5, but there are 2 symbols; give integers in",
        ),
        (
            lambda cell: cell.teacher_forced(random(1, 2, INPUT), torch.tensor([[0, 3]])),
            "targets contain the symbol 3, but",
        ),
        (
            lambda cell: cell.teacher_forced(random(1, 2, INPUT), random(1, 2, OUTPUT), teacher=2.0),
            "teacher is 2.0, but",
        ),
        (
            lambda cell: TeacherForced(ElmanCell(2, 3)),
            "ElmanCell has no output feedback, but teacher forcing replaces",
        ),
        (
            lambda cell: OutputFeedback(ElmanCell(3, 3)),
            "inputs of size 3, but they must be larger than its outputs of size 3, which",
        ),
        (lambda cell: OutputFeedback(ElmanCell(3, 2), feedback="all"), "feedback is 'all', but it must be one of"),
    ],
)
def test_invalid_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(jordan())
