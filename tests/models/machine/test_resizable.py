"""Networks that run with another number of slots than they were built with."""

import pytest
import torch

from memtape import DNC, NTM, BiDNC, tree

BATCH, TIME, INPUT, OUTPUT = 2, 6, 3, 2
SMALL = {"slots": 5, "width": 4, "controller_size": 6}


def dnc(**options):
    return DNC(INPUT, OUTPUT, **(SMALL | options))


@pytest.mark.parametrize("links", ["dense", "sparse", "none"])
@pytest.mark.parametrize("network_class", [DNC, BiDNC])
def test_the_same_weights_run_with_more_slots(network_class, links):
    network = network_class(INPUT, OUTPUT, links=links, **SMALL)
    larger = network.with_slots(12)
    xs = torch.randn(BATCH, TIME, INPUT)
    torch.testing.assert_close(dict(larger.state_dict()), dict(network.state_dict()), rtol=0, atol=0)
    (ys, _), (others, state) = network(xs), larger(xs)
    memory = getattr(state, "forwards", state).memory
    assert memory.memory.shape == (BATCH, 12, 4)
    assert memory.usage.shape == (BATCH, 12)
    assert not torch.allclose(ys, others)
    assert larger.configuration == network.configuration | {"slots": 12}


def test_with_its_own_number_of_slots_it_is_the_same_network():
    network, xs = dnc(controller_layers=2, write_heads=2).double(), torch.randn(BATCH, TIME, INPUT).double()
    same = network.with_slots(5)
    (ys, last), (others, end) = network(xs), same(xs)
    assert torch.equal(ys, others)
    torch.testing.assert_close(tree.named_tensors(last), tree.named_tensors(end), rtol=0, atol=0)


def test_the_old_network_is_unchanged_and_the_two_are_independent():
    network = dnc()
    network.cell.machine.to_output.bias.requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    larger = network.eval().with_slots(8)
    assert not larger.training
    assert [p.requires_grad for p in larger.parameters()] == [p.requires_grad for p in network.parameters()]
    with torch.no_grad():
        for parameter in larger.parameters():
            parameter.add_(1)
    torch.testing.assert_close(dict(network.state_dict()), before, rtol=0, atol=0)
    assert network(torch.randn(1, 2, INPUT))[1].memory.usage.shape == (1, 5)


def test_no_random_numbers_are_drawn():
    network = dnc()
    torch.manual_seed(3)
    network.with_slots(9)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(1), drawn)


def test_a_turing_machine_whose_weights_do_not_depend_on_the_slot_runs_with_more_too():
    network = NTM(INPUT, OUTPUT, initial_weights="uniform", **SMALL)
    ys, state = network.with_slots(11)(torch.randn(BATCH, TIME, INPUT))
    assert ys.isfinite().all()
    assert state.memory.memory.shape == (BATCH, 11, 4)


@pytest.mark.parametrize(
    ("network_class", "options", "name"),
    [
        (NTM, {}, "cell.machine.memory.initial_logits"),
        (NTM, {"initial_weights": "zeros", "initial_memory": "random"}, "cell.machine.memory.initial_slots.contents"),
        (DNC, {"initial_memory": "learned"}, "cell.machine.memory.initial_slots.bias"),
    ],
)
def test_a_network_with_learned_values_for_each_slot_is_refused(network_class, options, name):
    network = network_class(INPUT, OUTPUT, **(SMALL | options))
    sentence = f"slots is 7, but {name} of this {network_class.__name__} has a value for each of its 5 slots; build it"
    with pytest.raises(ValueError, match=sentence):
        network.with_slots(7)
    assert network.with_slots(5).configuration == network.configuration


@pytest.mark.parametrize(("slots", "error"), [(0, ValueError), (2.0, TypeError)])
def test_slots_are_an_integer_of_at_least_1(slots, error, shapes_unchecked):
    with pytest.raises(error, match=f"slots of DNCCell is {slots}, but it must be"):
        dnc().with_slots(slots)
