"""Networks that read both ways take the arguments of `Recurrent`: packed inputs, lists of lengths, starts and collect."""

import re

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence, pad_packed_sequence

from memtape import BiDNC, BiGRU, BiLSTM, tree
from memtape.cells import GRUCell, Layers
from memtape.core.recurrent import Recurrent

ROWS, TIME, INPUT, OUTPUT = 3, 6, 4, 2
LENGTHS = [4, 6, 1]
SMALL = {"slots": 5, "width": 3, "controller_size": 4}
NETWORKS = {
    "bilstm": lambda **options: BiLSTM(INPUT, OUTPUT, hidden_size=3, layers=2, **options),
    "bigru": lambda **options: BiGRU(INPUT, OUTPUT, hidden_size=3, **options),
    "bidnc": lambda: BiDNC(INPUT, OUTPUT, **SMALL),
}
SUMMARIES = ["steps", "ends", "mean", "max"]


@pytest.fixture(params=NETWORKS)
def network(request):
    return NETWORKS[request.param]().double()


@pytest.fixture
def xs():
    return torch.randn(ROWS, TIME, INPUT, dtype=torch.float64)


def leaves(state):
    return list(tree.named_tensors(state).values())


@pytest.mark.parametrize("sort", [True, False])
def test_packed_inputs_give_packed_outputs_of_the_same_rows(network, xs, sort, equal_up_to_rounding):
    rows = [1, 0, 2] if sort else [0, 1, 2]
    lengths = torch.tensor(LENGTHS)[rows]
    packed = pack_padded_sequence(xs[rows], lengths, batch_first=True, enforce_sorted=sort)
    ys, state = network(packed)
    expected, last = network(xs[rows], lengths=lengths)
    assert isinstance(ys, PackedSequence)
    padded, found = pad_packed_sequence(ys, batch_first=True)
    equal_up_to_rounding(padded, expected)
    assert found.tolist() == lengths.tolist()
    equal_up_to_rounding(leaves(state), leaves(last))
    with pytest.raises(ValueError, match="lengths were given with a PackedSequence"):
        network(packed, lengths=lengths)


def test_packed_symbols_are_taken(network, equal_up_to_rounding):
    rows = [torch.tensor([3, 0, 2], dtype=torch.int16), torch.tensor([1], dtype=torch.int16)]
    ys, _ = network(pack_sequence(rows))
    padded, _ = pad_packed_sequence(ys, batch_first=True)
    for row, symbols in enumerate(rows):
        equal_up_to_rounding(padded[row, : len(symbols)], network(symbols[None])[0][0])


@pytest.mark.parametrize("form", [list, tuple, lambda lengths: torch.tensor(lengths, dtype=torch.uint8)])
def test_lengths_are_a_list_or_small_integers(network, xs, form, equal_up_to_rounding):
    equal_up_to_rounding(network(xs, lengths=form(LENGTHS))[0], network(xs, lengths=torch.tensor(LENGTHS))[0])


def starts_and_pieces():
    """Return starts inside rows, one of them in padding, and the pieces (row, first, end) that they make."""
    starts = torch.zeros(ROWS, TIME, dtype=torch.bool)
    starts[0, 2] = starts[0, 5] = starts[1, 0] = starts[1, 1] = starts[1, 4] = True
    return starts, [(0, 0, 2), (0, 2, 4), (1, 0, 1), (1, 1, 4), (1, 4, 6), (2, 0, 1)]


@pytest.mark.parametrize(
    "build",
    [*(lambda s=s, n=n: NETWORKS[n](summary=s) for n in ("bilstm", "bigru") for s in SUMMARIES), NETWORKS["bidnc"]],
)
def test_every_piece_between_starts_is_a_sequence_of_its_own(build, xs, equal_up_to_rounding):
    network = build().double()
    starts, pieces = starts_and_pieces()
    xs.requires_grad_()
    ys, _ = network(xs, lengths=LENGTHS, starts=starts)
    expected = torch.zeros_like(ys)
    for row, first, end in pieces:
        expected[row, first:end] = network(xs[row : row + 1, first:end])[0][0]
    equal_up_to_rounding(ys, expected)
    weights = torch.randn_like(ys)
    (gradient,) = torch.autograd.grad((weights * ys).sum(), xs)
    (wanted,) = torch.autograd.grad((weights * expected).sum(), xs)
    equal_up_to_rounding(gradient, wanted)


@pytest.mark.parametrize("name", ["bilstm", "bigru"])
def test_collect_receives_the_states_of_both_directions_at_every_step(name, xs, equal_up_to_rounding):
    network = NETWORKS[name]().double()
    ys, last, trace = network(xs, lengths=LENGTHS, collect=lambda state: state.layers[-1])
    expected, final = network(xs, lengths=LENGTHS)
    equal_up_to_rounding([ys, *leaves(last)], [expected, *leaves(final)])
    assert trace.forwards.hidden.shape == trace.backwards.hidden.shape == (ROWS, TIME, 3)
    readout = network.to_output(torch.cat([trace.forwards.hidden, trace.backwards.hidden], dim=-1))
    for row, length in enumerate(LENGTHS):
        equal_up_to_rounding(readout[row, :length], ys[row, :length])
        beyond = trace.forwards.hidden[row, length:]
        equal_up_to_rounding(beyond, final.layers[-1].forwards.hidden[row].expand_as(beyond))
        equal_up_to_rounding(trace.backwards.hidden[row, 0], final.layers[-1].backwards.hidden[row])


def test_the_machine_of_a_bidnc_is_collected_at_every_step(xs, equal_up_to_rounding):
    network = NETWORKS["bidnc"]().double()
    packed = pack_padded_sequence(xs, torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False)
    ys, last, trace = network(packed, collect=lambda state: state.memory.usage)
    assert isinstance(ys, PackedSequence)
    assert trace.shape == (ROWS, TIME, 5)
    equal_up_to_rounding(trace[:, -1], last.forwards.memory.usage)


def test_layers_collect_from_all_of_them(xs, equal_up_to_rounding):
    layers = Layers([Recurrent(GRUCell(INPUT, 3)), Recurrent(GRUCell(3, 2))]).double()
    ys, _, (below, above) = layers(xs, collect=lambda state: (state.layers[0].hidden, state.layers[1].hidden))
    equal_up_to_rounding(above, ys)
    equal_up_to_rounding(below, layers.layers[0](xs)[0])


def test_another_state_is_refused(network, xs, shapes_unchecked):
    with pytest.raises(ValueError, match="the state is a tuple of another structure than the state of Bi"):
        network(xs, (torch.zeros(ROWS, 3), torch.zeros(ROWS, 3)))


def test_inputs_of_another_size_are_refused(shapes_unchecked):
    network = BiGRU(INPUT, OUTPUT, hidden_size=3, embedding_size=2)
    message = f"the inputs have shape (3, 6, 5), but BiGRU takes (batch, time, {INPUT})"
    with pytest.raises(ValueError, match=re.escape(message)):
        network(torch.zeros(ROWS, TIME, 5))
