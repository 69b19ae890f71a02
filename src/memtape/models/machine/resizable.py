"""Resizable: networks that run with another number of slots than in training."""

from typing import TypeVar

import torch

from memtape.sharing.shareable import Shareable

N = TypeVar("N", bound="Resizable")


class Resizable(Shareable):
    """Abstract network with an option `slots` on which no weight has to depend."""

    def with_slots(self: N, slots: int) -> N:
        """Return a network with the same weights and another number of slots; this one does not change.

        Args:
            slots: number of slots of the memory.

        Raises:
            TypeError: the number is not an integer.
            ValueError: the number is below 1, or the network has a learned or random value for each slot.

        References:
            Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
            doi:10.1038/nature20101: a memory of another size than in training.
        """
        with torch.device("meta"):
            network = type(self)(**(self.configuration | {"slots": slots}))
        wanted, given = network.state_dict(), self.state_dict()
        for name, tensor in given.items():
            if tensor.shape != wanted[name].shape:
                raise ValueError(
                    f"slots is {slots}, but {name} of this {type(self).__name__} has a value for each of its "
                    f"{self.configuration['slots']} slots; build it with initial options that do not depend on the slot"
                )
        network.load_state_dict({name: tensor.clone() for name, tensor in given.items()}, assign=True)
        for new, old in zip(network.parameters(), self.parameters(), strict=True):
            new.requires_grad_(old.requires_grad)
        return network.train(self.training)
