"""The dense associative memory: its equations one scalar at a time, its energy, and its special case, the Hopfield network."""

import math

import pytest
import torch

from memtape.memory import DenseAssociativeMemory, HopfieldNetwork
from memtape.ops import dense_energy, dense_field

F64 = torch.float64
PAIR = torch.tensor([[1, 1, 1, 1, -1, -1, -1, -1], [1, -1, 1, -1, 1, -1, 1, -1]], dtype=F64)
FORMS = [("power", 2), ("power", 3), ("rectified", 3), ("rectified", 10), ("exponential", 2)]


def random_patterns(count, units, seed=0):
    return torch.randint(0, 2, (count, units), generator=torch.Generator().manual_seed(seed)).double() * 2 - 1


def function(interaction, degree):
    return {
        "power": lambda x: x**degree,
        "rectified": lambda x: max(x, 0) ** degree,
        "exponential": math.exp,
    }[interaction]


@pytest.mark.parametrize(("interaction", "degree"), FORMS)
def test_energy_and_update_are_their_equations(interaction, degree):
    f = function(interaction, degree)
    patterns, state = random_patterns(5, 9).tolist(), random_patterns(1, 9, 4)[0].tolist()
    memory = DenseAssociativeMemory(torch.tensor(patterns, dtype=F64), interaction=interaction, degree=degree)
    energy = -sum(f(sum(x * s for x, s in zip(xi, state, strict=True))) for xi in patterns)
    expected = -math.log(-energy) if interaction == "exponential" else energy
    assert memory.energy(torch.tensor(state, dtype=F64)).item() == pytest.approx(expected)
    given = torch.tensor(state, dtype=F64)
    for i in range(9):
        field = 0.0
        for xi in patterns:
            rest = sum(xi[j] * state[j] for j in range(9) if j != i)
            field += f(xi[i] + rest) - f(-xi[i] + rest)
        if abs(field) > 1e-9:
            state[i] = math.copysign(1.0, field)
    assert memory.update(given).tolist() == state


def test_the_golden_example():
    memory = DenseAssociativeMemory(PAIR)
    probe = PAIR[0].clone()
    probe[0] = -1
    assert memory.energy(torch.stack([PAIR[0], probe])).tolist() == [-512, -216]
    assert torch.equal(memory.recall(probe).states, PAIR[0])


@pytest.mark.parametrize(("interaction", "degree"), FORMS)
def test_no_sweep_raises_the_energy_and_recall_settles(interaction, degree):
    memory = DenseAssociativeMemory(random_patterns(20, 40), interaction=interaction, degree=degree)
    found = memory.recall(random_patterns(6, 40, 3), generator=torch.Generator().manual_seed(0))
    scale = found.energies.abs().max()
    assert (found.energies.diff(dim=0) / scale).max() <= 1e-12
    assert found.energies[-1].max() < found.energies[0].min()
    assert found.settled.all()


def test_degree_2_is_the_hopfield_network():
    patterns, states = random_patterns(6, 50), random_patterns(8, 50, 2)
    memory, network = DenseAssociativeMemory(patterns, interaction="power", degree=2), HopfieldNetwork(patterns)
    assert torch.equal(memory.update(states), network.update(states))
    shifted = -(memory.energy(states) + 6 * 50) / 100  # the terms of a unit with itself, and the factor 2 / n
    assert torch.allclose(shifted, -network.energy(states))


def test_a_higher_degree_stores_more_patterns_than_units():
    patterns = random_patterns(120, 60)
    kept = {
        degree: (DenseAssociativeMemory(patterns, degree=degree).update(patterns) == patterns).all(-1).double().mean()
        for degree in (2, 8)
    }
    assert kept[8] == 1
    assert kept[2] < 0.1


def test_large_overlaps_do_not_overflow():
    patterns = random_patterns(4, 800).float()
    for options in ({"interaction": "exponential"}, {"degree": 30}):
        memory = DenseAssociativeMemory(patterns, **options)
        assert torch.equal(memory.update(patterns), patterns)
    assert dense_energy(torch.tensor([3000.0]), "exponential").item() == -3000
    assert dense_field(torch.tensor([1.0]), torch.tensor([2999.0]), "rectified", 30).item() > 0


def test_wrong_arguments_are_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="degree is 1, but it must be at least 2"):
        DenseAssociativeMemory(PAIR, degree=1)
    with pytest.raises(ValueError, match="interaction is 'linear', but it must be one of 'power', 'rectified'"):
        DenseAssociativeMemory(PAIR, interaction="linear")
    with pytest.raises(ValueError, match="all entries of DenseAssociativeMemory must be 1 or -1"):
        DenseAssociativeMemory(PAIR / 2)
    with pytest.raises(
        ValueError, match=r"the states have shape \(1, 3\), but this DenseAssociativeMemory has 8 units"
    ):
        DenseAssociativeMemory(PAIR).recall(torch.ones(1, 3))
