"""Strength stack: a stack, a queue or a deque of items that each have a strength, and its interface."""

from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from memtape import ops
from memtape.core import checks
from memtape.core.memory import Interface, Memory
from memtape.core.state import state
from memtape.core.view import HEAD, View, Views
from memtape.memory.control import HeadParameters
from memtape.memory.depth import check_depth

Access = Literal["stack", "queue", "deque"]

READ_AT: dict[str, tuple[str, ...]] = {"stack": ("top",), "queue": ("bottom",), "deque": ("top", "bottom")}
"""The ends at which items are popped and read."""

PUSHED_AT: dict[str, tuple[str, ...]] = {"stack": ("top",), "queue": ("top",), "deque": ("top", "bottom")}
"""The ends at which items are pushed."""


@state
class StrengthStackState:
    """The items that were pushed at each end, the latest first, with their strengths."""

    growing: ClassVar = {"values": -2, "strengths": -1}

    values: Float[Tensor, "*batch ends items width"]
    strengths: Float[Tensor, "*batch ends items"]


@state
class StrengthStackControl:
    """The values and strengths to push, and the strengths to pop, at each end, the top first."""

    values: Float[Tensor, "*batch ends width"]
    push: Float[Tensor, "*batch ends"]
    pop: Float[Tensor, "*batch ends"]


class StrengthStack(Memory[StrengthStackState, StrengthStackControl]):
    r"""Pop an amount of strength, push an item with its strength, and read items of a total strength of 1.

    $$s_t[i] = \max\Bigl(0, s_{t-1}[i] - \max\bigl(0, u_t - \textstyle\sum_j s_{t-1}[j]\bigr)\Bigr), \qquad
    s_t[t] = d_t, \qquad
    r_t = \sum_i \min\Bigl(s_t[i], \max\bigl(0, 1 - \textstyle\sum_j s_t[j]\bigr)\Bigr) V_t[i]$$

    The inner sums are over the items above $i$ for the top of a stack or deque, and over those below $i$ for the bottom of a
    queue or deque. A step pops before it pushes, and a read includes the item that it pushed. A deque pops at the top, then
    at the bottom, and pushes an item at each end. Items are never changed or dropped. With strengths of 0 and 1 these are a
    plain stack, queue and deque. `memtape.ops.strengths_after_pop` and `memtape.ops.read_coefficients` compute the equations.

    Args:
        width: size of one item.
        access: "stack": items are popped and read at the top, where they are pushed; "queue": at the other end; "deque": at
            both ends.
        max_depth: number of items, pushed at one end, above which a step raises an error if the oldest still have strength;
            None for no limit. In compiled code and under the transforms of torch values are not checked; no item is dropped
            there either.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the kind of access is unknown.

    References:
        Grefenstette, Hermann, Suleyman & Blunsom (2015), "Learning to transduce with unbounded memory", arXiv:1506.02516,
        section 3.
    """

    def __init__(self, width: int, *, access: Access = "stack", max_depth: int | None = None):
        super().__init__()
        checks.module_sizes(self, width=width)
        checks.one_of(tuple(READ_AT), access=access)
        if max_depth is not None:
            checks.at_least(1, max_depth=max_depth)
        self.width, self.access, self.max_depth = width, access, max_depth
        self.ends = len(PUSHED_AT[access])
        self.read_size = len(READ_AT[access]) * width

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> StrengthStackState:
        """Return a memory without items."""
        values = torch.zeros(batch_size, self.ends, 0, self.width, device=device, dtype=dtype)
        return StrengthStackState(values=values, strengths=values.sum(-1))

    def address(self, control: StrengthStackControl, state: StrengthStackState) -> StrengthStackState:
        """Pop: reduce the strengths of the items; the items do not change."""
        strengths = self._in_order(state.strengths)
        for end, amount in zip(READ_AT[self.access], control.pop.unbind(-1), strict=True):
            strengths = _from(end, ops.strengths_after_pop(_from(end, strengths), amount))
        return StrengthStackState(values=state.values, strengths=self._of_ends(strengths))

    def write(self, control: StrengthStackControl, state: StrengthStackState) -> StrengthStackState:
        """Push an item at each end.

        Raises:
            DepthError: there are more items with strength than `max_depth`.
        """
        strengths = torch.cat([control.push[..., None], state.strengths], dim=-1)
        check_depth(strengths, -1, self.max_depth)
        values = torch.cat([control.values[..., None, :], state.values], dim=-2)
        return StrengthStackState(values=values, strengths=strengths)

    def read(self, state: StrengthStackState) -> Float[Tensor, "batch read"]:
        """Return what is read at the end of a stack or queue, or at the top and at the bottom of a deque."""
        values = self._in_order(state.values, axis=-2)
        reads = [coefficients[..., None, :] @ values for coefficients in self._coefficients(state)]
        return torch.cat([read.squeeze(-2) for read in reads], dim=-1)

    def forward(
        self, control: StrengthStackControl, state: StrengthStackState
    ) -> tuple[Float[Tensor, "batch read"], StrengthStackState]:
        """Take one step: pop, push and read.

        Raises:
            DepthError: there are more items with strength than `max_depth`.
        """
        after = self.write(control, self.address(control, state))
        return self.read(after), after

    def views(self, control: StrengthStackControl, state: StrengthStackState) -> Views:
        """Return the views: strengths of push and pop, and the strengths and reads of all items in the order of their pushes.

        Items that were pushed at the two ends of a deque are drawn as two heads.
        """
        reads, after = self(control, state)
        pushed, read = PUSHED_AT[self.access], READ_AT[self.access]
        several = self.ends > 1
        names = [*(f"push {end}" for end in pushed), *(f"pop {end}" for end in read)] if several else ["push", "pop"]
        ends = (HEAD,) if several else ()

        def of_end(tensor: Tensor) -> Tensor:
            return tensor if several else tensor[:, 0]

        def by_push(tensor: Tensor) -> Tensor:
            return of_end(_oldest_first(tensor, after.values))

        coefficients = torch.stack([self._of_ends(one) for one in self._coefficients(after)]).sum(0)
        return (
            View(
                name="actions",
                title="Push and pop",
                values=torch.cat([control.push, control.pop], dim=-1),
                axes=("gate",),
                scale="level",
                measure="strength",
                entries=tuple(names),
            ),
            View(
                name="strengths",
                title="Strengths",
                values=by_push(after.strengths),
                axes=(*ends, "item"),
                scale="level",
                measure="strength",
            ),
            View(
                name="read_coefficients",
                title="Read coefficients",
                values=by_push(coefficients),
                axes=(*ends, "item"),
                scale="amount",
                measure="coefficient",
            ),
            View(
                name="reads",
                title="Reads",
                values=of_end(reads.unflatten(-1, (len(read), self.width))),
                axes=(*ends, "width"),
                scale="signed",
                measure="value",
            ),
            View(
                name="contents",
                title="Items",
                values=by_push(after.values),
                axes=(*ends, "item", "width"),
                scale="signed",
                measure="value",
            ),
        )

    def _coefficients(self, state: StrengthStackState) -> list[Tensor]:
        """Return the coefficients of each read, for the items from the top to the bottom."""
        strengths = self._in_order(state.strengths)
        return [_from(end, ops.read_coefficients(_from(end, strengths))) for end in READ_AT[self.access]]

    def _in_order(self, of_ends: Tensor, axis: int = -1) -> Tensor:
        """Join what belongs to the items of each end, from the top to the bottom."""
        top, *bottom = of_ends.unbind(axis - 1)
        return torch.cat([top, bottom[0].flip(axis)], dim=axis) if bottom else top

    def _of_ends(self, ordered: Tensor) -> Tensor:
        """Split what belongs to all items, from the top to the bottom, into that of each end, the latest first."""
        top, *bottom = ordered.unflatten(-1, (self.ends, ordered.shape[-1] // self.ends)).unbind(-2)
        return torch.stack([top, *(part.flip(-1) for part in bottom)], dim=-2)


class StrengthStackInterface(Interface[StrengthStackControl]):
    r"""Compute values and strengths from a hidden vector.

    $$v = \tanh(W_v h + b_v), \qquad d = \sigma(W_d h + b_d), \qquad u = \sigma(W_u h + b_u)$$

    Args:
        hidden_size: size of the hidden vector.
        width: size of one item.
        access: "stack", "queue" or "deque".
        pop_bias: initial bias of $u$; at -1, the value of the paper, items are stored before they are popped.
        push_bias: initial bias of $d$.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the kind of access is unknown.

    References:
        Grefenstette, Hermann, Suleyman & Blunsom (2015), arXiv:1506.02516, section 3.
    """

    def __init__(
        self,
        hidden_size: int,
        width: int,
        *,
        access: Access = "stack",
        pop_bias: float = -1.0,
        push_bias: float = 0.0,
    ):
        super().__init__()
        checks.module_sizes(self, width=width)
        checks.one_of(tuple(READ_AT), access=access)
        self.width = width
        pushes, pops = len(PUSHED_AT[access]), len(READ_AT[access])
        blocks = {
            "values": torch.zeros(pushes * width),
            "push": torch.full((pushes,), push_bias),
            "pop": torch.full((pops,), pop_bias),
        }
        self.head_parameters = HeadParameters(hidden_size, blocks, clip=None)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> StrengthStackControl:
        """Compute the control from the hidden vector."""
        raw = self.head_parameters(hidden)
        return StrengthStackControl(
            values=torch.tanh(raw["values"]).unflatten(-1, (-1, self.width)),
            push=torch.sigmoid(raw["push"]),
            pop=torch.sigmoid(raw["pop"]),
        )


def _from(end: str, items: Tensor) -> Tensor:
    """Return what belongs to the items, ordered from the top, ordered from an end, and the reverse."""
    return items if end == "top" else items.flip(-1)


def _oldest_first(of_items: Tensor, values: Tensor) -> Tensor:
    """Return what belongs to the items, the latest first, in the order of their pushes, with zeros at the end.

    Items of zeros at the end of `values` were never pushed.
    """
    places = torch.arange(values.shape[-2], device=values.device)
    pushed = ((values != 0).any(-1) * (places + 1)).amax(-1, keepdim=True)
    order = pushed - 1 - places
    extra = [1] * (of_items.ndim - order.ndim)
    taken = order.clamp(min=0).reshape(*order.shape, *extra).expand_as(of_items)
    return torch.where((order >= 0).reshape(*order.shape, *extra), of_items.gather(order.ndim - 1, taken), 0)
