"""A Differentiable Neural Computer with a bidirectional controller: lengths, starts, states, files."""

import inspect

import pytest
import torch

from memtape import BiDNC, DNCCell, tree, unroll
from memtape.cells import LSTMCell

BATCH, TIME, INPUT, OUTPUT = 3, 6, 2, 3
SMALL = {"slots": 5, "width": 3, "controller_size": 4, "usage_gradient": True}


def build(**options):
    network = BiDNC(INPUT, OUTPUT, **(SMALL | options)).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network


@pytest.fixture
def xs():
    return torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)


def same_state(first, second):
    torch.testing.assert_close(tree.named_tensors(first), tree.named_tensors(second))


@pytest.mark.parametrize(
    "options", [{}, {"controller_layers": 2, "layer_norm": True}, {"initial_controller": "learned"}]
)
def test_the_heads_read_both_directions(xs, options):
    network = build(**options)
    ys, state = network(xs)
    later, first, _ = unroll(network.backwards, xs.flip(1))
    machine, step = network.machine, network.machine.init_state(BATCH, dtype=torch.float64)
    for t in range(TIME):
        seen = torch.cat([xs[:, t], step.reads], dim=-1)
        hidden, controller = machine.controller.cell(seen, step.controller)
        both = torch.cat([hidden, later[:, TIME - 1 - t]], dim=-1)
        reads, memory = machine.memory(machine.interface(both), step.memory)
        torch.testing.assert_close(machine.to_output(torch.cat([both, reads], dim=-1)), ys[:, t])
        step = type(step)(controller=controller, memory=memory, reads=reads)
    same_state(state.forwards, step)
    same_state(state.backwards, first)


def test_later_inputs_influence_earlier_outputs(xs):
    network, other = build(), xs.clone()
    other[:, -1] += 1
    assert not torch.allclose(network(xs)[0][:, 0], network(other)[0][:, 0])
    assert not torch.allclose(network(xs)[1].forwards.memory.memory, network(other)[1].forwards.memory.memory)


@pytest.mark.parametrize("garbage", [float("nan"), 1e30])
def test_padding_has_no_influence_on_state_or_gradient(xs, garbage):
    network, lengths, padded = build(), torch.tensor([2, TIME, 1]), xs.clone()
    for row, length in enumerate(lengths):
        padded[row, length:] = garbage
    ys, last = network(padded.requires_grad_(), lengths=lengths)
    for row, length in enumerate(lengths):
        alone, end = network(xs[row : row + 1, :length])
        torch.testing.assert_close(ys[row, :length], alone[0])
        assert not ys[row, length:].any()
        same_state(tree.rows(last, row, row + 1), end)
    sum(part.sum() for part in (ys, *tree.leaves(last))).backward()
    assert padded.grad.isfinite().all()
    assert not padded.grad[0, 2:].any()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


def test_a_start_splits_a_row_in_both_directions(xs):
    network, starts = build(), torch.zeros(BATCH, TIME, dtype=torch.bool)
    starts[:, 4] = True
    ys, last = network(xs, starts=starts)
    before, (after, end) = network(xs[:, :4])[0], network(xs[:, 4:])
    torch.testing.assert_close(ys, torch.cat([before, after], dim=1))
    same_state(last.forwards, end.forwards)


def test_a_state_is_passed_on_in_both_directions(xs):
    network = build()
    ys, _ = network(xs)
    later = network(xs[:, 4:])[1].backwards
    first, middle = network(xs[:, :4], _with(network.init_state(BATCH), backwards=later))
    second, _ = network(xs[:, 4:], _with(network.init_state(BATCH), forwards=middle.forwards))
    torch.testing.assert_close(torch.cat([first, second], dim=1), ys)


def _with(state, **parts):
    return type(state)(**({"forwards": state.forwards, "backwards": state.backwards} | parts))


def test_rows_of_a_batch_are_independent(xs):
    network = build()
    ys = network(xs)[0]
    for row in range(BATCH):
        torch.testing.assert_close(network(xs[row : row + 1])[0], ys[row : row + 1])


def test_every_parameter_has_a_gradient(xs):
    network = build(
        controller_layers=2, initial_controller="learned", initial_reads="learned", initial_memory="learned"
    )
    network(xs)[0].square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


@pytest.mark.usefixtures("shapes_unchecked")
def test_gradients_match_finite_differences(xs):
    network = build(initial_memory="random")
    assert torch.autograd.gradcheck(
        lambda xs: network(xs, lengths=torch.tensor([2, 3]))[0], [xs[:2, :3].requires_grad_()], fast_mode=True
    )


@pytest.mark.usefixtures("shapes_unchecked")
def test_steps_can_be_collected_and_recomputed(xs, equal_up_to_rounding):
    network, lengths = build(), torch.tensor([3, TIME, 2])
    ys, last, usages = network(xs, lengths=lengths, collect=lambda state: state.memory.usage)
    assert usages.shape == (BATCH, TIME, 5)
    equal_up_to_rounding(usages[:, -1], last.forwards.memory.usage)
    again, end = network(xs, lengths=lengths, checkpoint_every=2)
    torch.testing.assert_close(again, ys)
    same_state(end, last)


def test_symbols_equal_one_hot_vectors(equal_up_to_rounding):
    network, symbols = build(), torch.tensor([[0, 1, 1], [1, 0, 1]])
    vectors = torch.nn.functional.one_hot(symbols, INPUT).double()
    equal_up_to_rounding(network(symbols)[0], network(vectors)[0])


def test_the_arguments_are_those_of_the_cell_and_both_controllers_have_the_same_form():
    assert inspect.signature(BiDNC).parameters == inspect.signature(DNCCell).parameters
    network = BiDNC(INPUT, OUTPUT, **SMALL)
    assert isinstance(network.backwards, LSTMCell)
    assert (network.backwards.input_size, network.backwards.output_size) == (INPUT, 4)
    assert network.sees_ahead
    with pytest.raises(ValueError, match="slots of BiDNC is 0, but it must be at least 1"):
        BiDNC(INPUT, OUTPUT, slots=0)
    with pytest.raises(TypeError, match="missing a required argument: 'output_size'"):
        BiDNC(INPUT)


def test_a_saved_network_is_loaded_unchanged(xs, tmp_path):
    network = BiDNC(INPUT, OUTPUT, links="sparse", **SMALL).double().eval()
    network.save_pretrained(tmp_path / "shared")
    loaded = BiDNC.from_pretrained(tmp_path / "shared")
    assert loaded.configuration == network.configuration
    assert torch.equal(loaded(xs)[0], network(xs)[0])
