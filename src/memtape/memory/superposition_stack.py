"""Superposition stack: stacks whose cells are means over all actions so far, and their interface."""

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
from memtape.memory.superposition import (
    PUSHED,
    Pushed,
    action_views,
    cells_view,
    contents_view,
    rounded_if,
    visible_cells,
)

ACTIONS = ("push", "pop", "no-op")


@state
class SuperpositionStackState:
    """The cells of each stack from the top to the bottom, as differences to the value of an empty cell."""

    growing: ClassVar = {"cells": -2}

    cells: Float[Tensor, "*batch stacks depth width"]


@state
class SuperpositionStackControl:
    """The probabilities of the actions of each stack, in the order push, pop, no-op, and the values to push."""

    actions: Float[Tensor, "*batch stacks actions"]
    pushed: Float[Tensor, "*batch stacks width"]


class SuperpositionStack(Memory[SuperpositionStackState, SuperpositionStackControl]):
    r"""Push, pop or keep each stack with given probabilities, and read its top cells.

    $$s_t[0] = a^{\text{push}} v + a^{\text{pop}} s_{t-1}[1] + a^{\text{none}} s_{t-1}[0], \qquad
    s_t[i] = a^{\text{push}} s_{t-1}[i-1] + a^{\text{pop}} s_{t-1}[i+1] + a^{\text{none}} s_{t-1}[i]$$

    A read includes the step's own action. A stack grows by one cell in every step, and nothing is dropped. With actions of
    probability 0 and 1 it is a plain stack. `memtape.ops.superpose` computes the equation.

    Args:
        width: size of one cell.
        stacks: number of stacks, each with its own actions.
        visible: number of top cells of each stack that are read.
        empty: value of an empty cell. Probabilities of each stack have to sum to 1 unless it is 0.
        round_actions: in evaluation mode, replace probabilities by 1 for the most probable action and 0 for the others.
        max_depth: number of cells of a stack above which a step raises an error; None for no limit. In compiled code and
            under the transforms of torch values are not checked; no cell is dropped there either.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1.

    References:
        Joulin & Mikolov (2015), "Inferring algorithmic patterns with stack-augmented recurrent nets", arXiv:1503.01007,
        section 3.2.
    """

    def __init__(
        self,
        width: int = 1,
        *,
        stacks: int = 1,
        visible: int = 1,
        empty: float = 0.0,
        round_actions: bool = False,
        max_depth: int | None = None,
    ):
        super().__init__()
        checks.module_sizes(self, width=width, stacks=stacks, visible=visible)
        if max_depth is not None:
            checks.at_least(1, max_depth=max_depth)
        self.width, self.stacks, self.visible = width, stacks, visible
        self.empty, self.round_actions, self.max_depth = empty, round_actions, max_depth
        self.read_size = stacks * visible * width

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> SuperpositionStackState:
        """Return stacks without cells."""
        return SuperpositionStackState(
            cells=torch.zeros(batch_size, self.stacks, 0, self.width, device=device, dtype=dtype)
        )

    def address(self, control: SuperpositionStackControl, state: SuperpositionStackState) -> SuperpositionStackState:
        """Return the state: a stack has no weights of addressing."""
        return state

    def write(self, control: SuperpositionStackControl, state: SuperpositionStackState) -> SuperpositionStackState:
        """Apply the actions.

        Raises:
            DepthError: a stack is deeper than `max_depth`.
        """
        cells = ops.superpose(state.cells, self._actions(control), control.pushed - self.empty)
        check_depth(cells, -2, self.max_depth)
        return SuperpositionStackState(cells=cells)

    def read(self, state: SuperpositionStackState) -> Float[Tensor, "batch read"]:
        """Return the top cells of all stacks, concatenated."""
        return visible_cells(state.cells, self.visible, empty=self.empty)

    def forward(
        self, control: SuperpositionStackControl, state: SuperpositionStackState
    ) -> tuple[Float[Tensor, "batch read"], SuperpositionStackState]:
        """Take one step.

        Raises:
            DepthError: a stack is deeper than `max_depth`.
        """
        after = self.write(control, state)
        return self.read(after), after

    def views(self, control: SuperpositionStackControl, state: SuperpositionStackState) -> Views:
        """Return the views: the actions, the pushed values, and the cells after the step from the top to the bottom.

        A cell of several numbers is drawn over time as its distance from an empty cell, and in full after the last step.
        """
        cells = self.write(control, state).cells
        over_time = cells_view(cells, name="stack", axis="depth", empty=self.empty)
        in_full = (contents_view(cells, axis="depth", empty=self.empty),) if self.width > 1 else ()
        return (
            *action_views(self._actions(control), control.pushed, names=ACTIONS, written_as="pushed"),
            over_time,
            *in_full,
        )

    def _actions(self, control: SuperpositionStackControl) -> Tensor:
        return rounded_if(self.round_actions and not self.training, control.actions)


class SuperpositionStackInterface(Interface[SuperpositionStackControl]):
    r"""Compute the probabilities of actions and the values to push from a hidden vector.

    $$a = \operatorname{softmax}(A h + b), \qquad v = \phi(D h + d)$$

    Args:
        hidden_size: size of the hidden vector.
        width: size of one cell.
        stacks: number of stacks.
        no_op: whether there is a third action, which keeps the stack.
        joint_actions: apply one softmax to the actions of all stacks, so that these share a probability of 1 (else one
            softmax to the actions of each stack).
        push_activation: $\phi$.
        bias: whether there are biases $b$ and $d$.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the activation is unknown.

    References:
        Joulin & Mikolov (2015), arXiv:1503.01007, section 3.2; joint actions and linear values: Delétang et al. (2023),
        "Neural networks and the Chomsky hierarchy", arXiv:2207.02098, appendix A and its code.
    """

    def __init__(
        self,
        hidden_size: int,
        width: int = 1,
        *,
        stacks: int = 1,
        no_op: bool = True,
        joint_actions: bool = False,
        push_activation: Pushed = "sigmoid",
        bias: bool = True,
    ):
        super().__init__()
        checks.module_sizes(self, width=width, stacks=stacks)
        checks.one_of(tuple(PUSHED), push_activation=push_activation)
        self.stacks, self.no_op, self.joint_actions = stacks, no_op, joint_actions
        self.push_activation: Pushed = push_activation
        actions = 3 if no_op else 2
        blocks = {"actions": torch.zeros(stacks * actions), "pushed": torch.zeros(stacks * width)}
        self.head_parameters = HeadParameters(hidden_size, blocks, clip=None, bias=bias)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> SuperpositionStackControl:
        """Compute the control from the hidden vector."""
        raw = self.head_parameters(hidden)
        logits, pushed = (raw[name].unflatten(-1, (self.stacks, -1)) for name in ("actions", "pushed"))
        if self.joint_actions:
            actions = torch.softmax(raw["actions"], dim=-1).unflatten(-1, (self.stacks, -1))
        else:
            actions = torch.softmax(logits, dim=-1)
        return SuperpositionStackControl(actions=actions, pushed=PUSHED[self.push_activation](pushed))
