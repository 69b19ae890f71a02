"""Networks with a strength stack, queue or deque against their equations, one scalar at a time; and what they learn."""

import math

import pytest
import torch
from torch.nn import functional

from memtape import DequeLSTM, QueueLSTM, StackLSTM

F64 = torch.float64
NETWORKS = {"stack": StackLSTM, "queue": QueueLSTM, "deque": DequeLSTM}


def built(access):
    torch.manual_seed(3)
    options = {"controller": "rnn", "controller_size": 4, "width": 2}
    network = NETWORKS[access](3, 2, **options).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return network


def applied(layer, vector):
    bias = [0.0] * layer.out_features if layer.bias is None else layer.bias.tolist()
    rows = zip(layer.weight.tolist(), bias, strict=True)
    return [offset + sum(w * x for w, x in zip(row, vector, strict=True)) for row, offset in rows]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def popped(strengths, amount):
    return [max(0.0, one - max(0.0, amount - sum(strengths[:i]))) for i, one in enumerate(strengths)]


def read_from(items, strengths):
    total = [0.0, 0.0]
    for i, (item, strength) in enumerate(zip(items, strengths, strict=True)):
        share = min(strength, max(0.0, 1 - sum(strengths[:i])))
        total = [one + share * value for one, value in zip(total, item, strict=True)]
    return total


def by_the_letter(network, access, xs):
    """Return the outputs of one sequence; items are listed from the bottom to the top."""
    machine = network.cell.machine
    hidden = machine.controller.biases[0].tolist()
    pushes, pops = (2, 2) if access == "deque" else (1, 1)
    items, strengths, reads, outputs = [], [], [0.0] * 2 * pops, []
    for x in xs.tolist():
        cell = machine.controller.cell
        raw = zip(applied(cell.from_input, [*x, *reads]), applied(cell.from_hidden, hidden), strict=True)
        hidden = [math.tanh(a + b) for a, b in raw]
        vector = applied(machine.interface.head_parameters.linear, hidden)
        values = [[math.tanh(one) for one in vector[2 * i : 2 * i + 2]] for i in range(pushes)]
        push = [sigmoid(one) for one in vector[2 * pushes : 3 * pushes]]
        pop = [sigmoid(one) for one in vector[3 * pushes :]]
        if access in ("stack", "deque"):
            strengths = popped(strengths[::-1], pop[0])[::-1]
        if access in ("queue", "deque"):
            strengths = popped(strengths, pop[-1])
        items, strengths = [*items, values[0]], [*strengths, push[0]]
        if access == "deque":
            items, strengths = [values[1], *items], [push[1], *strengths]
        top, bottom = read_from(items[::-1], strengths[::-1]), read_from(items, strengths)
        reads = {"stack": top, "queue": bottom, "deque": [*top, *bottom]}[access]
        units = [math.tanh(one) for one in applied(machine.bypass[0], hidden)]
        outputs.append(applied(machine.to_output, units))
    return torch.tensor(outputs, dtype=F64)


@pytest.mark.parametrize("access", NETWORKS)
def test_outputs_are_those_of_the_equations(access):
    network, xs = built(access), torch.randn(1, 6, 3, dtype=F64)
    torch.testing.assert_close(network(xs)[0][0], by_the_letter(network, access, xs[0]), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("access", NETWORKS)
def test_the_defaults_are_those_of_the_paper(access):
    network = NETWORKS[access](3, 2)
    ends = 2 if access == "deque" else 1
    machine = network.cell.machine
    assert machine.controller.cell.output_size == 256
    assert machine.memory.read_size == 256 * ends
    assert machine.to_output.in_features == 256  # the read is not an input of the output
    assert machine.interface.head_parameters.linear.bias.tolist() == [0.0] * (257 * ends) + [-1.0] * ends
    assert not network.init_state(1).reads.any()


def test_reads_may_be_inputs_of_the_output():
    network = StackLSTM(3, 2, width=2, controller_size=4, reads_to_output=True)
    assert network.cell.machine.to_output.in_features == 6


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_the_controller_s_gain_scales_its_weights_and_nothing_else(controller):
    states = []
    for gain in (1.0, 3.0):
        torch.manual_seed(7)
        network = StackLSTM(3, 2, width=2, controller=controller, controller_size=4, controller_gain=gain)
        states.append(network.state_dict())
    plain, scaled = states
    expected = {
        name: 3 * value if ".machine.controller." in name and name.endswith("weight") else value
        for name, value in plain.items()
    }
    torch.testing.assert_close(dict(scaled), expected)


@pytest.mark.parametrize("access", NETWORKS)
def test_a_sequence_beyond_the_limit_of_the_depth_is_refused(access):
    network = NETWORKS[access](3, 2, width=2, controller_size=4, max_depth=3, pop_bias=-9.0)
    network(torch.randn(2, 3, 3))
    with pytest.raises(ValueError, match="max_depth is 3; pass shorter sequences"):
        network(torch.randn(2, 4, 3))


def reversals(count, length, symbols):
    """Return strings followed by blanks, and the reversals of the strings, the targets at the blanks."""
    given = torch.randint(symbols, (count, length))
    blank = torch.full((count, length), symbols)
    return torch.cat([given, blank], dim=1), given.flip(1)


def test_a_small_network_learns_to_reverse_strings_twice_as_long_as_in_training():
    torch.manual_seed(1)
    network = StackLSTM(3, 2, width=8, controller="rnn", controller_size=16)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(220):
        length = int(torch.randint(1, 7, ()))
        xs, targets = reversals(32, length, 2)
        loss = functional.cross_entropy(network(xs)[0][:, length:].flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    xs, targets = reversals(64, 12, 2)
    right = network.eval()(xs)[0][:, 12:].argmax(-1) == targets
    assert right.double().mean() > 0.95
