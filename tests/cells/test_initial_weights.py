"""Initial weights of the cells: the defaults keep their draws, and each option has its documented distribution."""

import math

import pytest
import torch
from torch import nn

from memtape.cells import ElmanCell, GRUCell, LeakyCell, LSTMCell
from memtape.cells.elman import HiddenState

INPUT, HIDDEN = 3, 5


def spread(linears, bound):
    """Draw weights in the order of the first version of memtape: all layers are constructed before any is re-drawn."""
    made = [nn.Linear(size, out, bias=bias) for size, out, bias in linears]
    for linear in made:
        for parameter in linear.parameters():
            if parameter.ndim > 1:
                nn.init.uniform_(parameter, -bound, bound)
            else:
                nn.init.zeros_(parameter)
    return made


@pytest.mark.parametrize(
    ("cell_class", "blocks", "own_bias"), [(ElmanCell, 1, False), (LSTMCell, 4, False), (GRUCell, 3, True)]
)
@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_the_defaults_draw_the_same_bits_as_the_first_version(cell_class, blocks, own_bias, gain):
    torch.manual_seed(3)
    cell = cell_class(INPUT, HIDDEN, gain=gain)
    after = torch.rand(4)
    torch.manual_seed(3)
    bound = gain / math.sqrt(HIDDEN)
    from_input, from_hidden = spread([(INPUT, blocks * HIDDEN, True), (HIDDEN, blocks * HIDDEN, own_bias)], bound)
    if cell_class is LSTMCell:
        nn.init.constant_(from_input.bias[HIDDEN : 2 * HIDDEN], 1.0)
    expected = {f"from_input.{name}": value for name, value in from_input.state_dict().items()}
    expected |= {f"from_hidden.{name}": value for name, value in from_hidden.state_dict().items()}
    assert list(cell.state_dict()) == list(expected)
    for name, value in cell.state_dict().items():
        assert torch.equal(value, expected[name]), name
    assert torch.equal(torch.rand(4), after)


def test_recorded_numbers_of_a_seed_are_reproduced(equal_up_to_rounding):
    torch.manual_seed(0)
    cell = LSTMCell(2, 3)
    expected = torch.tensor([0.5782793760299683, -2.6769347190856934])
    equal_up_to_rounding(torch.stack([cell.from_input.weight.sum(), cell.from_hidden.weight.sum()]), expected)


@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_an_orthogonal_recurrence_keeps_lengths_up_to_the_gain(gain):
    cell = ElmanCell(INPUT, HIDDEN, initial="orthogonal", gain=gain).double()
    weight = cell.from_hidden.weight
    torch.testing.assert_close(weight @ weight.T, gain**2 * torch.eye(HIDDEN).double(), atol=1e-5, rtol=0)
    assert cell.from_input.weight.abs().max() > 0.3 / math.sqrt(HIDDEN)
    assert cell.from_input.weight.abs().max() <= 1 / math.sqrt(HIDDEN)


def test_an_identity_recurrence_is_the_identity_with_inputs_close_to_0():
    cell = ElmanCell(100, 200, activation="relu", initial="identity", gain=0.5)
    assert torch.equal(cell.from_hidden.weight, 0.5 * torch.eye(200))
    assert abs(cell.from_input.weight.std() - 0.001) < 5e-5
    assert not cell.from_input.bias.any()


def test_chrono_spreads_the_forget_gates_over_the_time_scales_and_closes_the_input_gates():
    write, keep, candidate, show = LSTMCell(INPUT, 4000, chrono=50).from_input.bias.chunk(4)
    assert torch.equal(write, -keep)
    assert not candidate.any()
    assert not show.any()
    scales = keep.exp()
    assert 1 <= scales.min() < 1.1
    assert 48.5 < scales.max() <= 49.001
    assert abs(scales.mean() - 25) < 1


def test_time_constants_are_log_uniform_up_to_the_longest():
    for kind in ("fixed", "learned"):
        constants = 1 / (1 - LeakyCell(INPUT, 4000, longest=100.0, time_constants=kind).shares)
        assert 1 <= constants.min() < 1.01
        assert 98 < constants.max() <= 100.01
        assert abs(constants.log().mean() - math.log(100) / 2) < 0.1


@pytest.mark.parametrize("options", [{}, {"variant": "reset_before"}, {"layer_norm": True}])
def test_a_gru_with_a_large_update_bias_keeps_its_state_at_first(options):
    torch.manual_seed(0)
    x, hidden = torch.randn(3, INPUT), torch.randn(3, HIDDEN)
    kept = [
        (GRUCell(INPUT, HIDDEN, update_bias=bias, **options)(x, HiddenState(hidden=hidden))[0] - hidden).norm().item()
        for bias in (0.0, 20.0)
    ]
    assert kept[0] > 0.5
    assert kept[1] < 1e-4
