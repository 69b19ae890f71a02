"""The penalty on similar keys: its gradient by hand, its decay, and that nothing else changes."""

import copy

import pytest
import torch

from memtape import DNC, NTM, NUTM, Copy
from memtape.ops import key_similarity
from memtape.training.gradient import gradient
from memtape.training.key_penalty import add_key_penalty, penalty_at
from memtape.training.parallel.processes import Processes
from memtape.training.parallel.replicas import Replicas
from memtape.training.settings import SettingsError, TrainSettings

SIZES = {"slots": 5, "width": 3, "controller_size": 4}


def gradients(network, task, weight):
    settings = TrainSettings(device="cpu", batch_size=3)
    processes = Processes(settings)
    held = Replicas(copy.deepcopy(network), settings, processes)
    scores, _, _ = gradient(held, task, task.batch(0, 3), None, settings=settings, processes=processes)
    add_key_penalty(held, weight)
    return {name: value.grad for name, value in held.model.named_parameters()}, scores["loss"]


@pytest.mark.parametrize("options", [{}, {"program_key_size": 6, "programs": 3, "read_heads": 2}])
def test_the_gradient_of_the_penalty_is_added_to_that_of_the_keys_alone(options):
    task = Copy(bits=2, max_length=3)
    network = NUTM(task.input_size, task.output_size, **(SIZES | options))
    plain, loss = gradients(network, task, 0.0)
    found, loss_with_penalty = gradients(network, task, 0.5)
    assert loss == loss_with_penalty
    (place,) = [name for name in plain if name.endswith("keys")]
    keys = network.get_parameter(place).detach().clone().requires_grad_()
    (key_similarity(keys) * 0.5).backward()
    for name, value in plain.items():
        expected = value + keys.grad if name == place else value
        torch.testing.assert_close(found[name], expected, rtol=0, atol=1e-7)
    assert not torch.equal(found[place], plain[place])


def test_the_weight_decays_with_each_step():
    settings = TrainSettings(device="cpu", key_penalty=0.1)
    assert [penalty_at(step, settings) for step in range(3)] == pytest.approx([0.1, 0.09, 0.081])


def test_a_penalty_lowers_the_similarity_of_keys():
    """Plain descent on the penalty alone reaches opposite keys of two programs."""
    network = NUTM(3, 2, **SIZES)
    held = Replicas(network, TrainSettings(device="cpu"), Processes(TrainSettings(device="cpu")))
    keys = network.cell.machine.interface.head_parameters.linear.keys
    for _ in range(300):
        keys.grad = torch.zeros_like(keys)
        add_key_penalty(held, 1.0)
        with torch.no_grad():
            keys -= 0.01 * keys.grad
    assert key_similarity(keys).item() < -0.9


@pytest.mark.parametrize(
    "network",
    [
        lambda: NTM(3, 2, **SIZES),
        lambda: DNC(3, 2, **SIZES),
        lambda: NUTM(3, 2, **SIZES, program_addressing="direct"),
    ],
)
def test_a_network_without_keys_is_refused(network):
    built, settings = network(), TrainSettings(device="cpu")
    held = Replicas(built, settings, Processes(settings))
    with pytest.raises(
        SettingsError,
        match=r"key_penalty is 0.1, but \w+ has no stored programs with keys; set it to 0 or choose a network",
    ):
        add_key_penalty(held, 0.1)
