"""The Hopfield network: its equations one scalar at a time, its energy, its fixed points, and what it refuses."""

import pytest
import torch

from memtape.memory import HopfieldNetwork
from memtape.ops import hebbian_weights, hopfield_energy, projection_weights, signs_of_fields

F64 = torch.float64
PAIR = torch.tensor([[1, 1, 1, 1, -1, -1, -1, -1], [1, -1, 1, -1, 1, -1, 1, -1]], dtype=F64)


def random_patterns(count, units, seed=0):
    return torch.randint(0, 2, (count, units), generator=torch.Generator().manual_seed(seed)).double() * 2 - 1


def flipped(patterns, count, seed=1):
    """Return patterns with a number of random units flipped in each."""
    order = torch.rand(patterns.shape, generator=torch.Generator().manual_seed(seed)).argsort(-1)
    return torch.where(order < count, -patterns, patterns)


def test_weights_energy_and_update_are_their_equations():
    patterns, state = random_patterns(3, 7).tolist(), random_patterns(1, 7, 5)[0].tolist()
    weights = [[0.0 if i == j else sum(x[i] * x[j] for x in patterns) / 7 for j in range(7)] for i in range(7)]
    energy = -sum(weights[i][j] * state[i] * state[j] for i in range(7) for j in range(7)) / 2
    network = HopfieldNetwork(torch.tensor(patterns, dtype=F64))
    torch.testing.assert_close(network.weights, torch.tensor(weights, dtype=F64))
    assert network.energy(torch.tensor(state, dtype=F64)).item() == pytest.approx(energy)
    at_once = [1.0 if sum(w * s for w, s in zip(row, state, strict=True)) > 0 else -1.0 for row in weights]
    assert network.update_at_once(torch.tensor(state, dtype=F64)).tolist() == at_once
    for unit, row in enumerate(weights):
        state[unit] = 1.0 if sum(w * s for w, s in zip(row, state, strict=True)) > 0 else -1.0
    found = network.update(torch.tensor(random_patterns(1, 7, 5)[0].tolist(), dtype=F64))
    assert found.tolist() == state


def test_the_golden_example():
    network = HopfieldNetwork(PAIR)
    assert network.weights[0].tolist() == [0, 0, 0.25, 0, 0, -0.25, 0, -0.25]
    assert network.energy(torch.stack([*PAIR, -PAIR[0]])).tolist() == [-3, -3, -3]
    probe = PAIR[0].clone()
    probe[0] = -1
    assert network.energy(probe).item() == -1.5
    assert (probe @ network.weights).tolist() == [0.75, 0.75, 0.25, 0.75, -0.75, -0.25, -0.75, -0.25]
    found = network.recall(probe)
    assert torch.equal(found.states, PAIR[0])
    assert found.energies.tolist() == [-1.5, -3, -3]
    assert found.settled.item() is True


@pytest.mark.parametrize("rule", ["hebb", "projection"])
def test_no_update_of_a_unit_raises_the_energy(rule):
    network = HopfieldNetwork(random_patterns(30, 60), rule=rule)
    state = random_patterns(1, 60, 9)[0]
    order = torch.randint(0, 60, (500,), generator=torch.Generator().manual_seed(2))
    before = network.energy(state).item()
    for unit in order.tolist():
        state[unit] = signs_of_fields(state @ network.weights[unit], state[unit])
        after = hopfield_energy(state, network.weights).item()
        assert after <= before + 1e-12
        before = after


def test_asynchronous_recall_settles_and_synchronous_recall_may_alternate():
    network = HopfieldNetwork(torch.ones(1, 2, dtype=F64))
    apart = torch.tensor([1.0, -1.0], dtype=F64)
    alternating = network.recall(apart, synchronous=True, most=5)
    assert not alternating.settled
    assert torch.equal(alternating.states, -apart)
    settled = network.recall(apart)
    assert settled.settled
    assert network.energy(settled.states) < network.energy(apart)


def test_few_patterns_are_fixed_points_with_their_negatives_and_attract_corrupted_ones():
    patterns = random_patterns(10, 200)
    network = HopfieldNetwork(patterns)
    assert torch.equal(network.update(patterns), patterns)
    assert torch.equal(network.update(-patterns), -patterns)
    found = network.recall(flipped(patterns, 30), generator=torch.Generator().manual_seed(3))
    assert torch.equal(found.states, patterns)
    assert found.energies.diff(dim=0).max() <= 1e-12


def test_a_mixture_of_three_patterns_is_a_fixed_point_of_overlap_one_half():
    patterns = random_patterns(3, 1001)
    mixture = HopfieldNetwork(patterns).recall(patterns.sum(0).sign()).states
    assert (mixture @ patterns.mT / 1001).tolist() == pytest.approx([0.5] * 3, abs=0.06)


def test_retention_is_lost_between_010_and_018_patterns_per_unit():
    overlaps = {}
    for load in (0.1, 0.18):
        patterns = random_patterns(int(load * 400), 400)
        found = HopfieldNetwork(patterns).recall(patterns[:8]).states
        overlaps[load] = (found * patterns[:8]).mean().item()
    assert overlaps[0.1] > 0.967  # the overlap at the capacity, 1.6 percent of wrong units
    assert overlaps[0.18] < 0.75


def test_correlated_patterns_are_fixed_points_of_the_projection_but_not_of_hebbs_rule():
    patterns = flipped(random_patterns(1, 100).expand(10, -1), 25)
    assert torch.equal(HopfieldNetwork(patterns, rule="projection").update(patterns), patterns)
    assert not torch.equal(HopfieldNetwork(patterns).update(patterns), patterns)
    weights = projection_weights(patterns)
    span = torch.linalg.pinv(patterns) @ patterns
    assert torch.allclose(weights, span - torch.diag(span.diagonal()))


def test_for_orthogonal_patterns_both_rules_agree_and_for_one_unit_the_state_stays():
    assert torch.allclose(projection_weights(PAIR), hebbian_weights(PAIR))
    assert HopfieldNetwork(torch.ones(1, 1)).recall(torch.tensor([-1.0])).states.tolist() == [-1]


def test_a_field_of_rounding_size_keeps_the_state():
    fields, states = torch.tensor([1e-7, -1e-7, 0.0, 0.2, -0.2]), torch.tensor([-1.0, 1, 1, -1, 1])
    assert signs_of_fields(fields, states).tolist() == [-1, 1, 1, 1, -1]


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ([[1.0, -1.0]], TypeError, "the patterns are a list, but HopfieldNetwork takes a tensor"),
        (
            torch.ones(2, 3, dtype=torch.long),
            TypeError,
            "the patterns are torch.int64, but HopfieldNetwork computes with",
        ),
        (torch.ones(3), ValueError, r"the patterns have shape \(3,\), but HopfieldNetwork stores \(patterns, units\)"),
        (torch.ones(0, 3), ValueError, r"the patterns have shape \(0, 3\)"),
        (
            torch.tensor([[1.0, 0.0]]),
            ValueError,
            "contain 0, but all entries of HopfieldNetwork must be 1 or -1; pass 2",
        ),
        (torch.tensor([[1.0, float("nan")]]), ValueError, "contain nan, but all entries"),
    ],
)
def test_wrong_patterns_are_refused(given, error, sentence, shapes_unchecked):
    with pytest.raises(error, match=sentence):
        HopfieldNetwork(given)


def test_wrong_states_rules_and_numbers_are_refused(shapes_unchecked):
    network = HopfieldNetwork(PAIR)
    with pytest.raises(ValueError, match=r"the states have shape \(7,\), but this HopfieldNetwork has 8 units"):
        network.recall(torch.ones(7, dtype=F64))
    with pytest.raises(ValueError, match=r"the states contain 0\.5, but all entries"):
        network.energy(torch.full((8,), 0.5, dtype=F64))
    with pytest.raises(TypeError, match="the states are a list"):
        network.update([1.0] * 8)
    with pytest.raises(ValueError, match="most is 0, but it must be at least 1"):
        network.recall(PAIR, most=0)
    with pytest.raises(ValueError, match="rule is 'storkey', but it must be one of 'hebb', 'projection'"):
        HopfieldNetwork(PAIR, rule="storkey")
