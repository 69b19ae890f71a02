"""Fast weights: the equations of the paper one scalar at a time, the golden example, and the form of attention to the past."""

import math

import pytest
import torch

from memtape import FastWeights, unroll
from memtape.cells import FastWeightsCell, FeedforwardCell, Stacked
from memtape.ops import attend_to_the_past, fast_weights_after

F64 = torch.float64
INPUT, HIDDEN = 3, 4


def cell_of(**options):
    cell = FastWeightsCell(INPUT, HIDDEN, **options).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return cell


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def normalised(sums, gain, bias):
    mean = sum(sums) / len(sums)
    variance = sum((z - mean) ** 2 for z in sums) / len(sums)
    return [(z - mean) / math.sqrt(variance + 1e-5) * g + b for z, g, b in zip(sums, gain, bias, strict=True)]


@pytest.mark.parametrize("inner_steps", [1, 3])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_it_computes_the_equations_of_the_paper(layer_norm, inner_steps):
    cell = cell_of(decay=0.8, rate=0.3, layer_norm=layer_norm, inner_steps=inner_steps)
    w = {name: value.tolist() for name, value in cell.state_dict().items()}
    xs = torch.randn(1, 5, INPUT, dtype=F64)
    ys, last, _ = unroll(cell, xs)
    hidden = [0.0] * HIDDEN
    fast = [[0.0] * HIDDEN for _ in range(HIDDEN)]
    for t, x in enumerate(xs[0].tolist()):
        fast = [[0.8 * fast[i][j] + 0.3 * hidden[i] * hidden[j] for j in range(HIDDEN)] for i in range(HIDDEN)]
        slow = [dot(w["from_hidden.weight"][i], hidden) + dot(w["from_input.weight"][i], x) for i in range(HIDDEN)]
        inner = [max(z, 0.0) for z in slow]
        for _ in range(inner_steps):
            sums = [slow[i] + dot(fast[i], inner) for i in range(HIDDEN)]
            sums = normalised(sums, w["norm.weight"], w["norm.bias"]) if layer_norm else sums
            inner = [max(z, 0.0) for z in sums]
        hidden = inner
        assert ys[0, t].tolist() == pytest.approx(hidden)
    fast = [[0.8 * fast[i][j] + 0.3 * hidden[i] * hidden[j] for j in range(HIDDEN)] for i in range(HIDDEN)]
    torch.testing.assert_close(last.fast[0], torch.tensor(fast, dtype=F64))
    assert last.hidden[0].tolist() == ys[0, -1].tolist()


def test_the_golden_example():
    cell = FastWeightsCell(2, 2, decay=0.9, rate=0.5, layer_norm=False).double()
    with torch.no_grad():
        cell.from_hidden.weight.copy_(torch.tensor([[0.5, -0.2], [0.1, 0.4]]))
        cell.from_input.weight.copy_(torch.eye(2))
    xs = torch.tensor([[[1, 0.5], [-0.3, 0.8], [1, 0.5]]], dtype=F64)
    ys, _, _ = unroll(cell, xs)
    assert ys.flatten().tolist() == pytest.approx([1, 0.5, 0.425, 1.2625, 1.99541211, 2.47370215], abs=1e-7)
    _, state, _ = unroll(cell, xs[:, :2])
    assert state.fast.flatten().tolist() == pytest.approx([0.5403125, 0.49328125, 0.49328125, 0.90945313], abs=1e-7)


def test_the_product_with_fast_weights_is_attention_to_the_past():
    past, query = torch.randn(2, 7, 5, dtype=F64), torch.randn(2, 5, dtype=F64)
    fast = torch.zeros(2, 5, 5, dtype=F64)
    for hidden in past.unbind(1):
        fast = fast_weights_after(fast, hidden, 0.9, 0.5)
    expected = (fast @ query[..., None])[..., 0]
    torch.testing.assert_close(attend_to_the_past(query, past, 0.9, 0.5), expected, rtol=1e-12, atol=1e-12)


def test_without_a_rate_and_a_norm_it_is_a_plain_recurrent_network():
    cell = cell_of(rate=0.0, layer_norm=False, activation="tanh")
    xs = torch.randn(2, 6, INPUT, dtype=F64)
    hidden = torch.zeros(2, HIDDEN, dtype=F64)
    for t in range(6):
        hidden = torch.tanh(cell.from_hidden(hidden) + cell.from_input(xs[:, t]))
    torch.testing.assert_close(unroll(cell, xs)[0][:, -1], hidden)


def test_the_slow_weights_start_at_a_small_identity_and_the_norm_bounds_hidden_vectors():
    torch.testing.assert_close(FastWeightsCell(2, 3).from_hidden.weight.detach(), 0.05 * torch.eye(3))
    xs = torch.randn(1, 200, INPUT, dtype=F64)
    largest = {}
    for layer_norm in (False, True):
        torch.manual_seed(1)
        largest[layer_norm] = unroll(FastWeightsCell(INPUT, HIDDEN, layer_norm=layer_norm).double(), xs)[0].max().item()
    assert largest[True] < 2  # the root of 3, the largest entry of a normalised vector of 4
    assert not largest[False] < 100


def test_views_are_of_the_step_and_a_network_has_embedding_and_readout():
    network = FastWeights(7, 3, hidden_size=4, embedding_size=5, readout_size=6)
    symbols = torch.randint(0, 7, (1, 8))
    ys, state = network(symbols)
    assert ys.shape == (1, 8, 3)
    trace = network.trace(symbols)
    assert trace["hidden"].shape == (8, 4)
    assert trace["fast_weights"][0] == pytest.approx(state.layers[0].fast[0].detach().numpy(), abs=1e-6)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"inner_steps": 0}, "inner_steps of FastWeightsCell is 0, but it must be at least 1"),
        ({"decay": 1.5}, r"decay is 1\.5, but it is a probability"),
        ({"rate": -0.5}, r"rate is -0\.5, but it must be finite and above 0"),
        ({"hidden_size": 0}, "hidden_size of FastWeightsCell is 0"),
        ({"readout_size": 0}, "readout_size is 0, but it must be at least 1"),
        ({"embedding_size": 0}, "embedding_size is 0, but it must be at least 1"),
    ],
)
def test_wrong_options_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        FastWeights(3, 2, **options)


def test_an_unknown_activation_is_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="activation is 'softmax', but it must be one of"):
        FastWeightsCell(3, 4, activation="softmax")


def test_a_stack_shows_the_views_of_its_only_layer_that_has_some():
    upper, lower = FastWeightsCell(HIDDEN, HIDDEN), FastWeightsCell(INPUT, HIDDEN)
    x = torch.randn(2, INPUT)
    one = Stacked([FeedforwardCell(INPUT, INPUT), lower])
    shown = one.views(x, one.init_state(2))
    expected = lower.views(one.layers[0].layer(x).tanh(), lower.init_state(2))
    assert [view.name for view in shown] == ["hidden", "fast_weights"]
    assert torch.equal(shown[0].values, expected[0].values)
    two = Stacked([lower, upper])
    assert two.views(x, two.init_state(2)) == ()
