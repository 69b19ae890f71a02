"""Key penalty: keep the keys of stored programs apart in the first steps of training."""

import torch
from torch import nn

from memtape import ops
from memtape.memory import StoredPrograms
from memtape.training.parallel.network import Network
from memtape.training.settings import SettingsError, TrainSettings

NEGLIGIBLE = 1e-9
"""Weight of a penalty below which it has no effect on float32 gradients of usual size."""


def penalty_at(step: int, settings: TrainSettings) -> float:
    r"""Return the weight of the penalty at a step $t$, counted from 0: $\eta_t = \eta_0 d^t$."""
    return settings.key_penalty * settings.key_penalty_decay**step


def add_key_penalty(network: Network, weight: float) -> None:
    r"""Add the gradient of $\eta\, l_p$ to the gradients of the keys of all stored programs.

    $l_p$ is the mean cosine of two keys of the same head (`memtape.ops.key_similarity`). The loss that is reported is
    unchanged. Each process of a replicated network adds the same gradient, after the gradients have been averaged.

    Args:
        network: the network, with the gradients of the loss.
        weight: $\eta$, the weight of the penalty; below 1e-9 nothing is added.

    References:
        Le, Tran & Venkatesh (2020), "Neural stored-program memory", arXiv:1906.08862, section 3.1.
    """
    if weight < NEGLIGIBLE:
        return
    found = programs_with_keys(network.trained, weight)
    for programs in found:
        parameter = programs.keys
        assert parameter is not None
        if parameter.grad is None:
            continue
        keys = network.full_tensor(parameter.detach()).requires_grad_()
        (share,) = torch.autograd.grad(ops.key_similarity(keys) * (weight / len(found)), keys)
        parameter.grad += network.local_tensor(share, parameter)


def programs_with_keys(network: nn.Module, weight: float) -> list[StoredPrograms]:
    """Return the stored programs of a network to whose keys a penalty of this weight applies.

    Raises:
        SettingsError: the network has none.
    """
    found = [part for part in network.modules() if isinstance(part, StoredPrograms) and part.keys is not None]
    if not found:
        raise SettingsError(
            f"key_penalty is {weight}, but {type(network).__name__} has no stored programs with keys; set it to 0 or choose a "
            'network with programs, such as "nutm"'
        )
    return found
