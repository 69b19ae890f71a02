"""Tape: a memory whose head writes to the cell under it and moves by its own actions, without addresses."""

from itertools import pairwise
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape import ops
from memtape.core import checks
from memtape.core.memory import Interface, Memory
from memtape.core.state import NoState, state
from memtape.core.view import HEAD, SLOT, View, Views
from memtape.memory.slot_views import vectors_view, weights_view

Moves = Literal["jumps", "blanks"]
ACTIONS: dict[Moves, tuple[str, ...]] = {
    "jumps": ("stay", "right", "left", "jump right", "jump left"),
    "blanks": ("stay", "right", "left", "right, blank", "left, blank"),
}
"""The five actions of a head, in the order of their probabilities."""

OPPOSITE = (0, 2, 1, 4, 3)
"""The index of the action that moves the head in the opposite direction."""

VALUES = ("linear", "sigmoid", "tanh")


@state
class JumpState:
    """The length of a jump, an integer as a float."""

    length: Float[Tensor, "*batch"]


@state
class TapeState:
    """The tapes, each from the cell under its head on; the positions of the heads; and the length of a jump if it varies."""

    memory: Float[Tensor, "*batch tapes slots width"]
    head_weights: Float[Tensor, "*batch tapes slots"]
    jumps: JumpState | NoState


@state
class TapeControl:
    """What each head writes, and the probabilities of its actions."""

    values: Float[Tensor, "*batch tapes width"]
    actions: Float[Tensor, "*batch tapes 5"]


class TapeMemory(Memory[TapeState, TapeControl]):
    r"""Write to the cell under the head, move the head by a mixture of actions, and read the cell under it.

    With "jumps" the value replaces the cell, and then the head moves:

    $$M_t = \text{move}(M_{t-1} \text{ with } v \text{ in cell } 0, \; a, L), \qquad r_t = M_t[0]$$

    With "blanks" the head moves, and then the value is added to the cell: $M_t = \text{move}(M_{t-1}, a)$ with $v$ added to
    cell 0. `memtape.ops.move_with_jumps` and `memtape.ops.move_with_blanks` are the moves. The state also has the
    distribution of the position of each head, starting at slot 0, which the machine does not read: it is for views.

    Args:
        slots: number of cells of a tape.
        width: size of one cell.
        tapes: number of tapes, each with a head.
        moves: "jumps" on a circular tape, or "blanks", moves that lose a cell and get a blank one.
        jump_length: length of a jump in cells, only with "jumps".
        varying_jumps: hold the length of the jumps of each row in the state, initially `jump_length`.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the jump length is below 0, or the moves are unknown.

    References:
        Jumps: Deletang et al. (2023), "Neural networks and the Chomsky hierarchy", arXiv:2207.02098, appendix A, and its
        code, in which every action writes. Blanks: Suzgun et al. (2019), "Memory-augmented recurrent neural networks can
        learn generalized Dyck languages", arXiv:1911.03329, section 3, and its code.
    """

    def __init__(
        self,
        slots: int,
        width: int,
        *,
        tapes: int = 1,
        moves: Moves = "jumps",
        jump_length: int = 1,
        varying_jumps: bool = False,
    ):
        super().__init__()
        checks.module_sizes(self, slots=slots, width=width, tapes=tapes)
        checks.one_of(tuple(ACTIONS), moves=moves)
        checks.at_least(0, jump_length=jump_length)
        self.slots, self.width, self.tapes = slots, width, tapes
        self.moves: Moves = moves
        self.jump_length, self.varying_jumps = jump_length, varying_jumps
        self.read_size = tapes * width

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> TapeState:
        """Return tapes of zeros with their heads at slot 0."""
        places = torch.arange(self.slots, device=device).expand(batch_size, self.tapes, -1)
        memory = torch.zeros(batch_size, self.tapes, self.slots, self.width, device=device, dtype=dtype)
        return TapeState(
            memory=memory,
            head_weights=(places == 0).to(memory.dtype),
            jumps=JumpState(length=memory.new_full((batch_size,), self.jump_length))
            if self.varying_jumps
            else NoState(),
        )

    def address(self, control: TapeControl, state: TapeState) -> TapeState:
        """Move the heads; since a tape is stored from the cell under its head on, the contents move against the head."""
        opposite = control.actions[..., list(OPPOSITE)]
        positions = state.head_weights[..., None]
        if self.moves == "jumps":
            length = self._jump_length(state)
            memory = ops.move_with_jumps(state.memory, control.actions, length)
            positions = ops.move_with_jumps(positions, opposite, length)
        else:
            memory = ops.move_with_blanks(state.memory, control.actions)
            stay, right, left, right_blank, left_blank = opposite.unbind(-1)
            nothing = torch.zeros_like(stay)
            circular = torch.stack([stay, right + right_blank, left + left_blank, nothing, nothing], dim=-1)
            positions = ops.move_with_blanks(positions, circular)
        return TapeState(memory=memory, head_weights=positions[..., 0], jumps=state.jumps)

    def write(self, control: TapeControl, state: TapeState) -> TapeState:
        """Write the values to the cells under the heads."""
        memory = ops.write_at_head(state.memory, control.values, add=self.moves == "blanks")
        return TapeState(memory=memory, head_weights=state.head_weights, jumps=state.jumps)

    def read(self, state: TapeState) -> Float[Tensor, "batch read"]:
        """Return the cells under the heads, concatenated."""
        return state.memory[:, :, 0].flatten(1)

    def forward(self, control: TapeControl, state: TapeState) -> tuple[Float[Tensor, "batch read"], TapeState]:
        """Take one step."""
        if self.moves == "jumps":
            after = self.address(control, self.write(control, state))
        else:
            after = self.write(control, self.address(control, state))
        return self.read(after), after

    def views(self, control: TapeControl, state: TapeState) -> Views:
        """Return what is written and read, the actions, where the heads write and read, and the tapes from slot 0 on."""
        reads, after = self(control, state)
        writing = state if self.moves == "jumps" else after
        tape = ops.fixed_tape(after.memory, after.head_weights)
        return (
            vectors_view("writes", "Writes", control.values),
            vectors_view("reads", "Reads", reads.unflatten(1, (self.tapes, -1))),
            View(
                name="actions",
                title="Actions",
                values=control.actions,
                axes=(HEAD, "action"),
                scale="level",
                measure="probability",
                entries=ACTIONS[self.moves],
            ),
            weights_view("write_weights", "Head writes", writing.head_weights),
            weights_view("read_weights", "Head reads", after.head_weights),
            View(
                name="norms",
                title="Tape",
                values=tape.norm(dim=-1),
                axes=(HEAD, SLOT),
                scale="amount",
                measure="norm",
            ),
            View(
                name="contents",
                title="Contents",
                values=tape,
                axes=(HEAD, SLOT, "width"),
                scale="signed",
                measure="value",
            ),
        )

    def _jump_length(self, state: TapeState) -> Tensor:
        """Return the length of a jump in each row, as integers."""
        if isinstance(state.jumps, JumpState):
            return state.jumps.length.detach().round().long()
        return torch.full(state.memory.shape[:1], self.jump_length, device=state.memory.device)


class TapeInterface(Interface[TapeControl]):
    r"""Compute what each head writes, and the probabilities of its actions, from a hidden vector.

    $$v = \phi(\text{MLP}(h)), \qquad a_k = \operatorname{softmax}((W_k h + c_k + g) / \tau) \;\text{for each tape}\; k$$

    with $\phi$ the identity, the sigmoid or tanh, and Gumbel noise $g$ in training if it is chosen, else $g = 0$. The weights
    are initialised to a normal distribution of variance 1 / (size of the layer's input), cut at two standard deviations.

    Args:
        hidden_size: size of the hidden vector.
        width: size of one cell.
        tapes: number of tapes.
        values: $\phi$: "linear", "sigmoid" or "tanh".
        write_layers: number of hidden layers of relu units of the MLP; 0 for a linear map.
        write_size: number of units of each of these layers.
        temperature: $\tau > 0$, divides the logits of the actions.
        gumbel: add noise of the standard Gumbel distribution to the logits of the actions in training.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the number of layers is below 0, the temperature is not positive, or the choice of
            values is unknown.

    References:
        The MLP: Deletang et al. (2023), "Neural networks and the Chomsky hierarchy", arXiv:2207.02098, code; temperature and
        noise: Suzgun et al. (2019), "Memory-augmented recurrent neural networks can learn generalized Dyck languages",
        arXiv:1911.03329, section 3.
    """

    def __init__(
        self,
        hidden_size: int,
        width: int,
        *,
        tapes: int = 1,
        values: Literal["linear", "sigmoid", "tanh"] = "linear",
        write_layers: int = 2,
        write_size: int = 64,
        temperature: float = 1.0,
        gumbel: bool = False,
    ):
        super().__init__()
        checks.module_sizes(self, hidden_size=hidden_size, width=width, tapes=tapes, write_size=write_size)
        checks.at_least(0, write_layers=write_layers)
        checks.one_of(VALUES, values=values)
        checks.positive(temperature=temperature)
        self.tapes, self.values, self.temperature, self.gumbel = tapes, values, temperature, gumbel
        sizes = [hidden_size] + [write_size] * write_layers
        self.write_layers = nn.ModuleList(nn.Linear(below, above) for below, above in pairwise(sizes))
        self.to_values = nn.Linear(sizes[-1], tapes * width)
        self.to_actions = nn.Linear(hidden_size, tapes * len(OPPOSITE))
        for layer in (*self.write_layers, self.to_values, self.to_actions):
            deviation = layer.in_features**-0.5
            nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
            nn.init.zeros_(layer.bias)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> TapeControl:
        """Compute the control from the hidden vector."""
        inner = hidden
        for layer in self.write_layers:
            inner = torch.relu(layer(inner))
        values = self.to_values(inner).unflatten(-1, (self.tapes, -1))
        if self.values != "linear":
            values = torch.sigmoid(values) if self.values == "sigmoid" else torch.tanh(values)
        logits = self.to_actions(hidden).unflatten(-1, (self.tapes, -1))
        if self.gumbel and self.training:
            logits = logits - torch.empty_like(logits).exponential_().log()
        return TapeControl(values=values, actions=torch.softmax(logits / self.temperature, dim=-1))
