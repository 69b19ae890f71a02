"""A trace has the inputs, the outputs and the views of each step of one row."""

import re

import pytest
import torch

from memtape import GRU, NTM, BiLSTM, CopyMemory, Elman, Seq2Seq, StackedLSTM, TreeLSTM

SMALL = {"slots": 6, "width": 4, "controller_size": 5}


@pytest.fixture
def network():
    return NTM(3, 2, **SMALL)


def test_a_trace_is_that_of_the_chosen_row_up_to_its_length(network, equal_up_to_rounding):
    xs, lengths = torch.randn(3, 5, 3), torch.tensor([5, 4, 2])
    trace = network.trace(xs, lengths=lengths, row=1)
    outputs, state, weights = network(xs, lengths=lengths, collect=lambda state: state.memory.read_weights)
    equal_up_to_rounding(torch.from_numpy(trace.inputs), xs[1, :4])
    equal_up_to_rounding(torch.from_numpy(trace.outputs), outputs[1, :4].detach())
    equal_up_to_rounding(torch.from_numpy(trace["read_weights"]), weights[1, :4].detach())
    equal_up_to_rounding(trace.state.memory.read_weights, state.memory.read_weights[1:2].detach())
    assert trace.steps == 4
    assert not trace.state.memory.read_weights.requires_grad


def test_a_trace_continues_from_the_row_of_a_state(network, equal_up_to_rounding):
    xs = torch.randn(2, 6, 3)
    _, state = network(xs[:, :2])
    whole, rest = network.trace(xs, row=1), network.trace(xs[:, 2:], state, row=1)
    equal_up_to_rounding(torch.from_numpy(rest.outputs), torch.from_numpy(whole.outputs[2:]))


def test_symbols_are_traced_as_their_vectors(equal_up_to_rounding):
    task = CopyMemory(min_length=2, max_length=2, remembered=2)
    model = NTM(task.input_size, task.output_size, **SMALL)
    inputs = task.batch(0, 1).inputs
    trace = model.trace(inputs)
    equal_up_to_rounding(torch.from_numpy(trace.outputs), model(inputs)[0][0].detach())
    assert trace.inputs.argmax(axis=1).tolist() == inputs[0].tolist()
    assert trace.inputs.shape == (inputs.shape[1], task.input_size)


def test_dropout_is_inactive_in_a_trace_and_active_again_afterwards():
    network = StackedLSTM(3, 2, hidden_size=4, layers=2, dropout=0.5)
    network.cell.eval()
    first, again = (network.trace(torch.ones(1, 3, 3)).outputs for _ in range(2))
    assert (first == again).all()
    assert network.training
    assert not network.cell.training
    with pytest.raises(TypeError):
        network.trace(None)
    assert network.training


def test_a_network_without_a_memory_has_no_views():
    trace = GRU(3, 2, hidden_size=4).trace(torch.ones(1, 3, 3))
    assert trace.views == ()
    assert repr(trace) == "Trace(3 steps, views: none)"


def test_a_trace_lists_its_views(network):
    trace = network.trace(torch.ones(1, 3, 3))
    assert repr(trace) == ("Trace(3 steps, views: adds, reads, content_gates, write_weights, read_weights, contents)")
    with pytest.raises(KeyError, match="the trace has no view 'usage'; its views are adds, reads, content_gates"):
        trace["usage"]


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"row": "a"}, TypeError, "row is 'a', but it is the number of a row; give an integer in 0..1"),
        ({"row": True}, TypeError, "row is True, but it is the number of a row"),
        ({"row": 2}, ValueError, "row is 2, but the batch has 2 rows; give a number in 0..1"),
        ({"row": -1}, ValueError, "row is -1, but the batch has 2 rows"),
        ({"lengths": torch.tensor([0, 2])}, ValueError, "row 0 has length 0, so there is no step to trace"),
        ({"lengths": torch.tensor([5, 2])}, ValueError, "a length is 5, but every length must lie in 0..3"),
        ({"state": 3}, ValueError, "the state is a int of another structure than the state of NTMCell"),
    ],
)
def test_an_impossible_argument_is_refused(network, options, error, sentence, shapes_unchecked):
    with pytest.raises(error, match=re.escape(sentence)):
        network.trace(torch.ones(2, 3, 3), **options)


@pytest.mark.parametrize("xs", [None, "abc", torch.ones(2, 3), torch.full((1, 2, 3), torch.nan)])
def test_impossible_inputs_are_refused(network, xs, shapes_unchecked):
    with pytest.raises((TypeError, ValueError), match=r"the inputs (are|have shape|contain)"):
        network.trace(xs)


@pytest.mark.parametrize("model", [BiLSTM, Seq2Seq, TreeLSTM])
def test_a_network_that_does_not_compute_step_by_step_has_no_trace(model):
    with pytest.raises(TypeError, match=f"{model.__name__} does not compute step by step, so it has no steps to trace"):
        model(4, 3).trace(torch.ones(1, 2, 4))


def test_a_float64_network_is_traced_in_float64():
    trace = Elman(3, 2, hidden_size=4).double().trace(torch.ones(1, 3, 3, dtype=torch.float64))
    assert trace.outputs.dtype == "float64"
