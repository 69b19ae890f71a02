"""Resizable: networks that run on with another number of slots than they were trained with."""

from typing import TypeVar

import torch

from memtape.sharing.shareable import Shareable

N = TypeVar("N", bound="Resizable")


class Resizable(Shareable):
    """Abstract network with an option `slots` that none of its weights need depend on."""

    def with_slots(self: N, slots: int) -> N:
        """Return a network of the same weights with another number of slots; this one stays as it is.

        Args:
            slots: number of slots of the memory.

        Raises:
            TypeError: a number that is not whole.
            ValueError: a number below 1, or a network that learned or drew something for each of its slots.

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
                    f"slots is {slots}, but {name} of this {type(self).__name__} was made for its "
                    f"{self.configuration['slots']} slots; build it with initial options that do not depend on the slot"
                )
        network.load_state_dict({name: tensor.clone() for name, tensor in given.items()}, assign=True)
        for new, old in zip(network.parameters(), self.parameters(), strict=True):
            new.requires_grad_(old.requires_grad)
        return network.train(self.training)
