"""DNC control: what the heads of a Differentiable Neural Computer are told in one step."""

from jaxtyping import Float
from torch import Tensor

from memtape.core.state import NoState, state


@state
class LookUpMasks:
    """Which columns of the slots each head compares with its key."""

    read: Float[Tensor, "*batch reads width"]
    write: Float[Tensor, "*batch writes width"]


@state
class LinkExponents:
    """How sharply each read head follows the links of each write head."""

    backward: Float[Tensor, "*batch reads writes"]
    forward: Float[Tensor, "*batch reads writes"]


@state
class DNCControl:
    """What the heads are told, in the order of the paper's interface vector, and then what later work added."""

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
    """Backward along the links of each write head, by content, forward along the links of each write head; without links by
    content alone."""
    masks: LookUpMasks | NoState
    exponents: LinkExponents | NoState
