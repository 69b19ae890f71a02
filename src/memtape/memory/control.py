"""Control: one linear layer from a hidden vector to the interface vector of all heads."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core import checks
from memtape.core.known_parts import KeepsForward


class HeadParameters(KeepsForward):
    """Compute the interface vector from a hidden vector by one linear layer, and split it into named blocks.

    The weights have the Xavier uniform initialisation of the whole matrix.

    Args:
        hidden_size: size of the hidden vector.
        blocks: initial bias of each block, by name and in order; its length is the size of the block.
        clip: bound of the absolute value of every entry of the interface vector; None for no bound.
        bias: whether the layer has biases; without them the initial biases of the blocks only give their sizes.

    Raises:
        ValueError: a size below 1, or a clip that is not positive.

    References:
        Clipping: Collier & Beel (2018), "Implementing Neural Turing Machines", arXiv:1807.08518, section 3.
    """

    def __init__(self, hidden_size: int, blocks: dict[str, Tensor], *, clip: float | None, bias: bool = True):
        super().__init__()
        checks.module_sizes(self, hidden_size=hidden_size)
        if clip is not None and not clip > 0:
            raise ValueError(f"clip is {clip}, but it is a bound and must be positive; give None for no clipping")
        self.names = tuple(blocks)
        self.sizes = [len(bias) for bias in blocks.values()]
        self.clip = clip
        self.linear = nn.Linear(hidden_size, sum(self.sizes), bias=bias)
        nn.init.xavier_uniform_(self.linear.weight)
        if not bias:
            return
        with torch.no_grad():
            # On the meta device torch.cat would load all of torch's compiler.
            for part, begin in zip(self.linear.bias.split(self.sizes), blocks.values(), strict=True):
                part.copy_(begin)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> dict[str, Tensor]:
        """Return the blocks of the interface vector by name, each of shape (batch, size)."""
        raw = self.linear(hidden)
        if self.clip is not None:
            raw = raw.clamp(-self.clip, self.clip)
        return dict(zip(self.names, raw.split(self.sizes, dim=-1), strict=True))
