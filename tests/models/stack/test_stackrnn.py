"""The stack RNN against its equations, one scalar at a time, in the forms of both papers; and what it learns."""

import math

import pytest
import torch
from torch.nn import functional

from memtape import StackRNN

F64 = torch.float64
DELETANG = {
    "stacks": 1,
    "visible": 1,
    "no_op": True,
    "push_activation": "linear",
    "empty": 0.0,
    "controller": "rnn",
    "activation": "relu",
    "biases": True,
}
ACTIVATIONS = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "relu": lambda x: max(0.0, x),
    "linear": lambda x: x,
    "tanh": math.tanh,
}


def built(**options):
    torch.manual_seed(3)
    network = StackRNN(3, 4, **options).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return network


def rows_of(layer):
    bias = [0.0] * layer.out_features if layer.bias is None else layer.bias.tolist()
    return list(zip(layer.weight.tolist(), bias, strict=True))


def applied(layer, vector):
    return [bias + sum(w * x for w, x in zip(row, vector, strict=True)) for row, bias in rows_of(layer)]


def softmax(logits):
    exponentials = [math.exp(logit) for logit in logits]
    return [one / sum(exponentials) for one in exponentials]


def by_the_letter(network, xs):
    """Return the outputs of one sequence, computed from the equations with lists of Python."""
    options, machine = network.configuration, network.cell.machine
    stacks, width, visible = options["stacks"], options["width"], options["visible"]
    empty, names = options["empty"], 3 if options["no_op"] else 2
    recurrent = options["controller"] == "rnn"
    hidden = [0.0] * options["controller_size"]
    piles = [[] for _ in range(stacks)]
    outputs = []

    def cell(pile, place):
        return pile[place] if place < len(pile) else [empty] * width

    for x in xs.tolist():
        tops = [value for pile in piles for place in range(visible) for value in cell(pile, place)]
        layer = machine.controller.from_input if recurrent else machine.controller.layer
        raw = applied(layer, [*x, *tops])
        if recurrent:
            own = applied(machine.controller.from_hidden, hidden)
            raw = [a + b for a, b in zip(raw, own, strict=True)]
        hidden = [ACTIVATIONS[options["activation"]](one) for one in raw]
        vector = applied(machine.interface.head_parameters.linear, hidden)
        logits, pushed = vector[: stacks * names], vector[stacks * names :]
        together = softmax(logits)
        for number in range(stacks):
            part = slice(number * names, (number + 1) * names)
            actions = together[part] if options["joint_actions"] else softmax(logits[part])
            push, pop, none = (*actions, 0.0)[:3]
            value = [
                ACTIVATIONS[options["push_activation"]](one) for one in pushed[number * width : (number + 1) * width]
            ]
            old = piles[number]
            above = [value, *(cell(old, place) for place in range(len(old) + 1))]
            piles[number] = [
                [
                    push * above[place][i] + pop * cell(old, place + 1)[i] + none * cell(old, place)[i]
                    for i in range(width)
                ]
                for place in range(len(old) + 1)
            ]
        reads = [value for pile in piles for place in range(visible) for value in cell(pile, place)]
        outputs.append(applied(machine.to_output, [*hidden, *reads] if options["reads_to_output"] else hidden))
    return torch.tensor(outputs, dtype=F64)


@pytest.mark.parametrize(
    "options",
    [
        {"stacks": 3, "controller_size": 5},
        {"stacks": 2, "controller_size": 4, "controller": "rnn", "no_op": True, "push_activation": "tanh"},
        DELETANG | {"width": 4, "controller_size": 6},
        DELETANG | {"width": 2, "stacks": 2, "controller_size": 6, "joint_actions": True},
        {"stacks": 2, "width": 2, "controller_size": 4, "reads_to_output": True, "biases": True, "visible": 3},
    ],
    ids=["joulin", "recurrent", "deletang", "joint", "reads"],
)
def test_outputs_are_those_of_the_equations(options):
    network, xs = built(**options), torch.randn(1, 6, 3, dtype=F64)
    torch.testing.assert_close(network(xs)[0][0], by_the_letter(network, xs[0]), rtol=1e-10, atol=1e-12)


def test_the_defaults_are_those_of_joulin_and_mikolov():
    network = StackRNN(3, 4)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.named_parameters()}
    assert shapes == {
        "cell.machine.controller.layer.weight": (40, 3 + 2 * 10),
        "cell.machine.interface.head_parameters.linear.weight": (10 * 2 + 10, 40),
        "cell.machine.to_output.weight": (4, 40),
    }
    assert network.init_state(2).reads.tolist() == [[-1.0] * 20] * 2


def test_rounded_actions_change_the_outputs_in_evaluation_mode_only():
    network, xs = built(stacks=2, controller_size=5, round_actions=True), torch.randn(1, 5, 3, dtype=F64)
    plain = built(stacks=2, controller_size=5)
    torch.testing.assert_close(network.train()(xs)[0], plain(xs)[0])
    rounded, state = network.eval()(xs)
    assert not torch.allclose(rounded, plain(xs)[0])
    plain_cells = plain(xs)[1].memory.cells
    assert not torch.allclose(state.memory.cells, plain_cells)


def test_a_controller_of_gated_units_is_possible():
    for controller in ("lstm", "gru"):
        network = StackRNN(3, 4, controller=controller, controller_size=5, controller_layers=2)
        assert network(torch.randn(2, 6, 3))[0].shape == (2, 6, 4)


def test_joint_actions_need_an_empty_value_of_0():
    with pytest.raises(ValueError, match=r"empty is -1.0, but with joint_actions the probabilities .*; give empty=0"):
        StackRNN(3, 4, joint_actions=True)


def test_a_sequence_beyond_the_limit_of_the_depth_is_refused():
    network = StackRNN(3, 4, stacks=1, controller_size=4, max_depth=4)
    network(torch.randn(2, 4, 3))
    with pytest.raises(ValueError, match="max_depth is 4; pass shorter sequences"):
        network(torch.randn(2, 5, 3))


def strings(count, longest):
    """Return strings a^n b^n with their next symbols, the b's and the first a of the next string, and where these are known."""
    sizes = torch.randint(1, longest + 1, (count,))
    symbols = [[0] * n + [1] * n for n in sizes.tolist()]
    time = 2 * longest
    xs = torch.tensor([one + [0] * (time - len(one)) for one in symbols])
    targets = torch.tensor([one[1:] + [0] * (time - len(one) + 1) for one in symbols])
    steps = torch.arange(time)
    known = (steps >= sizes[:, None]) & (steps < 2 * sizes[:, None])
    return xs, targets, known, 2 * sizes


def test_a_small_network_learns_to_count_and_counts_further_than_in_training():
    torch.manual_seed(2)
    network = StackRNN(2, 2, stacks=1, controller_size=10)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    for _ in range(70):
        xs, targets, known, lengths = strings(32, 4)
        ys, _ = network(xs, lengths=lengths)
        loss = functional.cross_entropy(ys[known], targets[known])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    xs, targets, known, lengths = strings(64, 12)
    right = network.eval()(xs, lengths=lengths)[0].argmax(-1) == targets
    assert right[known].double().mean() > 0.98
