"""DNC interface: compute the head parameters of a Differentiable Neural Computer from a hidden vector."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape.core import checks
from memtape.core.memory import Interface
from memtape.core.state import NoState
from memtape.core.view import Views
from memtape.memory.control import HeadParameters
from memtape.memory.dnc_control import DNCControl, LinkExponents, LookUpMasks
from memtape.memory.program_options import ProgramOptions
from memtape.memory.strengths import STRENGTHS, Strengths, raw_strength, strengths_of

OF_READ_HEADS = ("read", "free", "backward", "forward")
"""The first words of the names of the blocks of read heads; the others belong to write heads."""


class DNCInterface(Interface[DNCControl]):
    r"""Compute the head parameters from a hidden vector.

    $$k = \phi(\cdot), \quad \beta = 1 + \log(1 + e^{\cdot}), \quad e = \sigma(\cdot), \quad v = \phi(\cdot), \quad
    f, g^a, g^w = \sigma(\cdot), \quad \pi = \operatorname{softmax}(\cdot)$$

    with $\phi$ = the identity or tanh. The interface vector has the order of the paper: read keys, read strengths,
    write keys, write strengths, erase, add, free gates, allocation gates, write gates, read modes; after them, if
    present, masks of the read and of the write heads, $m = m_0 + (1 - m_0)\, \sigma(\cdot)$, and sharpening exponents
    of the links backward and forward, $1 + \log(1 + e^{\cdot})$.

    Args:
        hidden_size: size of the hidden vector.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        strengths: activation of the key strengths: "oneplus" as above, at least 1, or "softplus", without the 1, at
            least 0.
        initial_strength: initial value of every key strength; with many slots, about the logarithm of their number
            gives a slot that matches the key most of the weight. None for 1.7 with oneplus and 0.7 with softplus.
        squash: apply tanh to keys and add vectors.
        clip: bound of the absolute value of every entry of the interface vector; None for no bound.
        links: whether the memory has temporal links; without them the heads have no read modes and read by content
            only.
        masked: add a mask of the columns of slots that each head compares with its key.
        mask_floor: $m_0$, the smallest value of a mask.
        sharpen_links: add a sharpening exponent of the links for each read head.
        programs: stored programs of each head, in place of the linear layer; None for the layer.
        bias: whether the linear layer has biases.

    Raises:
        ValueError: a size is below 1, the clip is not positive, a choice is unknown, the initial strength is outside
            the range of strengths, a mask floor is given without masks, `sharpen_links` without links,
            or no biases beside programs or an initial strength.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101, Methods, "Interface parameters"; masks and exponents: Csordas & Schmidhuber (2019),
        arXiv:1904.10278; programs: Le, Tran & Venkatesh (2020), "Neural stored-program memory", arXiv:1906.08862.
    """

    def __init__(
        self,
        hidden_size: int,
        width: int,
        *,
        read_heads: int = 1,
        write_heads: int = 1,
        strengths: Strengths = "oneplus",
        initial_strength: float | None = None,
        squash: bool = False,
        clip: float | None = 20.0,
        links: bool = True,
        masked: bool = False,
        mask_floor: float = 0.0,
        sharpen_links: bool = False,
        programs: ProgramOptions | None = None,
        bias: bool = True,
    ):
        super().__init__()
        checks.module_sizes(self, width=width, read_heads=read_heads, write_heads=write_heads)
        checks.one_of(STRENGTHS, strengths=strengths)
        checks.probabilities(mask_floor=mask_floor)
        if mask_floor and not masked:
            raise ValueError(f"mask_floor is {mask_floor}, but there are no masks; leave it at 0 or set masked")
        if sharpen_links and not links:
            raise ValueError("sharpen_links is set, but there are no links; leave it out or keep links")
        if programs is not None and not bias:
            raise ValueError("bias is False, but stored programs have biases; leave one of the two out")
        if initial_strength is not None and not bias:
            raise ValueError(
                f"initial_strength is {initial_strength}, but it is a bias and there are none; leave it out or keep the biases"
            )
        self.masked, self.mask_floor, self.links, self.sharpen_links = masked, mask_floor, links, sharpen_links
        self.width, self.read_heads = width, read_heads
        self.strengths: Strengths = strengths
        self.squash = squash
        sizes = {
            "read_keys": read_heads * width,
            "read_strengths": read_heads,
            "write_keys": write_heads * width,
            "write_strengths": write_heads,
            "erase": write_heads * width,
            "add": write_heads * width,
            "free_gates": read_heads,
            "allocation_gates": write_heads,
            "write_gates": write_heads,
        }
        if links:
            sizes["read_modes"] = read_heads * (1 + 2 * write_heads)
        if masked:
            sizes |= {"read_masks": read_heads * width, "write_masks": write_heads * width}
        if sharpen_links:
            sizes |= dict.fromkeys(("backward_exponents", "forward_exponents"), read_heads * write_heads)
        blocks = {name: torch.zeros(size) for name, size in sizes.items()}
        if initial_strength is not None:
            for name in ("read_strengths", "write_strengths"):
                blocks[name] += raw_strength(initial_strength, strengths)
        reads, writes = range(read_heads), range(read_heads, read_heads + write_heads)
        owners = {name: reads if name.startswith(OF_READ_HEADS) else writes for name in blocks}
        self.head_parameters = HeadParameters(
            hidden_size, blocks, clip=clip, bias=bias, programs=programs, heads=owners
        )

    def views(self, hidden: Float[Tensor, "batch hidden"]) -> Views:
        """Return the view of the weights of the programs; none without programs."""
        return self.head_parameters.views(hidden)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> DNCControl:
        """Compute the control from the hidden vector."""
        raw = self.head_parameters(hidden)
        return DNCControl(
            read_keys=self._vectors(raw["read_keys"]),
            read_strengths=strengths_of(raw["read_strengths"], self.strengths),
            write_keys=self._vectors(raw["write_keys"]),
            write_strengths=strengths_of(raw["write_strengths"], self.strengths),
            erase=torch.sigmoid(raw["erase"]).unflatten(-1, (-1, self.width)),
            add=self._vectors(raw["add"]),
            free_gates=torch.sigmoid(raw["free_gates"]),
            allocation_gates=torch.sigmoid(raw["allocation_gates"]),
            write_gates=torch.sigmoid(raw["write_gates"]),
            read_modes=self._modes(raw),
            masks=self._masks(raw) if self.masked else NoState(),
            exponents=self._exponents(raw) if self.sharpen_links else NoState(),
        )

    def _modes(self, raw: dict[str, Tensor]) -> Tensor:
        if not self.links:
            return torch.ones_like(raw["read_strengths"])[..., None]
        return torch.softmax(raw["read_modes"].unflatten(-1, (self.read_heads, -1)), dim=-1)

    def _masks(self, raw: dict[str, Tensor]) -> LookUpMasks:
        masks = [torch.sigmoid(raw[name]).unflatten(-1, (-1, self.width)) for name in ("read_masks", "write_masks")]
        read, write = (self.mask_floor + (1 - self.mask_floor) * mask for mask in masks)
        return LookUpMasks(read=read, write=write)

    def _exponents(self, raw: dict[str, Tensor]) -> LinkExponents:
        both = [1 + functional.softplus(raw[f"{way}_exponents"]) for way in ("backward", "forward")]
        backward, forward = (exponents.unflatten(-1, (self.read_heads, -1)) for exponents in both)
        return LinkExponents(backward=backward, forward=forward)

    def _vectors(self, raw: Tensor) -> Tensor:
        vectors = raw.unflatten(-1, (-1, self.width))
        return torch.tanh(vectors) if self.squash else vectors
