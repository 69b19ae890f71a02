"""The modern Hopfield network: its golden iterates, its energy, its equality with attention, and metastable states."""

import math

import pytest
import torch
from torch.nn import functional

from memtape.memory import ModernHopfieldNetwork
from memtape.ops import metastable_size, modern_hopfield_energy, modern_hopfield_update

F64 = torch.float64
PATTERNS = torch.tensor([[1, 0], [0, 1], [-0.8, 0.6]], dtype=F64)
START = torch.tensor([0.9, 0.5], dtype=F64)

GOLDEN = {
    1.0: (
        [[0.40583736, 0.42870729], [0.18957687, 0.52791371], [0.06492802, 0.58846951]],
        [0.56723685, 0.39393983, 0.34894335, 0.33410205],
        [-0.07271354, 0.64675944],
    ),
    8.0: (
        [[0.9607904, 0.0391797], [0.99937021, 0.00062837], [0.99966024, 0.00033908]],
        [0.26232925, 0.13878413, 0.13728451, 0.13728443],
        [0.99966182, 0.0003375],
    ),
}


def test_update_and_energy_are_their_equations():
    patterns, state, beta = torch.randn(4, 3, dtype=F64), torch.randn(3, dtype=F64), 1.7
    x, xi = patterns.tolist(), state.tolist()
    scores = [beta * sum(a * b for a, b in zip(row, xi, strict=True)) for row in x]
    total = sum(map(math.exp, scores))
    moved = [sum(math.exp(s) / total * row[i] for s, row in zip(scores, x, strict=True)) for i in range(3)]
    largest = max(sum(a * a for a in row) for row in x)
    energy = -math.log(total) / beta + sum(a * a for a in xi) / 2 + math.log(4) / beta + largest / 2
    assert modern_hopfield_update(state, patterns, beta).tolist() == pytest.approx(moved)
    assert modern_hopfield_energy(state, patterns, beta).item() == pytest.approx(energy)


@pytest.mark.parametrize("beta", GOLDEN)
def test_the_golden_iterates(beta):
    iterates, energies, fixed = GOLDEN[beta]
    network, state = ModernHopfieldNetwork(PATTERNS, beta=beta), START
    for expected in iterates:
        state = network.update(state)
        assert state.tolist() == pytest.approx(expected, abs=1e-8)
    found = network.recall(START, most=1000, tolerance=1e-10)
    assert found.energies[:4].tolist() == pytest.approx(energies, abs=1e-8)
    assert found.states.tolist() == pytest.approx(fixed, abs=1e-7)
    assert found.settled


@pytest.mark.parametrize("beta", [0.1, 1.0, 10.0])
def test_no_update_raises_the_energy_which_is_at_least_0(beta):
    patterns = torch.randn(30, 8, dtype=F64)
    energies = ModernHopfieldNetwork(patterns, beta=beta).recall(3 * torch.randn(20, 8, dtype=F64)).energies
    assert energies.diff(dim=0).max() <= 1e-12
    assert energies.min() >= 0


def test_one_update_is_softmax_attention():
    patterns, states = torch.randn(9, 16, dtype=F64), torch.randn(5, 16, dtype=F64)
    attention = functional.scaled_dot_product_attention(states, patterns, patterns)
    torch.testing.assert_close(modern_hopfield_update(states, patterns, 1 / 4), attention)


def test_fixed_points_are_a_pattern_a_cluster_or_all_patterns():
    centres = torch.eye(3, 10, dtype=F64)
    patterns = functional.normalize(centres.repeat_interleave(4, 0) + 0.03 * torch.randn(12, 10, dtype=F64), dim=-1)
    sizes = {}
    for beta in (0.01, 12.0, 3000.0):
        network = ModernHopfieldNetwork(patterns, beta=beta)
        state = network.recall(patterns[0]).states
        sizes[beta] = metastable_size(network.weights(state)).item()
        means = {0.01: patterns.mean(0), 12.0: patterns[:4].mean(0), 3000.0: patterns[0]}
        assert (state - means[beta]).norm() < 0.02
    assert sizes == {0.01: 11, 12.0: 4, 3000.0: 1}


def test_the_metastable_size_is_the_smallest_number_of_weights_with_that_share():
    weights = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.05, 0.9, 0.05, 0.0], [0.5, 0.375, 0.125, 0.0]])
    assert metastable_size(weights).tolist() == [4, 1, 3]
    assert metastable_size(weights, 0.5).tolist() == [2, 1, 1]


def test_wrong_arguments_are_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="beta is 0, but it must be finite and above 0"):
        ModernHopfieldNetwork(PATTERNS, beta=0)
    with pytest.raises(
        ValueError, match="the patterns contain inf, but all entries of ModernHopfieldNetwork must be finite"
    ):
        ModernHopfieldNetwork(PATTERNS / 0)
    with pytest.raises(ValueError, match=r"the states have shape \(3,\), but this ModernHopfieldNetwork has 2 units"):
        ModernHopfieldNetwork(PATTERNS).weights(torch.ones(3, dtype=F64))
