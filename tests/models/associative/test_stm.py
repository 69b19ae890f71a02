"""STM: a step by scalar loops, the facts of its three scalars, its initial memories and its views."""

import dataclasses
import math

import pytest
import torch

from memtape import STM, unroll
from memtape.models.associative.stm import STMCell, STMState
from memtape.ops import feature_similarities, outer_product_attention

INPUT, OUTPUT, QUERIES, WIDTH = 3, 2, 2, 4
F64 = torch.float64


def cell_with(*scalars, **options):
    """Return a small cell in float64 whose scalars have the given values, and whose parameters are random."""
    cell = STMCell(
        INPUT, OUTPUT, queries=QUERIES, width=WIDTH, relation_size=3, summary_size=2, mlp_size=5, **options
    ).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        for parameter, value in zip(scalars_of(cell), scalars, strict=True):
            parameter.fill_(value)
    return cell


def scalars_of(cell):
    return cell.retention, cell.recall_strength, cell.transfer_strength


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


class Loops:
    """The step of the paper and of the authors' code, one scalar at a time."""

    def __init__(self, cell):
        self.w = {name: value.tolist() for name, value in cell.state_dict().items()}
        self.gated = cell.gates is not None

    def linear(self, name, x):
        biases = self.w.get(f"{name}.bias", [0.0] * len(self.w[f"{name}.weight"]))
        return [
            sum(w * entry for w, entry in zip(row, x, strict=True)) + bias
            for row, bias in zip(self.w[f"{name}.weight"], biases, strict=True)
        ]

    def step(self, x, items, relations):
        d, n, w = WIDTH, QUERIES, self.w
        item, key = self.linear("to_item", x), self.linear("to_key", x)
        exponents = [math.exp(logit) for logit in self.linear("to_weights", x)]
        weights = [exponent / sum(exponents) for exponent in exponents]

        written = [[0.0] * d for _ in range(d)]
        from_item = self.linear("gates.from_item", item) if self.gated else None
        for i in range(d):
            if self.gated:
                from_memory = self.linear("gates.from_memory", [math.tanh(entry) for entry in items[i]])
                gates = [sigmoid(a + b) for a, b in zip(from_item, from_memory, strict=True)]
            for j in range(d):
                if self.gated:
                    written[i][j] = gates[d + j] * items[i][j] + gates[j] * math.tanh(item[i] * item[j])
                else:
                    written[i][j] = items[i][j] + item[i] * item[j]

        reading = [sum(weights[s] * key[i] * relations[s][i][f] for s in range(n) for i in range(d)) for f in range(d)]
        recalled = [[written[i][j] + w["recall_strength"] * reading[i] * key[j] for j in range(d)] for i in range(d)]
        mapped = [self.linear("to_attention", row) for row in recalled]
        entries = [entry for row in mapped for entry in row]
        mean = sum(entries) / len(entries)
        variance = sum((entry - mean) ** 2 for entry in entries) / len(entries)
        normed = [
            [
                (mapped[i][c] - mean) / math.sqrt(variance + 1e-5) * w["norm.weight"][i][c] + w["norm.bias"][i][c]
                for c in range(3 * n)
            ]
            for i in range(d)
        ]
        related = [
            [
                [
                    sum(math.tanh(normed[i][s] * normed[i][n + k]) * normed[f][2 * n + k] for k in range(n))
                    for f in range(d)
                ]
                for i in range(d)
            ]
            for s in range(n)
        ]
        after = [
            [[w["retention"] * relations[s][i][f] + related[s][i][f] for f in range(d)] for i in range(d)]
            for s in range(n)
        ]
        for f in range(d):
            column = [related[s][i][f] for s in range(n) for i in range(d)]
            transferred = self.linear("transfer", column)
            for e in range(d):
                written[f][e] += w["transfer_strength"] * (transferred[e] + w["transfer_bias"][e])

        joined = [entry for s in range(n) for entry in self.linear("to_relation", [v for row in after[s] for v in row])]
        hidden = self.linear("to_output.0", joined)
        for layer in ("to_output.1", "to_output.3"):
            hidden = [max(0.0, entry) for entry in self.linear(layer, hidden)]
        return self.linear("to_output.5", hidden), written, after


@pytest.mark.parametrize("item_write", ["gated", "sum"])
def test_it_computes_the_equations_of_the_paper(item_write):
    cell = cell_with(0.6, -0.8, 0.7, item_write=item_write)
    xs = torch.randn(2, 3, INPUT, dtype=F64)
    ys, last, _ = unroll(cell, xs)
    loops = Loops(cell)
    for row in range(2):
        items, relations = cell.initial_items.tolist(), cell.initial_relations.tolist()
        for x, y in zip(xs[row].tolist(), ys[row].tolist(), strict=True):
            expected, items, relations = loops.step(x, items, relations)
            assert y == pytest.approx(expected, rel=1e-10, abs=1e-12)
        torch.testing.assert_close(last.items[row], torch.tensor(items, dtype=F64), rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(last.relations[row], torch.tensor(relations, dtype=F64), rtol=1e-10, atol=1e-12)


def test_the_scalars_are_0_at_first_and_the_relations_those_of_the_items_of_the_step_alone():
    cell = STMCell(INPUT, OUTPUT, queries=QUERIES, width=WIDTH).double()
    assert [scalar.item() for scalar in scalars_of(cell)] == [0, 0, 0]
    xs = torch.randn(2, 4, INPUT, dtype=F64)
    _, last, _ = unroll(cell, xs)
    queries, keys, values = cell.norm(cell.to_attention(last.items)).mT.chunk(3, 1)
    alone = outer_product_attention(feature_similarities(queries, keys), values)
    torch.testing.assert_close(last.relations, alone, rtol=1e-12, atol=1e-12)
    other = dataclasses.replace(last, relations=torch.randn_like(last.relations))
    x = torch.randn(2, INPUT, dtype=F64)
    for first, second in zip(cell(x, last)[1].state_fields, ("items", "relations"), strict=True):
        assert first == second
        torch.testing.assert_close(getattr(cell(x, last)[1], first), getattr(cell(x, other)[1], first))


def test_the_retention_has_a_gradient_through_carried_relations_alone():
    cell = STMCell(INPUT, OUTPUT, queries=QUERIES, width=WIDTH).double()
    empty = STMState(
        items=torch.zeros(1, WIDTH, WIDTH, dtype=F64), relations=torch.zeros(1, QUERIES, WIDTH, WIDTH, dtype=F64)
    )
    xs = torch.randn(1, 2, INPUT, dtype=F64)
    for steps, reached in ((1, False), (2, True)):
        cell.zero_grad()
        ys, _, _ = unroll(cell, xs[:, :steps], empty)
        ys.sum().backward()
        assert bool(cell.retention.grad != 0) is reached


def test_the_normalisation_is_over_all_entries_of_one_sequence():
    cell = cell_with(0.0, 0.0, 0.0, item_write="sum")
    assert tuple(cell.norm.normalized_shape) == (WIDTH, 3 * QUERIES)


@pytest.mark.parametrize("width", [4, 60])
def test_the_initial_memories_are_learned_and_uniform(width):
    cell = STMCell(INPUT, OUTPUT, queries=3, width=width)
    for memory, count in ((cell.initial_items, 2 * width), (cell.initial_relations, 2 * width + 3)):
        assert memory.requires_grad
        assert memory.abs().max() <= count**-0.5
        if width == 60:
            assert memory.abs().max() > 0.99 * count**-0.5
            assert memory.std().item() == pytest.approx((3 * count) ** -0.5, rel=0.05)


def test_the_gates_keep_more_than_they_write_at_first():
    gates = STMCell(INPUT, OUTPUT, queries=QUERIES, width=WIDTH).gates
    assert gates.from_item.bias.tolist() == [0.0] * WIDTH + [1.0] * WIDTH
    assert STMCell(INPUT, OUTPUT, queries=QUERIES, width=WIDTH, item_write="sum").gates is None


def test_the_published_sizes_have_the_parameters_of_the_authors_network():
    """Counted from the layers of the authors' code at 40 inputs, 8 outputs and a width of 128 without gates."""
    d, n, relation, summary, units, inputs, outputs = 128, 8, 96, 64, 128, 40, 8
    layers = [(inputs, d), (inputs, d), (inputs, n), (d, 3 * n), (n * d, d), (d * d, relation), (n * relation, summary)]
    layers += [(summary, units), (units, units), (units, outputs)]
    expected = sum((given + 1) * size for given, size in layers) + 2 * d * 3 * n + 3 + d * d + n * d * d
    network = STM(inputs, outputs, width=d, item_write="sum")
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_the_views_show_both_memories_after_the_step():
    cell = cell_with(0.6, -0.8, 0.7)
    x, before = torch.randn(2, INPUT, dtype=F64), cell.init_state(2)
    _, after = cell(x, before)
    views = {view.name: view for view in cell.views(x, before)}
    assert set(views) == {"query_weights", "items", "relations"}
    torch.testing.assert_close(views["query_weights"].values.sum(-1), torch.ones(2, dtype=F64))
    assert torch.equal(views["items"].values, after.items)
    assert torch.equal(views["relations"].values, after.relations)
    assert views["relations"].heads == QUERIES


@pytest.mark.parametrize("name", ["queries", "width", "relation_size", "summary_size", "mlp_size"])
def test_a_size_below_1_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} of .*Cell is 0, but it must be at least 1; give a larger {name}"):
        STM(INPUT, OUTPUT, **{name: 0})


def test_an_unknown_item_write_is_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="item_write is 'mean', but it must be one of"):
        STM(INPUT, OUTPUT, item_write="mean")
