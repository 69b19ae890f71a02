"""DNC control: the head parameters of a Differentiable Neural Computer in one step."""

from jaxtyping import Float
from torch import Tensor

from memtape.core.state import NoState, state


@state
class LookUpMasks:
    """Masks of the columns of slots that each head compares with its key."""

    read: Float[Tensor, "*batch reads width"]
    write: Float[Tensor, "*batch writes width"]


@state
class LinkExponents:
    """Sharpening exponents of the links of each write head, for each read head."""

    backward: Float[Tensor, "*batch reads writes"]
    forward: Float[Tensor, "*batch reads writes"]


@state
class DNCControl:
    """Head parameters, in the order of the paper's interface vector; those of later papers come last."""

    read_keys: Float[Tensor, "*batch reads width"]
    read_strengths: Float[Tensor, "*batch reads"]
    write_keys: Float[Tensor, "*batch writes width"]
    write_strengths: Float[Tensor, "*batch writes"]
    erase: Float[Tensor, "*batch writes width"]
    add: Float[Tensor, "*batch writes width"]
    free_gates: Float[Tensor, "*batch reads"]
    allocation_gates: Float[Tensor, "*batch writes"]
    write_gates: Float[Tensor, "*batch writes"]
    read_modes: Float[Tensor, "*batch reads modes"]
    """Backward along the links of each write head, content, forward along these links; without links content only."""
    masks: LookUpMasks | NoState
    exponents: LinkExponents | NoState
