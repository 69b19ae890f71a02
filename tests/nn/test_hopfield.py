"""The Hopfield layers: equality with torch's attention and with the network, padding, stopping, pooling and look-up."""

import pytest
import torch
from torch import nn

from memtape.memory import ModernHopfieldNetwork
from memtape.nn import Hopfield, HopfieldLayer, HopfieldPooling

F64 = torch.float64
PATTERNS = torch.tensor([[[1, 0], [0, 1], [-0.8, 0.6]]], dtype=F64)
START = torch.tensor([[[0.9, 0.5]]], dtype=F64)


def moved(module):
    """Return a layer with every parameter moved away from its initial value."""
    module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return module


@pytest.mark.parametrize("heads", [1, 2])
def test_with_one_update_it_is_the_attention_of_torch(heads):
    layer = moved(Hopfield(6, stored_size=5, projection_size=4, hidden_size=6 // heads, heads=heads, normalise=False))
    reference = nn.MultiheadAttention(6, heads, kdim=5, vdim=4, batch_first=True, dtype=F64)
    projections = (layer.to_query, layer.to_key, layer.to_value)
    with torch.no_grad():
        for name, part in zip("qkv", projections, strict=True):
            getattr(reference, f"{name}_proj_weight").copy_(part.weight)
        reference.in_proj_bias.copy_(torch.cat([part.bias for part in projections]))
        reference.out_proj.load_state_dict(layer.to_output.state_dict())
    states, stored, values = (torch.randn(3, *size, dtype=F64) for size in ((2, 6), (7, 5), (7, 4)))
    present = torch.arange(7) < torch.tensor([7, 4, 1])[:, None]
    expected, weights = reference(states, stored, values, key_padding_mask=~present, average_attn_weights=False)
    torch.testing.assert_close(layer(states, stored, values, present=present), expected)
    torch.testing.assert_close(layer.weights(states, stored, present=present), weights)


@pytest.mark.parametrize("updates", [1, 2, 3])
def test_a_static_layer_is_the_network(updates):
    layer = Hopfield(2, static=True, beta=8.0, updates=updates)
    assert not list(layer.parameters())
    network, state = ModernHopfieldNetwork(PATTERNS[0], beta=8.0), START[0]
    for _ in range(updates):
        state = network.update(state)
    torch.testing.assert_close(layer(START, PATTERNS)[0], state)


def test_updates_take_place_among_the_normalised_keys_and_values_enter_once():
    layer = moved(Hopfield(4, updates=3, tolerance=1e-12))
    states, stored = torch.randn(1, 2, 4, dtype=F64), torch.randn(1, 5, 4, dtype=F64)
    query = layer.to_query(layer.norms[0](states))
    keys = layer.to_key(layer.norms[1](stored))
    for _ in range(3):
        weights = torch.softmax(query @ keys.mT / 2, -1)  # 1 / the root of 4
        query = weights @ keys
    expected = layer.to_output(weights @ layer.to_value(layer.norms[2](stored)))
    torch.testing.assert_close(layer(states, stored), expected)


def test_until_convergence_it_reaches_the_fixed_point_for_each_query_by_itself():
    layer = Hopfield(2, static=True, beta=1.0, updates=None, tolerance=1e-9)
    fixed = layer(START, PATTERNS)
    assert fixed.flatten().tolist() == pytest.approx([-0.07271354, 0.64675944], abs=1e-7)
    loose = Hopfield(2, static=True, beta=1.0, updates=None, tolerance=0.05)
    slow = torch.tensor([[[0.15, 0.55]]], dtype=F64)  # each update changes it by less than the tolerance
    both = loose(torch.cat([START, slow], 1), PATTERNS)
    torch.testing.assert_close(both[:, :1], loose(START, PATTERNS))
    torch.testing.assert_close(both[:, 1:], loose(slow, PATTERNS))
    assert (both - fixed).abs().max() > 0.01


def test_padding_does_not_matter_and_gradients_reach_every_parameter():
    layer = moved(Hopfield(4, heads=2, updates=2))
    states, stored = torch.randn(2, 3, 4, dtype=F64), torch.randn(2, 5, 4, dtype=F64)
    present = torch.tensor([[True] * 3 + [False] * 2, [True] * 5])
    expected = layer(states, stored, present=present)
    changed = torch.where(present[..., None], stored, 100.0)
    torch.testing.assert_close(layer(states, changed, present=present), expected)
    torch.testing.assert_close(layer(states[:1], stored[:1, :3]), expected[:1])
    expected.square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in layer.parameters())


def test_dropout_is_in_training_only():
    layer = moved(Hopfield(4, dropout=0.5))
    states, stored = torch.randn(1, 3, 4, dtype=F64), torch.randn(1, 5, 4, dtype=F64)
    assert not torch.equal(layer(states, stored), layer(states, stored))
    layer.eval()
    assert torch.equal(layer(states, stored), layer(states, stored))


def test_initial_weights_are_small_and_biases_zero():
    layer = Hopfield(100)
    assert layer.to_key.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert layer.to_key.bias.abs().max() == 0
    assert Hopfield(4, bias=False).to_key.bias is None


def test_pooling_is_the_layer_with_learned_queries_and_ignores_the_order():
    pooling = moved(HopfieldPooling(4, quantity=2, output_size=3, heads=2))
    stored = torch.randn(5, 7, 4, dtype=F64)
    expected = pooling.hopfield(pooling.states.repeat(5, 1, 1), stored)
    torch.testing.assert_close(pooling(stored), expected.flatten(1))
    torch.testing.assert_close(pooling(stored.flip(1)), pooling(stored))
    present = torch.arange(7).expand(5, -1) < 4
    torch.testing.assert_close(pooling(stored, present=present), pooling(stored[:, :4]))
    pooling(stored).sum().backward()
    assert pooling.states.grad.abs().sum() > 0


@pytest.mark.parametrize("separate", [False, True])
def test_the_layer_looks_up_learned_patterns(separate):
    layer = moved(HopfieldLayer(4, quantity=6, separate_values=separate, output_size=3))
    states = torch.randn(2, 5, 4, dtype=F64)
    values = layer.values if separate else layer.stored
    expected = layer.hopfield(states, layer.stored.repeat(2, 1, 1), values.repeat(2, 1, 1))
    torch.testing.assert_close(layer(states), expected)
    layer(states).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in layer.parameters())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"heads": 3}, "input_size is 4, which 3 heads do not divide; give hidden_size or another number"),
        ({"heads": 0}, "heads of Hopfield is 0, but it must be at least 1"),
        ({"updates": 0}, "updates of Hopfield is 0, but it must be at least 1"),
        ({"value_size": 0}, "value_size of Hopfield is 0"),
        ({"beta": -1.0}, "beta is -1.0, but it must be finite and above 0"),
        ({"tolerance": 0.0}, "tolerance is 0.0, but it must be"),
        ({"dropout": 1.0}, "dropout of Hopfield is 1.0, but it is a probability below 1"),
        ({"static": True, "heads": 2}, "static is True, but a static layer has no projections"),
        ({"static": True, "hidden_size": 4}, "static is True, but a static layer"),
    ],
)
def test_wrong_options_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Hopfield(4, **options)


def test_wrong_shapes_and_quantities_are_refused(shapes_unchecked):
    layer = Hopfield(4, stored_size=3)
    with pytest.raises(
        ValueError, match=r"states have shape \(2, 4\), but this Hopfield layer takes \(batch, patterns, 4\)"
    ):
        layer(torch.zeros(2, 4), torch.zeros(2, 5, 3))
    with pytest.raises(
        ValueError, match=r"stored have shape \(2, 5, 4\), but this Hopfield layer takes \(batch, patterns, 3\)"
    ):
        layer.weights(torch.zeros(2, 1, 4), torch.zeros(2, 5, 4))
    with pytest.raises(ValueError, match=r"projections have shape \(2, 5, 4\)"):
        layer(torch.zeros(2, 1, 4), torch.zeros(2, 5, 3), torch.zeros(2, 5, 4))
    for kind in (HopfieldPooling, HopfieldLayer):
        with pytest.raises(ValueError, match=f"quantity of {kind.__name__} is 0"):
            kind(4, quantity=0)
