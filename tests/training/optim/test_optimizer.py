"""The optimiser of the settings."""

import pytest
import torch

from memtape.training.optim.graves_rmsprop import GravesRMSprop
from memtape.training.optim.optimizer import optimizer_for
from memtape.training.settings import TrainSettings


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("adam", torch.optim.Adam), ("rmsprop", torch.optim.RMSprop), ("graves", GravesRMSprop)),
        *(("adagrad", torch.optim.Adagrad), ("ridge", torch.optim.SGD)),
    ],
)
def test_the_settings_choose_the_optimiser(name, kind):
    optimizer = optimizer_for([torch.nn.Parameter(torch.zeros(1))], TrainSettings(optimizer=name, learning_rate=0.5))
    assert type(optimizer) is kind
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_adagrad_is_fused_for_unsharded_tensors_on_the_cpu_alone():
    class Part(torch.nn.Parameter):
        """A parameter like one that is sharded over several processes."""

    elsewhere = torch.nn.Parameter(torch.zeros(1, device="meta"))
    for parameter, fused in (
        (torch.nn.Parameter(torch.zeros(1)), True),
        (Part(torch.zeros(1)), False),
        (elsewhere, False),
    ):
        settings = TrainSettings(optimizer="adagrad")
        assert optimizer_for(iter([parameter]), settings).param_groups[0]["fused"] is fused


@pytest.mark.parametrize(("name", "option", "value"), [("rmsprop", "alpha", 0.7), ("graves", "smoothing", 0.7)])
def test_smoothing_and_momentum_are_passed_to_the_optimiser(name, option, value):
    settings = TrainSettings(optimizer=name, smoothing=0.7, momentum=0.3)
    group = optimizer_for([torch.nn.Parameter(torch.zeros(1))], settings).param_groups[0]
    assert group[option] == value
    assert group["momentum"] == 0.3
