"""The encoded memory, which is written at once and read by attention."""

import math

import pytest
import torch

from memtape import tree
from memtape.memory import EncodedMemory

BATCH, SLOTS, ENCODED, QUERY, QUERIES = 3, 4, 5, 3, 2
F64 = torch.float64
LENGTHS = torch.tensor([4, 2, 0])


def random(*shape):
    return torch.randn(*shape, dtype=F64)


def memory_of(attention, **options):
    query = ENCODED if attention == "dot" else QUERY
    memory = EncodedMemory(ENCODED, query, attention=attention, **options).double()
    for parameter in memory.parameters():
        torch.nn.init.normal_(parameter)
    return memory, random(BATCH, QUERIES, query)


def product(matrix, vector):
    return [sum(float(a) * float(b) for a, b in zip(row, vector, strict=True)) for row in matrix]


def score(memory, s, h):
    """Compute e(s, h) one number at a time."""
    if memory.attention == "dot":
        return sum(float(a) * float(b) for a, b in zip(s, h, strict=True))
    projected = product(memory.to_keys.weight, h)
    if memory.attention == "general":
        return sum(float(a) * b for a, b in zip(s, projected, strict=True))
    asked = product(memory.to_query.weight, s)
    parts = zip(memory.direction, asked, projected, memory.to_keys.bias, strict=True)
    return sum(float(v) * math.tanh(a + b + float(c)) for v, a, b, c in parts)


@torch.no_grad()
@pytest.mark.parametrize("attention", ["additive", "dot", "general"])
def test_reading_computes_its_equations(attention):
    memory, queries = memory_of(attention)
    vectors = random(BATCH, SLOTS, ENCODED)
    written = memory.write(vectors, LENGTHS)
    weights, reads = memory.weights(queries, written), memory(queries, written)
    for b, length in enumerate(LENGTHS.tolist()):
        for i in range(QUERIES):
            powers = [math.exp(score(memory, queries[b, i], vectors[b, j])) for j in range(length)]
            expected = [power / sum(powers) for power in powers] + [0.0] * (SLOTS - length)
            torch.testing.assert_close(weights[b, i], torch.tensor(expected, dtype=F64), rtol=1e-10, atol=1e-12)
            seen = [sum(expected[j] * float(vectors[b, j, k]) for j in range(SLOTS)) for k in range(ENCODED)]
            torch.testing.assert_close(reads[b, i], torch.tensor(seen, dtype=F64), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("attention", ["additive", "dot", "general"])
@pytest.mark.parametrize("garbage", [float("nan"), 1e30])
def test_padding_has_no_influence_on_reads_or_gradients(attention, garbage, equal_up_to_rounding):
    memory, queries = memory_of(attention)
    vectors = random(BATCH, SLOTS, ENCODED)
    padding = (torch.arange(SLOTS) >= LENGTHS[:, None])[..., None]
    dirty = torch.where(padding, garbage, vectors).requires_grad_()
    reads = memory(queries, memory.write(dirty, LENGTHS))
    equal_up_to_rounding(reads, memory(queries, memory.write(vectors, LENGTHS)))
    assert not reads[2].any()
    gradients = torch.autograd.grad((reads**2).sum(), [dirty, *memory.parameters()])
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert not gradients[0][padding.expand_as(vectors)].any()


@pytest.mark.parametrize("attention", ["additive", "dot", "general"])
def test_queries_and_rows_are_independent(attention):
    memory, queries = memory_of(attention)
    vectors = random(BATCH, SLOTS, ENCODED)
    written = memory.write(vectors, LENGTHS)
    together = memory(queries, written)
    for row in range(BATCH):
        for number in range(QUERIES):
            one = memory(queries[row : row + 1, number : number + 1], tree.rows(written, row, row + 1))
            torch.testing.assert_close(one[0, 0], together[row, number], rtol=1e-12, atol=1e-12)
    short = memory.write(vectors[1:2, :2])
    torch.testing.assert_close(memory(queries[1:2], short), together[1:2], rtol=1e-12, atol=1e-12)


def test_general_attention_is_the_dot_product_after_a_matrix():
    general, dot = (
        EncodedMemory(ENCODED, ENCODED, attention="general"),
        EncodedMemory(ENCODED, ENCODED, attention="dot"),
    )
    torch.nn.init.eye_(general.to_keys.weight)
    vectors, queries = torch.randn(BATCH, SLOTS, ENCODED), torch.randn(BATCH, QUERIES, ENCODED)
    torch.testing.assert_close(general(queries, general.write(vectors)), dot(queries, dot.write(vectors)))


@pytest.mark.parametrize("attention", ["additive", "general"])
def test_every_parameter_has_a_gradient(attention):
    memory, queries = memory_of(attention)
    memory(queries, memory.write(random(BATCH, SLOTS, ENCODED), LENGTHS)).pow(2).sum().backward()
    for name, parameter in memory.named_parameters():
        assert parameter.grad.any(), name


def test_the_additive_score_may_have_another_width():
    memory, queries = memory_of("additive", width=7)
    assert memory.direction.shape == (7,)
    assert memory(queries, memory.write(random(BATCH, SLOTS, ENCODED))).shape == (BATCH, QUERIES, ENCODED)


def test_a_dot_product_needs_one_size():
    with pytest.raises(
        ValueError,
        match='attention is "dot", but queries have size 3 and encoded vectors 5; choose "general", or make the sizes equal',
    ):
        EncodedMemory(5, 3, attention="dot")


def test_only_the_additive_score_has_a_width():
    with pytest.raises(ValueError, match='width is 7, but only "additive" attention has tanh units; leave width out'):
        EncodedMemory(5, 3, attention="general", width=7)


@pytest.mark.parametrize("name", ["encoded_size", "query_size", "width"])
def test_sizes_of_at_least_1_are_needed(name):
    with pytest.raises(ValueError, match=f"{name} of EncodedMemory is 0, but it must be at least 1"):
        EncodedMemory(**({"encoded_size": 2, "query_size": 2} | {name: 0}))


def test_an_unknown_score_is_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="attention is 'cosine', but it must be one of 'additive', 'dot', 'general'"):
        EncodedMemory(2, 2, attention="cosine")
