"""The decoder against its equations, with attention before or after the step; whole sequences equal single steps."""

import math

import pytest
import torch

from memtape import tree
from memtape.cells import Conditioned, ElmanCell, GRUCell, LSTMCell, Stacked
from memtape.memory import EncodedMemory
from memtape.models.seq2seq.decoder import Decoder

INPUT, HIDDEN, ENCODED, SLOTS, OUTPUT, BATCH, TIME = 2, 3, 4, 5, 3, 3, 4
SOURCES, LENGTHS = torch.tensor([5, 2, 0]), torch.tensor([4, 0, 3])
F64 = torch.float64


def decoder_of(kind, *, attention="additive", attend_first=True, into="state", layers=1):
    memory = EncodedMemory(ENCODED, HIDDEN, attention=attention) if attention else None
    seen = INPUT + ENCODED * (bool(memory) and attend_first) + ENCODED * (into != "state")
    stack = Stacked([kind(below, HIDDEN) for below in [seen] + [HIDDEN] * (layers - 1)])
    decoder = Decoder(Conditioned(stack, ENCODED, into=into), memory, OUTPUT, attend_first=attend_first).double()
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter)
    return decoder


@pytest.fixture
def xs():
    return torch.randn(BATCH, TIME, INPUT, dtype=F64)


@pytest.fixture
def encoded():
    return torch.randn(BATCH, ENCODED, dtype=F64), torch.randn(BATCH, SLOTS, ENCODED, dtype=F64), SOURCES


def linear(layer, vector):
    bias = [0.0] * layer.out_features if layer.bias is None else layer.bias.tolist()
    rows = zip(layer.weight.tolist(), bias, strict=True)
    return [sum(w * x for w, x in zip(row, vector, strict=True)) + b for row, b in rows]


def read(memory, s, h):
    """Compute additive attention one number at a time."""
    query, v = linear(memory.to_query, s), memory.direction.tolist()
    powers = []
    for vector in h:
        k = linear(memory.to_keys, vector)
        powers.append(math.exp(sum(v[i] * math.tanh(query[i] + k[i]) for i in range(HIDDEN))))
    return [sum(p / sum(powers) * vector[i] for p, vector in zip(powers, h, strict=True)) for i in range(ENCODED)]


@torch.no_grad()
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("attend_first", [True, False])
def test_attention_before_and_after_the_step_computes_its_equations(xs, encoded, attend_first, layers):
    decoder = decoder_of(ElmanCell, attend_first=attend_first, layers=layers)
    ys, _ = decoder(xs, decoder.begin(*encoded), torch.full((BATCH,), TIME))
    context, vectors, lengths = encoded
    for row in range(BATCH):
        h = vectors[row, : lengths[row]].tolist()
        s = [[math.tanh(n) for n in linear(layer, context[row].tolist())] for layer in decoder.cell.to_state]
        for t in range(TIME):
            x = xs[row, t].tolist()
            if attend_first:
                c = read(decoder.memory, s[-1], h)
                x = x + c
            for number, cell in enumerate(decoder.cell.cell.layers):
                fed, back = linear(cell.from_input, x), linear(cell.from_hidden, s[number])
                x = s[number] = [math.tanh(a + b) for a, b in zip(fed, back, strict=True)]
            if not attend_first:
                c = read(decoder.memory, s[-1], h)
            mixed = [math.tanh(n) for n in linear(decoder.mix, s[-1] + c)]
            expected = torch.tensor(linear(decoder.to_output, mixed), dtype=F64)
            torch.testing.assert_close(ys[row, t], expected, rtol=1e-10, atol=1e-12)


@torch.no_grad()
def test_a_decoder_with_a_context_vector_computes_its_equations(xs, encoded):
    decoder = decoder_of(ElmanCell, attention=None, into="both")
    cell = decoder.cell.cell.layers[0]
    ys, _ = decoder(xs, decoder.begin(*encoded), torch.full((BATCH,), TIME))
    for row in range(BATCH):
        c = encoded[0][row].tolist()
        s = [math.tanh(number) for number in linear(decoder.cell.to_state[0], c)]
        for t in range(TIME):
            fed, back = linear(cell.from_input, xs[row, t].tolist() + c), linear(cell.from_hidden, s)
            s = [math.tanh(a + b) for a, b in zip(fed, back, strict=True)]
            expected = torch.tensor(linear(decoder.to_output, s), dtype=F64)
            torch.testing.assert_close(ys[row, t], expected, rtol=1e-10, atol=1e-12)


FORMS = [
    {"attention": "additive"},
    {"attention": "additive", "attend_first": False, "layers": 2},
    {"attention": "general", "into": "both", "layers": 2},
    {"attention": "general", "attend_first": False, "into": "input"},
    {"attention": None, "into": "input"},
    {"attention": None, "into": "both", "layers": 2},
]


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("kind", [LSTMCell, GRUCell])
def test_whole_sequences_equal_single_steps(xs, encoded, kind, form):
    decoder = decoder_of(kind, **form)
    parts, initial = [], decoder.begin(*encoded)
    state = initial
    for t in range(TIME):
        y, moved = decoder.step(xs[:, t], state)
        state = tree.select(t < LENGTHS, moved, state)
        parts.append(torch.where((t < LENGTHS)[:, None], y, 0))
    stepped = torch.stack(parts, dim=1)
    ys, last = decoder(xs, initial, LENGTHS)
    torch.testing.assert_close(ys, stepped, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(tree.named_tensors(last), tree.named_tensors(state), rtol=1e-10, atol=1e-12)
    parameters = list(decoder.parameters())
    factor = torch.randn_like(ys)
    first, second = (torch.autograd.grad((out * factor).sum(), parameters, retain_graph=True) for out in (ys, stepped))
    for (name, _), one, other in zip(decoder.named_parameters(), first, second, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)
        assert one.any(), name


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_padding_has_no_influence_on_outputs_or_gradients(xs, encoded, form, equal_up_to_rounding):
    decoder = decoder_of(GRUCell, **form)
    padding = (torch.arange(TIME) >= LENGTHS[:, None])[..., None]
    dirty = torch.where(padding, 1e3, xs).requires_grad_()
    ys, last = decoder(dirty, decoder.begin(*encoded), LENGTHS)
    clean, end = decoder(xs, decoder.begin(*encoded), LENGTHS)
    equal_up_to_rounding(ys, clean)
    assert not ys[padding.expand_as(ys)].any()
    equal_up_to_rounding(tree.named_tensors(last), tree.named_tensors(end))
    (gradient,) = torch.autograd.grad(ys.sum(), dirty)
    assert not gradient[padding.expand_as(gradient)].any()


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_rows_are_independent(xs, encoded, form):
    decoder = decoder_of(LSTMCell, **form)
    initial = decoder.begin(*encoded)
    ys, _ = decoder(xs, initial, LENGTHS)
    for row in range(BATCH):
        alone, _ = decoder(xs[row : row + 1], tree.rows(initial, row, row + 1), LENGTHS[row : row + 1])
        torch.testing.assert_close(alone, ys[row : row + 1], rtol=1e-12, atol=1e-12)


def test_attention_before_the_step_influences_later_steps():
    """The read at the first step influences the hidden vectors if it is an input of the step, and else the logits
    alone.
    """
    for attend_first in (True, False):
        decoder = decoder_of(GRUCell, attend_first=attend_first)
        context, vectors = torch.randn(1, ENCODED, dtype=F64), torch.randn(1, SLOTS, ENCODED, dtype=F64)
        xs = torch.randn(1, TIME, INPUT, dtype=F64)
        ends = [
            decoder(xs, decoder.begin(context, seen, torch.tensor([SLOTS])), torch.tensor([TIME]))[1].cell.cell
            for seen in (vectors, vectors + 1)
        ]
        assert torch.equal(ends[0].layers[0].hidden, ends[1].layers[0].hidden) == (not attend_first)


def test_dropout_before_the_readout_is_active_in_training_only(xs, encoded):
    decoder = decoder_of(GRUCell, attend_first=False)
    decoder.dropout.p = 0.5
    state, lengths = decoder.begin(*encoded), torch.full((BATCH,), TIME)
    assert not torch.equal(decoder(xs, state, lengths)[0], decoder(xs, state, lengths)[0])
    decoder.eval()
    assert torch.equal(decoder(xs, state, lengths)[0], decoder(xs, state, lengths)[0])
