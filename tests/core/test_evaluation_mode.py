"""The modes of all parts of a network are restored, also after an error."""

from contextlib import suppress

import pytest
from torch import nn

from memtape.core.evaluation_mode import evaluation_mode, training_mode


@pytest.fixture
def network():
    made = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout(), nn.BatchNorm1d(3)))
    made[1].eval()
    return made


def modes(network):
    return [module.training for module in network.modules()]


@pytest.mark.parametrize("mode", [evaluation_mode, training_mode])
@pytest.mark.parametrize("fails", [False, True])
def test_each_part_has_its_mode_again(network, mode, fails):
    for whole in (True, False):
        network.training = whole
        before = modes(network)
        with suppress(RuntimeError), mode(network):
            network.train()
            if fails:
                raise RuntimeError
        assert modes(network) == before


def test_all_parts_are_in_evaluation_mode(network):
    with evaluation_mode(network):
        assert not any(modes(network))


def test_parts_in_evaluation_mode_remain_so_in_training(network):
    with training_mode(network):
        assert modes(network) == [True, True, False, False, False]
    network.eval()
    with training_mode(network):
        assert all(modes(network))
