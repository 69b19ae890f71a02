"""Contribution: the golden numbers of the bound, its maximum, and Jacobian matrices that are known."""

import itertools

import pytest
import torch

from memtape import NTM, Elman
from memtape.theory import contribution_bound, contributions, uniform_intervals


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [((10,) * 5, 0.65132), ((2, 2, 2, 2, 42), 0.349605), ((46, 1, 1, 1, 1), 0.27843), ((50,), 0.19897)],
)
def test_the_bound_has_the_golden_values(intervals, expected):
    assert contribution_bound(intervals, 0.9) == pytest.approx(expected, abs=5e-6)


@pytest.mark.parametrize("decay", [0.3, 0.9, 0.999])
def test_equal_intervals_have_the_largest_bound(decay):
    best = contribution_bound(uniform_intervals(12, 2), decay)
    for first, second in itertools.product(range(13), repeat=2):
        if first + second <= 12:
            assert contribution_bound([first, second, 12 - first - second], decay) <= best + 1e-12


def test_without_decay_all_inputs_contribute():
    assert contribution_bound([3, 9], 1.0) == 1.0
    assert contribution_bound([3, 9], 1 - 1e-9) == pytest.approx(1, abs=1e-6)


def test_uniform_intervals_differ_by_at_most_a_step():
    for steps, writes in itertools.product((1, 7, 50), (0, 3, 9)):
        intervals = uniform_intervals(steps, writes)
        assert sum(intervals) == steps
        assert len(intervals) == writes + 1
        assert max(intervals) - min(intervals) <= 1


def test_contributions_of_a_linear_network_are_powers_of_its_matrix():
    network = Elman(2, 1, hidden_size=3, activation="relu").double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.rand_like(parameter))
    xs = torch.rand(2, 5, 2, dtype=torch.float64)
    found = contributions(network, xs, lambda state: state.hidden)
    own = network.cell.cell if hasattr(network.cell, "cell") else network.cell
    into, within = own.from_input.weight.detach(), own.from_hidden.weight.detach()
    for step in range(5):
        expected = torch.linalg.matrix_power(within, 4 - step) @ into
        torch.testing.assert_close(found[:, step], expected.norm().expand(2))


def test_uniform_writing_raises_the_contribution_of_early_inputs():
    options = {"slots": 4, "width": 4, "controller_size": 6, "initial_memory": "random"}
    xs = torch.randn(8, 40, 3, dtype=torch.float64)
    early = {}
    for writing in ({}, {"writing": "uniform", "writing_steps": 40}):
        torch.manual_seed(0)
        network = NTM(3, 2, **options, **writing).double()
        state = (lambda s: s.machine.reads) if writing else (lambda s: s.reads)
        found = contributions(network, xs, state)
        early[bool(writing)] = float(found[:, :20].mean() / found[:, 20:].mean())
    assert early[True] > 2 * early[False]


def test_bad_input_is_refused_in_one_sentence(shapes_unchecked):
    with pytest.raises(ValueError, match=r"decay is 1\.5, but it must be above 0 and at most 1; give a number in"):
        contribution_bound([3], 1.5)
    with pytest.raises(ValueError, match=r"intervals are \[\], but a sequence needs a step; give a positive length"):
        contribution_bound([], 0.5)
    with pytest.raises(ValueError, match="interval is -1, but it must be at least 0"):
        contribution_bound([4, -1], 0.5)
    with pytest.raises(ValueError, match=r"xs are torch\.int64 symbols, which have no gradient; give their one-hot"):
        contributions(Elman(2, 1), torch.zeros(1, 3, dtype=torch.long), lambda state: state.hidden)
