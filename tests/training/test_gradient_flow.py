"""Gradient flow: the norms are those of the gradients of back-propagation through time."""

import pytest
import torch

from memtape import NTM, Recurrent, use_backend
from memtape.cells import ElmanCell, FeedforwardCell, GRUCell, LSTMCell, Readout, Stacked
from memtape.ops.backpropagation import ElmanParameters, elman_backward, elman_forward
from memtape.training.gradient_flow import gradient_norms

BATCH, TIME, INPUT, HIDDEN, OUTPUT = 3, 8, 2, 5, 4
F64 = torch.float64


@pytest.fixture
def xs():
    return torch.randn(BATCH, TIME, INPUT, dtype=F64)


def plain_network():
    return Recurrent(Readout(ElmanCell(INPUT, HIDDEN), OUTPUT)).double()


def norms_by_hand(network, xs, by_logits):
    readout, cell = network.cell.to_output, network.cell.cell
    parameters = ElmanParameters(
        from_input=cell.from_input.weight.detach(),
        from_hidden=cell.from_hidden.weight.detach(),
        bias=cell.from_input.bias.detach(),
        to_output=readout.weight.detach(),
        output_bias=readout.bias.detach(),
    )
    initial = torch.zeros(BATCH, HIDDEN, dtype=F64)
    hidden, _ = elman_forward(parameters, xs, initial)
    return elman_backward(parameters, xs, initial, hidden, by_logits).hidden.norm(dim=-1)


def test_they_are_the_norms_of_the_book_s_gradients(xs):
    network, factors = plain_network(), torch.randn(BATCH, TIME, OUTPUT, dtype=F64)
    found = gradient_norms(network, xs, lambda ys: (ys * factors).sum())
    torch.testing.assert_close(found, norms_by_hand(network, xs, factors))


def test_rows_count_up_to_their_length(xs):
    network, factors = plain_network(), torch.randn(BATCH, TIME, OUTPUT, dtype=F64)
    lengths = torch.tensor([8, 3, 5])
    alive = torch.arange(TIME) < lengths[:, None]
    found = gradient_norms(network, xs, lambda ys: (ys * factors).sum(), lengths=lengths)
    expected = norms_by_hand(network, xs, torch.where(alive[..., None], factors, 0))
    torch.testing.assert_close(found[alive], expected[alive])
    assert found[~alive].isnan().all()


def test_a_part_of_the_state_can_be_selected(xs):
    network = Recurrent(Stacked([LSTMCell(INPUT, HIDDEN), GRUCell(HIDDEN, 3)])).double()
    norms = {
        part: gradient_norms(network, xs, lambda ys: ys.sum(), part=part)
        for part in (None, "layers.0", "layers.0.hidden", "layers.0.cell", "layers.1")
    }
    first = (norms["layers.0.hidden"] ** 2 + norms["layers.0.cell"] ** 2).sqrt()
    torch.testing.assert_close(norms["layers.0"], first)
    torch.testing.assert_close(norms[None], (first**2 + norms["layers.1"] ** 2).sqrt())


def test_an_unknown_part_is_refused(xs):
    network = Recurrent(LSTMCell(INPUT, HIDDEN)).double()
    with pytest.raises(ValueError, match="the part of the state is 'hid', but it consists of hidden, cell; name one"):
        gradient_norms(network, xs, lambda ys: ys.sum(), part="hid")
    assert not network.cell._forward_hooks


def test_a_network_without_a_state_has_no_flow(xs):
    with pytest.raises(ValueError, match="the part of the state is None, but it consists of nothing"):
        gradient_norms(Recurrent(FeedforwardCell(INPUT, HIDDEN)).double(), xs, lambda ys: ys.sum())


def test_nothing_is_stored_and_the_backend_has_no_influence(xs, equal_up_to_rounding):
    network = NTM(INPUT, OUTPUT, slots=6, width=4, controller_size=8).double()
    norms = []
    for backend in ("reference", "auto"):
        with use_backend(backend), torch.no_grad():
            norms.append(gradient_norms(network, xs, lambda ys: ys[:, -1].sum()))
    equal_up_to_rounding(*norms)
    assert (norms[0] > 0).all()
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_a_frozen_network_and_a_loss_that_ends_early_have_a_flow_too(xs):
    network = plain_network().requires_grad_(False)
    found = gradient_norms(network, xs, lambda ys: ys[:, 2].sum())
    assert (found[:, :3] > 0).all()
    assert (found[:, 3:] == 0).all()


def test_vanished_gradients_differ_from_zero_in_float32():
    cell = ElmanCell(INPUT, HIDDEN)
    with torch.no_grad():
        cell.from_hidden.weight.copy_(1e-3 * torch.eye(HIDDEN))
    found = gradient_norms(Recurrent(cell), torch.zeros(1, 13, INPUT), lambda ys: ys[:, -1, 0].sum())
    torch.testing.assert_close(found[0], 10.0 ** torch.arange(-36.0, 1, 3, dtype=F64), rtol=1e-5, atol=0)
