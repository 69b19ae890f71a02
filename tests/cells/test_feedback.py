"""Feedback of the argmax: the first of equal outputs is fed back, in the reference and in every kernel."""

import pytest
import torch

from memtape import unroll, use_backend
from memtape.cells import GRUCell, JordanCell, OutputFeedback, Readout
from memtape.core.backends import backends

BACKENDS = [name for name in ("reference", "cpu") if backends()[name] is None]
INPUT, HIDDEN, TIME = 2, 3, 3


def equal_outputs(readout, largest):
    """Let all outputs be 0, except those that are equal and larger."""
    with torch.no_grad():
        readout.weight.zero_()
        readout.bias.zero_()
        readout.bias[largest] = 0.25


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("size", "largest"), [(2, [0, 1]), (5, [1, 3, 4]), (9, [7, 8]), (40, [17, 33, 39]), (40, list(range(40)))]
)
def test_an_output_recurrent_network_feeds_back_the_first_of_equals(backend, dtype, size, largest):
    cell = JordanCell(INPUT, HIDDEN, size, feedback="argmax").to(dtype)
    equal_outputs(cell.to_output, largest)
    with use_backend(backend):
        _, last, _ = unroll(cell, torch.randn(2, TIME, INPUT, dtype=dtype))
    assert last.fed_back.tolist() == [[float(place == largest[0]) for place in range(size)]] * 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_output_of_any_cell_is_fed_back_in_the_same_way(backend):
    readout = Readout(GRUCell(INPUT + 4, HIDDEN), 4)
    equal_outputs(readout.to_output, [1, 2, 3])
    with use_backend(backend):
        _, last, _ = unroll(OutputFeedback(readout, feedback="argmax"), torch.randn(2, TIME, INPUT))
    assert last.fed_back.tolist() == [[0, 1, 0, 0]] * 2
