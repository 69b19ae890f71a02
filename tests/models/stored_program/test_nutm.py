"""NUTM and the DNC with programs: equal to the plain machines with one program; the parameter counts of the authors."""

import pytest
import torch

from memtape import DNC, MANN, NTM, NUTM

F64 = torch.float64
LIKE_THE_AUTHORS = {
    "initial_memory": "random",
    "initial_weights": "zeros",
    "initial_reads": "zeros",
    "initial_controller": "learned",
    "squash": False,
}
"""The options with which an NTM has the structure of the authors' code; those of NUTM by default."""
COUNTS = [
    # task, inputs, outputs, hidden units of NTM and NUTM, programs, pairs of heads, parameters of NTM and NUTM
    ("copy", 10, 8, 100, 80, 2, 1, 63_260, 52_206),
    ("repeat copy", 10, 9, 100, 80, 2, 1, 63_381, 52_307),
    ("associative recall", 8, 6, 100, 80, 2, 1, 62_218, 51_364),
    ("n-grams", 1, 1, 100, 80, 2, 1, 58_813, 48_619),
    ("priority sort", 9, 8, 200, 150, 2, 5, 344_068, 302_398),
    ("copy and repeat copy", 10, 9, 200, 150, 3, 1, 206_481, 153_941),
]


def parameters(network):
    """Return the number of parameters with the second bias of torch's LSTM, which is added to the first one."""
    hidden = network.configuration["controller_size"]
    return sum(parameter.numel() for parameter in network.parameters()) + 4 * hidden


@pytest.mark.parametrize("row", COUNTS, ids=[row[0] for row in COUNTS])
def test_the_parameters_are_as_many_as_those_of_the_authors(row):
    _, inputs, outputs, ntm_size, nutm_size, programs, heads, of_ntm, of_nutm = row
    pairs = {"read_heads": heads, "write_heads": heads}
    assert parameters(NTM(inputs, outputs, controller_size=ntm_size, **pairs, **LIKE_THE_AUTHORS)) == of_ntm
    assert parameters(NUTM(inputs, outputs, controller_size=nutm_size, programs=programs, **pairs)) == of_nutm


def with_one_program(plain, model, **options):
    """Return a network with one program that has the weights of a plain one."""
    network = model(2, 3, programs=1, **options).double()
    state = plain.state_dict()
    linear = "cell.machine.interface.head_parameters.linear."
    weight, bias = state.pop(linear + "weight"), state.pop(linear + "bias")
    state |= {linear + "weights": weight[None], linear + "biases": bias[None]}
    network.load_state_dict(network.state_dict() | state)
    return network


SMALL = {"slots": 6, "width": 4, "controller_size": 5, "read_heads": 2, "write_heads": 2}


@pytest.mark.parametrize("model", [NTM, DNC, MANN])
def test_one_program_is_the_plain_machine(model):
    sizes = {"slots": 6, "width": 4, "controller_size": 5, "heads": 2} if model is MANN else SMALL
    plain = model(2, 3, **sizes, **(LIKE_THE_AUTHORS if model is NTM else {})).double()
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    one = with_one_program(plain, NUTM if model is NTM else model, **sizes)
    xs = torch.randn(3, 9, 2, dtype=F64)
    torch.testing.assert_close(one(xs)[0], plain(xs)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", [NUTM, DNC])
def test_equal_programs_are_one_program(model):
    many = model(2, 3, programs=3, **SMALL).double()
    linear = many.cell.machine.interface.head_parameters.linear
    with torch.no_grad():
        linear.weights.copy_(linear.weights[:1].expand_as(linear.weights))
        linear.biases.copy_(linear.biases[:1].expand_as(linear.biases))
    one = model(2, 3, programs=1, **SMALL).double()
    state = many.state_dict()
    place = "cell.machine.interface.head_parameters.linear."
    state |= {place + "weights": linear.weights[:1], place + "biases": linear.biases[:1]}
    state |= {name: value for name, value in one.state_dict().items() if name.startswith((place + "q", place + "k"))}
    one.load_state_dict(state)
    xs = torch.randn(3, 9, 2, dtype=F64)
    torch.testing.assert_close(many(xs)[0], one(xs)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", [NUTM, DNC])
def test_a_trace_shows_the_weights_of_the_programs(model):
    trace = model(2, 3, programs=3, **SMALL).trace(torch.randn(1, 7, 2))
    assert trace["programs"].shape == (7, 4, 3)
    assert torch.allclose(torch.as_tensor(trace["programs"]).sum(-1), torch.ones(7, 4))


@pytest.mark.parametrize("model", [NUTM, DNC])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("programs", 4),
        ("program_key_size", 5),
        ("program_addressing", "cosine"),
        ("program_addressing", "direct"),
        ("hard_programs", True),
    ],
)
def test_an_option_of_the_programs_matters(model, option, value):
    xs, outputs = torch.randn(3, 9, 2), []
    for options in ({}, {option: value}):
        torch.manual_seed(5)
        network = model(2, 3, **(SMALL | {"programs": 2} | options)).eval()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(2)
        outputs.append(network(xs)[0])
    assert not torch.allclose(*outputs, rtol=1e-4, atol=1e-6)


def test_the_temperature_matters_in_training():
    xs, gradients = torch.randn(3, 9, 2), []
    for temperature in (1.0, 5.0):
        torch.manual_seed(5)
        network = NUTM(2, 3, **SMALL, hard_programs=True, program_temperature=temperature)
        network(xs)[0].sum().backward()
        gradients.append(network.cell.machine.interface.head_parameters.linear.query.weight.grad)
    assert not torch.allclose(*gradients, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("program_key_size", 4),
        ("program_addressing", "direct"),
        ("hard_programs", True),
        ("program_temperature", 2.0),
    ],
)
def test_a_dnc_without_programs_refuses_their_options(option, value):
    with pytest.raises(ValueError, match=f"{option} is .*, but there are no stored programs; give programs, such as 2"):
        DNC(2, 3, **{option: value})
