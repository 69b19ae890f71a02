"""The list RNN against its equations, one scalar at a time."""

import math

import torch

from memtape import ListRNN

F64 = torch.float64


def applied(layer, vector):
    return [sum(w * x for w, x in zip(row, vector, strict=True)) for row in layer.weight.tolist()]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def by_the_letter(network, xs, empty=-1.0):
    """Return the outputs of one sequence with one list of numbers, whose head is at 0."""
    machine, cells, outputs = network.cell.machine, {}, []

    def at(place):
        return cells.get(place, empty)

    for x in xs.tolist():
        hidden = [sigmoid(one) for one in applied(machine.controller.layer, [*x, at(0), at(1)])]
        *logits, value = applied(machine.interface.head_parameters.linear, hidden)
        left, right, insert = (math.exp(one) / sum(map(math.exp, logits)) for one in logits)
        value = sigmoid(value)
        reach = len(outputs) + 1
        cells = {
            place: right * at(place + 1)
            + left * at(place - 1)
            + insert * (value if place == 0 else at(place + 1) if place < 0 else at(place))
            for place in range(-reach, reach + 1)
        }
        outputs.append(applied(machine.to_output, hidden))
    return torch.tensor(outputs, dtype=F64)


def test_outputs_are_those_of_the_equations():
    network = ListRNN(3, 4, lists=1, controller_size=5).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    xs = torch.randn(1, 6, 3, dtype=F64)
    torch.testing.assert_close(network(xs)[0][0], by_the_letter(network, xs[0]), rtol=1e-10, atol=1e-12)


def test_the_defaults_are_those_of_the_paper():
    network = ListRNN(3, 4)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.named_parameters()}
    assert shapes == {
        "cell.machine.controller.layer.weight": (40, 3 + 2 * 5),
        "cell.machine.interface.head_parameters.linear.weight": (5 * 3 + 5, 40),
        "cell.machine.to_output.weight": (4, 40),
    }
    assert network.init_state(2).reads.tolist() == [[-1.0] * 10] * 2
