"""Control: one linear layer, or stored programs, from a hidden vector to the interface vector of all heads."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core import checks
from memtape.core.known_parts import KeepsForward
from memtape.core.view import Views
from memtape.memory.program_options import ProgramOptions
from memtape.memory.stored_programs import StoredPrograms


class HeadParameters(KeepsForward):
    """Compute the interface vector from a hidden vector by one linear layer, and split it into named blocks.

    The weights have the Xavier uniform initialisation of the whole matrix. With programs, `StoredPrograms` take the place of
    the layer, and the initial biases of the blocks are added to those of each program.

    Args:
        hidden_size: size of the hidden vector.
        blocks: initial bias of each block, by name and in order; its length is the size of the block.
        clip: bound of the absolute value of every entry of the interface vector; None for no bound.
        bias: whether the layer has biases; without them the initial biases of the blocks only give their sizes.
        programs: the programs of each head; None for one linear layer.
        heads: with programs, the heads to which each block belongs, by name.

    Raises:
        ValueError: a size below 1, or a clip that is not positive.

    References:
        Clipping: Collier & Beel (2018), "Implementing Neural Turing Machines", arXiv:1807.08518, section 3.
    """

    def __init__(
        self,
        hidden_size: int,
        blocks: dict[str, Tensor],
        *,
        clip: float | None,
        bias: bool = True,
        programs: ProgramOptions | None = None,
        heads: Mapping[str, range] | None = None,
    ):
        super().__init__()
        checks.module_sizes(self, hidden_size=hidden_size)
        if clip is not None and not clip > 0:
            raise ValueError(f"clip is {clip}, but it is a bound and must be positive; give None for no clipping")
        self.names = tuple(blocks)
        self.sizes = [len(bias) for bias in blocks.values()]
        self.clip = clip
        self.linear: nn.Linear | StoredPrograms
        if programs is None:
            self.linear = nn.Linear(hidden_size, sum(self.sizes), bias=bias)
            nn.init.xavier_uniform_(self.linear.weight)
            if not bias:
                return
            nn.init.zeros_(self.linear.bias)
            biases = self.linear.bias
        else:
            assert heads is not None
            self.linear = StoredPrograms(hidden_size, self.sizes, [heads[name] for name in self.names], programs)
            biases = self.linear.biases
        with torch.no_grad():
            # On the meta device torch.cat would load all of torch's compiler.
            for part, begin in zip(biases.split(self.sizes, dim=-1), blocks.values(), strict=True):
                part.add_(begin)

    def views(self, hidden: Float[Tensor, "batch hidden"]) -> Views:
        """Return the view of the weights of the programs; none without programs."""
        return (self.linear.view(hidden),) if isinstance(self.linear, StoredPrograms) else ()

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> dict[str, Tensor]:
        """Return the blocks of the interface vector by name, each of shape (batch, size)."""
        raw = self.linear(hidden)
        if self.clip is not None:
            raw = raw.clamp(-self.clip, self.clip)
        return dict(zip(self.names, raw.split(self.sizes, dim=-1), strict=True))
