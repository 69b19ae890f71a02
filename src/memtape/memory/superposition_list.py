"""Superposition list: lists around a head whose cells are means over all actions so far, and their interface."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from memtape import ops
from memtape.core import checks
from memtape.core.memory import Interface, Memory
from memtape.core.state import state
from memtape.core.view import Views
from memtape.memory.control import HeadParameters
from memtape.memory.depth import check_depth
from memtape.memory.superposition import PUSHED, Pushed, action_views, cells_view, rounded_if, visible_cells

ACTIONS = ("left", "right", "insert", "no-op")


@state
class SuperpositionListState:
    """The cells of each list, before the head, the nearest first, and from the head on, as differences to an empty cell."""

    growing: ClassVar = {"before": -2, "after": -2}

    before: Float[Tensor, "*batch lists depth width"]
    after: Float[Tensor, "*batch lists depth width"]


@state
class SuperpositionListControl:
    """The probabilities of the actions of each list, in the order left, right, insert, no-op, and the values to insert."""

    actions: Float[Tensor, "*batch lists actions"]
    inserted: Float[Tensor, "*batch lists width"]


class SuperpositionList(Memory[SuperpositionListState, SuperpositionListControl]):
    r"""Move the head of each list, or insert at it, with given probabilities, and read the cells from the head on.

    $$L_t[i] = a^{\text{right}} L_{t-1}[i+1] + a^{\text{left}} L_{t-1}[i-1] + a^{\text{none}} L_{t-1}[i] +
    a^{\text{insert}} \begin{cases} v & i = \text{head} \\ L_{t-1}[i+1] & i < \text{head} \\ L_{t-1}[i] & i > \text{head}
    \end{cases}$$

    A read includes the step's own action. A list grows by one cell on each side in every step, and nothing is dropped.
    `memtape.ops.superpose_list` computes the equation. The code of the authors has no list, so that this memory is not
    compared with theirs, and the number of cells that are read is a choice of memtape.

    Args:
        width: size of one cell.
        lists: number of lists, each with its own actions.
        visible: number of cells of each list that are read, from the head on.
        empty: value of an empty cell.
        round_actions: in evaluation mode, replace probabilities by 1 for the most probable action and 0 for the others.
        max_depth: number of cells on one side of a head above which a step raises an error; None for no limit. In compiled
            code and under the transforms of torch values are not checked; no cell is dropped there either.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1.

    References:
        Joulin & Mikolov (2015), "Inferring algorithmic patterns with stack-augmented recurrent nets", arXiv:1503.01007,
        section 3.3.
    """

    def __init__(
        self,
        width: int = 1,
        *,
        lists: int = 1,
        visible: int = 1,
        empty: float = 0.0,
        round_actions: bool = False,
        max_depth: int | None = None,
    ):
        super().__init__()
        checks.module_sizes(self, width=width, lists=lists, visible=visible)
        if max_depth is not None:
            checks.at_least(1, max_depth=max_depth)
        self.width, self.lists, self.visible = width, lists, visible
        self.empty, self.round_actions, self.max_depth = empty, round_actions, max_depth
        self.read_size = lists * visible * width

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> SuperpositionListState:
        """Return lists without cells."""
        cells = torch.zeros(batch_size, self.lists, 0, self.width, device=device, dtype=dtype)
        return SuperpositionListState(before=cells, after=cells)

    def address(self, control: SuperpositionListControl, state: SuperpositionListState) -> SuperpositionListState:
        """Return the state: a list has no weights of addressing."""
        return state

    def write(self, control: SuperpositionListControl, state: SuperpositionListState) -> SuperpositionListState:
        """Apply the actions.

        Raises:
            DepthError: there are more cells on a side of a head than `max_depth`.
        """
        inserted = control.inserted - self.empty
        before, after = ops.superpose_list(state.before, state.after, self._actions(control), inserted)
        for side in (before, after):
            check_depth(side, -2, self.max_depth)
        return SuperpositionListState(before=before, after=after)

    def read(self, state: SuperpositionListState) -> Float[Tensor, "batch read"]:
        """Return the cells of all lists from the head on, concatenated."""
        return visible_cells(state.after, self.visible, empty=self.empty)

    def forward(
        self, control: SuperpositionListControl, state: SuperpositionListState
    ) -> tuple[Float[Tensor, "batch read"], SuperpositionListState]:
        """Take one step.

        Raises:
            DepthError: there are more cells on a side of a head than `max_depth`.
        """
        moved = self.write(control, state)
        return self.read(moved), moved

    def views(self, control: SuperpositionListControl, state: SuperpositionListState) -> Views:
        """Return the views: the actions, the inserted values, and the list after the step, with the head in the middle.

        A cell of several numbers is drawn as its distance from an empty cell.
        """
        moved = self.write(control, state)
        cells = torch.cat([moved.before.flip(-2), moved.after], dim=-2)
        return (
            *action_views(self._actions(control), control.inserted, names=ACTIONS, written_as="inserted"),
            cells_view(cells, name="list", axis="place", empty=self.empty),
        )

    def _actions(self, control: SuperpositionListControl) -> Tensor:
        return rounded_if(self.round_actions and not self.training, control.actions)


class SuperpositionListInterface(Interface[SuperpositionListControl]):
    r"""Compute the probabilities of actions and the values to insert from a hidden vector.

    $$a = \operatorname{softmax}(A h + b), \qquad v = \phi(D h + d)$$

    Args:
        hidden_size: size of the hidden vector.
        width: size of one cell.
        lists: number of lists.
        no_op: whether there is a fourth action, which keeps the list and the head.
        insert_activation: $\phi$.
        bias: whether there are biases $b$ and $d$.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the activation is unknown.

    References:
        Joulin & Mikolov (2015), arXiv:1503.01007, section 3.3.
    """

    def __init__(
        self,
        hidden_size: int,
        width: int = 1,
        *,
        lists: int = 1,
        no_op: bool = True,
        insert_activation: Pushed = "sigmoid",
        bias: bool = True,
    ):
        super().__init__()
        checks.module_sizes(self, width=width, lists=lists)
        checks.one_of(tuple(PUSHED), insert_activation=insert_activation)
        self.lists = lists
        self.insert_activation: Pushed = insert_activation
        actions = 4 if no_op else 3
        blocks = {"actions": torch.zeros(lists * actions), "inserted": torch.zeros(lists * width)}
        self.head_parameters = HeadParameters(hidden_size, blocks, clip=None, bias=bias)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> SuperpositionListControl:
        """Compute the control from the hidden vector."""
        raw = self.head_parameters(hidden)
        logits, inserted = (raw[name].unflatten(-1, (self.lists, -1)) for name in ("actions", "inserted"))
        return SuperpositionListControl(
            actions=torch.softmax(logits, dim=-1), inserted=PUSHED[self.insert_activation](inserted)
        )
