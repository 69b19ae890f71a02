"""Three forms of depth: deep transitions, their shortcuts, and residual layers."""

import numpy as np
import pytest
import torch

from memtape import unroll
from memtape.cells import DeepTransitionCell, ElmanCell, GRUCell, LSTMCell, Residual

INPUT, HIDDEN, TIME = 2, 4, 5
F64 = torch.float64


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_deep_transition_computes_its_equations(depth, shortcut, activation):
    if shortcut and depth == 1:
        pytest.skip("one layer has no shortcut")
    cell = DeepTransitionCell(INPUT, HIDDEN, depth=depth, shortcut=shortcut, activation=activation).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(torch.randn_like(parameter))
    w = {name: value.numpy() for name, value in cell.state_dict().items()}
    squash = np.tanh if activation == "tanh" else lambda vector: np.maximum(vector, 0)
    xs = torch.randn(1, TIME, INPUT, dtype=F64)
    ys, _, _ = unroll(cell, xs)
    hidden = np.zeros(HIDDEN)
    for t in range(TIME):
        total = w["from_input.weight"] @ xs[0, t].numpy() + w["from_hidden.weight"] @ hidden + w["from_input.bias"]
        for layer in range(depth - 1):
            total = w[f"upper.{layer}.weight"] @ squash(total) + w[f"upper.{layer}.bias"]
        if shortcut:
            total = total + w["around.weight"] @ hidden
        hidden = squash(total)
        np.testing.assert_allclose(ys[0, t].detach().numpy(), hidden, rtol=1e-10, atol=1e-12)


def test_a_transition_of_one_layer_is_a_plain_network():
    torch.manual_seed(1)
    deep = DeepTransitionCell(INPUT, HIDDEN, depth=1).double()
    torch.manual_seed(1)
    plain = ElmanCell(INPUT, HIDDEN).double()
    xs = torch.randn(3, TIME, INPUT, dtype=F64)
    torch.testing.assert_close(unroll(deep, xs)[0], unroll(plain, xs)[0])


def test_a_residual_cell_adds_its_input(equal_up_to_rounding):
    inner = LSTMCell(INPUT, INPUT).double()
    xs = torch.randn(3, TIME, INPUT, dtype=F64)
    ys, last, _ = unroll(Residual(inner), xs)
    expected, end, _ = unroll(inner, xs)
    torch.testing.assert_close(ys, xs + expected)
    equal_up_to_rounding(last.cell, end.cell)


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: Residual(GRUCell(2, 3)),
            "the cell takes inputs of size 2 and returns outputs of size 3, which cannot be added; make",
        ),
        (lambda: DeepTransitionCell(2, 3, depth=0), "depth of DeepTransitionCell is 0, but it must be at least 1"),
        (
            lambda: DeepTransitionCell(2, 3, depth=1, shortcut=True),
            "shortcut is True, but depth is 1, where there is no layer to skip; give",
        ),
        (
            lambda: DeepTransitionCell(2, 3, activation="sine"),
            "activation is 'sine', but it must be one of 'tanh', 'relu'",
        ),
    ],
)
def test_invalid_options_of_deep_cells_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
