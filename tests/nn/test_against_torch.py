"""`memtape.nn` and `torch.nn` compute the same from the same seed: outputs, states and gradients in every form."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

import memtape

TIME, BATCH, INPUT, HIDDEN = 26, 4, 3, 5
"""More steps than those of which torch's functions are faster."""

FORMS = {
    "one layer": {},
    "without biases": {"bias": False},
    "two layers": {"num_layers": 2},
    "batch first": {"batch_first": True},
    "both ways": {"bidirectional": True},
    "two layers, both ways": {"num_layers": 2, "bidirectional": True, "batch_first": True},
}
CASES = [(kind, form) for kind in ("LSTM", "GRU", "RNN") for form in FORMS.values()] + [
    ("RNN", {"nonlinearity": "relu", "num_layers": 2}),
    ("LSTM", {"proj_size": 2}),
    ("LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
]


def of_both(kind, **options):
    """Return memtape's layers and torch's, built from the same seed."""
    found = []
    for module in (memtape.nn, nn):
        torch.manual_seed(3)
        found.append(getattr(module, kind)(INPUT, HIDDEN, **options))
    return found


def flat(values):
    return [part for value in values for part in (flat(value) if isinstance(value, tuple) else [value])]


def states(layers, batch):
    """Return a random state for layers, in torch's format; no batch axis without a batch."""
    rows = layers.num_layers * (2 if layers.bidirectional else 1)
    sizes = [layers.proj_size or HIDDEN] + [HIDDEN] * (layers.mode == "LSTM")
    parts = tuple(torch.randn(rows, *batch, size, dtype=torch.float64, requires_grad=True) for size in sizes)
    return parts if layers.mode == "LSTM" else parts[0]


def results(layers, xs, state):
    """Return outputs, state and the gradients of everything."""
    ys, last = layers(xs, state)
    packed = isinstance(ys, PackedSequence)
    found = flat([tuple(ys) if packed else ys, last])
    floats = [part for part in found if part is not None and part.is_floating_point()]
    loss = sum((part * torch.linspace(-1, 2, part.numel(), dtype=part.dtype).view_as(part)).sum() for part in floats)
    leaves = [xs.data if packed else xs, *layers.parameters(), *flat([] if state is None else [state])]
    return found, torch.autograd.grad(loss, [leaf for leaf in leaves if leaf.requires_grad])


def assert_same(mine, theirs, xs, state):
    for found, expected in zip(results(mine, xs, state), results(theirs, xs, state), strict=True):
        for one, other in zip(found, expected, strict=True):
            assert (one is None) == (other is None)
            if one is not None:
                torch.testing.assert_close(one, other)


@pytest.fixture(params=["auto", "reference"])
def backend(request):
    with memtape.use_backend(request.param):
        yield request.param


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_parameters_from_the_same_seed_are_equal(kind, options):
    mine, theirs = of_both(kind, **options)
    found, expected = mine.state_dict(), theirs.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert repr(mine) == repr(theirs)


@pytest.mark.parametrize(("kind", "options"), CASES)
@pytest.mark.parametrize("given", [True, False], ids=["state", "zeros"])
def test_sequences_of_one_length(kind, options, given, backend):
    mine, theirs = (layers.double() for layers in of_both(kind, **options))
    shape = (BATCH, TIME, INPUT) if mine.batch_first else (TIME, BATCH, INPUT)
    xs = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    assert_same(mine, theirs, xs, states(mine, [BATCH]) if given else None)


@pytest.mark.parametrize(("kind", "options"), CASES)
@pytest.mark.parametrize("given", [True, False], ids=["state", "zeros"])
def test_one_sequence_without_a_batch(kind, options, given, backend):
    mine, theirs = (layers.double() for layers in of_both(kind, **options))
    xs = torch.randn(TIME, INPUT, dtype=torch.float64, requires_grad=True)
    assert_same(mine, theirs, xs, states(mine, []) if given else None)


@pytest.mark.parametrize(("kind", "options"), CASES)
@pytest.mark.parametrize("given", [True, False], ids=["state", "zeros"])
def test_packed_sequences(kind, options, given, backend):
    mine, theirs = (layers.double() for layers in of_both(kind, **options))
    rows = [torch.randn(length, INPUT, dtype=torch.float64) for length in (2, TIME, 1, 7)]
    xs = pack_sequence(rows, enforce_sorted=False)
    assert_same(mine, theirs, xs, states(mine, [len(rows)]) if given else None)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_packed_sequences_that_are_sorted_have_no_indices(kind):
    mine, theirs = (layers.double() for layers in of_both(kind))
    xs = pack_padded_sequence(torch.randn(9, 3, INPUT, dtype=torch.float64), torch.tensor([9, 4, 4]))
    assert_same(mine, theirs, xs, None)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_packed_sequences_of_one_length(kind):
    mine, theirs = (layers.double() for layers in of_both(kind))
    assert_same(mine, theirs, pack_sequence([torch.randn(TIME, INPUT).double()] * 3), None)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_the_gradients_of_packed_inputs(kind):
    found = []
    rows = [torch.randn(length, INPUT, dtype=torch.float64, requires_grad=True) for length in (4, TIME, 9)]
    for layers in of_both(kind, bidirectional=True):
        ys = layers.double()(pack_sequence(rows, enforce_sorted=False))[0].data
        found.append(torch.autograd.grad(ys.square().sum(), rows))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("time", [1, 2, 3, 40])
@pytest.mark.parametrize("batch", [0, 1])
def test_few_steps_and_few_rows(kind, time, batch, backend):
    mine, theirs = (layers.double() for layers in of_both(kind, num_layers=2))
    xs = torch.randn(time, batch, INPUT, dtype=torch.float64, requires_grad=True)
    assert_same(mine, theirs, xs, None)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_inputs_and_states_that_are_not_contiguous(kind):
    mine, theirs = (layers.double() for layers in of_both(kind, batch_first=True))
    xs = torch.randn(INPUT, 2 * TIME, BATCH, dtype=torch.float64).permute(2, 1, 0)[:, ::2]
    state = torch.randn(BATCH, HIDDEN, 1, dtype=torch.float64).permute(2, 0, 1)
    assert_same(mine, theirs, xs, (state, 2 * state) if kind == "LSTM" else state)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_outputs_can_be_viewed_as_rows(kind, batch_first):
    ys, _ = getattr(memtape.nn, kind)(INPUT, HIDDEN, batch_first=batch_first)(torch.randn(TIME, TIME, INPUT))
    if not batch_first:
        assert ys.view(-1, HIDDEN).shape == (TIME * TIME, HIDDEN)
    assert ys.view(TIME, TIME, 1, HIDDEN).shape == (TIME, TIME, 1, HIDDEN)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_a_state_continues_a_sequence(kind):
    layers = getattr(memtape.nn, kind)(INPUT, HIDDEN, 2).double()
    xs = torch.randn(40, BATCH, INPUT, dtype=torch.float64)
    whole, last = layers(xs)
    first, state = layers(xs[:15])
    second, end = layers(xs[15:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(end, last)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_sixteen_bits_run_in_torch_s_function(kind, dtype, operator_calls):
    mine, theirs = (layers.to(dtype) for layers in of_both(kind))
    xs = torch.randn(TIME, BATCH, INPUT, dtype=dtype)
    with operator_calls:
        found = mine(xs)
    assert not operator_calls.calls
    for one, other in zip(flat(found), flat(theirs(xs)), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_autocast_gives_the_dtypes_of_torch(kind):
    mine, theirs = of_both(kind)
    xs = torch.randn(TIME, BATCH, INPUT)
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = flat(mine(xs)), flat(theirs(xs))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        torch.testing.assert_close(one, other, atol=0.02, rtol=0.02)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_dropout_between_layers_drops_in_training_only(kind):
    layers = getattr(memtape.nn, kind)(INPUT, HIDDEN, 2, dropout=0.5)
    xs = torch.randn(40, BATCH, INPUT)
    assert not torch.equal(layers(xs)[0], layers(xs)[0])
    layers.eval()
    assert torch.equal(layers(xs)[0], layers(xs)[0])


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_dropout_of_everything_leaves_the_biases(kind):
    mine, theirs = (layers.double() for layers in of_both(kind, num_layers=2, dropout=1.0))
    assert_same(mine, theirs, torch.randn(TIME, BATCH, INPUT).double(), None)


@pytest.mark.parametrize(("kind", "time"), [("GRU", 26), ("RNN", 26), ("GRU", 13), ("RNN", 13)])
def test_long_sequences_run_in_the_kernel(kind, time, operator_calls):
    layers = getattr(memtape.nn, kind)(INPUT, HIDDEN, num_layers=2, bidirectional=True)
    with operator_calls:
        layers(torch.randn(time, BATCH, INPUT))
    assert len(operator_calls.calls) == 4


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_packed_sequences_run_in_the_kernel(kind, operator_calls):
    with operator_calls:
        getattr(memtape.nn, kind)(INPUT, HIDDEN)(pack_sequence([torch.randn(3, INPUT), torch.randn(2, INPUT)]))
    assert len(operator_calls.calls) == 1


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_one_step_runs_in_torch_s_function(kind, operator_calls):
    with operator_calls:
        getattr(memtape.nn, kind)(INPUT, HIDDEN)(torch.randn(1, BATCH, INPUT))
    assert not operator_calls.calls
