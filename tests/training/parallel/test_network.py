"""The network in parallel training: the state of its optimiser, and clipping of its gradient."""

import pytest
import torch
from torch import nn

from memtape.training.parallel.processes import Processes
from memtape.training.parallel.replicas import Replicas
from memtape.training.settings import TrainSettings


@pytest.mark.parametrize("name", ["adam", "rmsprop", "graves"])
def test_every_optimiser_resumes_to_the_same_bits(name):
    def trained(first, last, weights, remembered):
        layer = nn.Linear(3, 2)
        layer.load_state_dict(weights)
        settings = TrainSettings(optimizer=name, device="cpu", clip_limit=0.1)
        network = Replicas(layer, settings, Processes(settings))
        network.load_optimizer_state(remembered)
        for step in range(first, last):
            torch.manual_seed(step)
            network.optimizer.zero_grad()
            network(torch.randn(4, 3)).square().sum().backward()
            network.clip()
            network.optimizer.step()
        return layer.state_dict(), {key: value.clone() for key, value in network.optimizer_state().items()}

    torch.manual_seed(0)
    initial = nn.Linear(3, 2).state_dict()
    whole, _ = trained(0, 6, initial, {})
    halves, _ = trained(3, 6, *trained(0, 3, initial, {}))
    assert all(torch.equal(whole[key], halves[key]) for key in whole)
