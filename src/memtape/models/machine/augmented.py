"""Augmented: a cell that consists of a controller, an interface and a memory."""

from collections.abc import Callable
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core import checks, state_tree
from memtape.core.cell import AnyCell, Cell
from memtape.core.cell_contract import require_cells
from memtape.core.memory import AnyInterface, AnyMemory
from memtape.core.state import state
from memtape.core.view import Views
from memtape.memory.slots import CONSTANT

InitialReads = Literal["constant", "learned", "memory", "zeros"]
INITIAL_READS = ("constant", "learned", "memory", "zeros")


@state
class AugmentedState:
    """State of a memory-augmented cell: the controller's state, the memory's state, and the last read vectors."""

    controller: Any
    memory: Any
    reads: Float[Tensor, "*batch read"]


class AugmentedCell(Cell[AugmentedState]):
    r"""Connect a controller to a memory through an interface; the read vectors are inputs of the next step.

    $$h_t = \text{controller}([x_t; r_{t-1}]), \qquad (r_t, M_t) = \text{memory}(\text{interface}(h_t), M_{t-1}), \qquad
    y_t = V [h_t; r_t] + c$$

    Under autocast the memory and the whole state keep the dtype of the state.

    Args:
        controller: the cell that receives the input and the last read vectors.
        interface: computes the memory's control from the controller's output.
        memory: the external memory.
        input_size: size of $x_t$.
        output_size: size of $y_t$, logits; None for a machine without an output, of which only the state is used.
        initial_reads: $r_0$: "learned" (trained, initialised to 0), "constant" (1e-6 everywhere), "memory" (what a read
            of the initial memory returns) or "zeros".
        bypass: module applied to $h_t$ before the output layer, such as `torch.nn.Dropout`; the interface receives
            $h_t$ itself.
        output_clip: bound of the absolute value of every entry of $y_t$; None for no bound.
        reads_to_output: compute $y_t$ from $h_t$ and $r_t$ (else from $h_t$ alone, so that $r_t$ has its first effect in
            the next step).
        output_bias: whether there is a bias $c$.

    Raises:
        ValueError: a size is below 1, the bound is not positive, or the input size of the controller is not the sum of
            the sizes of the input and the reads.
    """

    def __init__(
        self,
        controller: AnyCell,
        interface: AnyInterface,
        memory: AnyMemory,
        *,
        input_size: int,
        output_size: int | None,
        initial_reads: InitialReads = "learned",
        bypass: nn.Module | None = None,
        output_clip: float | None = None,
        reads_to_output: bool = True,
        output_bias: bool = True,
    ):
        super().__init__()
        require_cells(type(self).__name__, controller)
        checks.module_sizes(
            self, input_size=input_size, **({} if output_size is None else {"output_size": output_size})
        )
        checks.one_of(INITIAL_READS, initial_reads=initial_reads)
        if output_clip is not None:
            checks.positive(output_clip=output_clip)
        if controller.input_size != input_size + memory.read_size:
            raise ValueError(
                f"controller.input_size is {controller.input_size}, but it receives the input ({input_size}) and the "
                f"last reads ({memory.read_size}), so it must be {input_size + memory.read_size}"
            )
        self.controller, self.interface, self.memory = controller, interface, memory
        self.bypass, self.output_clip = bypass, output_clip
        self.reads_to_output, self.reads_of_memory = reads_to_output, initial_reads == "memory"
        self.first_reads = CONSTANT if initial_reads == "constant" else 0.0
        self.input_size, self.output_size = input_size, output_size or 0
        self.initial_reads = nn.Parameter(torch.zeros(memory.read_size)) if initial_reads == "learned" else None
        self.to_output: Any = None
        if output_size is None:
            return
        seen = controller.output_size + (memory.read_size if reads_to_output else 0)
        self.to_output = nn.Linear(seen, output_size, bias=output_bias)
        nn.init.xavier_uniform_(self.to_output.weight)
        if output_bias:
            nn.init.zeros_(self.to_output.bias)

    def init_state(
        self, batch_size: int, *, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> AugmentedState:
        """Return the initial states of the parts and the initial reads."""
        memory = self.memory.init_state(batch_size, device=device, dtype=dtype)
        if self.reads_of_memory:
            reads = self.memory.read(memory)
        elif self.initial_reads is None:
            reads = torch.full((self.memory.read_size,), self.first_reads, device=device, dtype=dtype)
        else:
            reads = self.initial_reads.to(device=device, dtype=dtype)
        return AugmentedState(
            controller=self.controller.init_state(batch_size, device=device, dtype=dtype),
            memory=memory,
            reads=reads.expand(batch_size, -1),
        )

    def controlled(
        self, x: Float[Tensor, "batch input"], state: AugmentedState
    ) -> tuple[Float[Tensor, "batch hidden"], Any]:
        """Take the controller's step, and return its output and its state."""
        return self.controller(torch.cat([x, state.reads], dim=-1), state.controller)

    def control_of(self, hidden: Float[Tensor, "batch hidden"], state: AugmentedState) -> Any:
        """Return the control of the memory for an output of the controller; under autocast it has the dtype of the state."""
        control = self.interface(hidden)
        if torch.is_autocast_enabled(hidden.device.type):
            return state_tree.move(control, dtype=state.reads.dtype)
        return control

    def accessed(
        self, control: Any, state: AugmentedState, step: Callable[[Any, Any], tuple[Tensor, Any]]
    ) -> tuple[Float[Tensor, "batch read"], Any]:
        """Take a step of the memory, such as the memory itself, without autocast; return the read vectors and its state."""
        device = state.reads.device.type
        if torch.is_autocast_enabled(device):
            with torch.autocast(device, enabled=False):
                return step(control, state.memory)
        return step(control, state.memory)

    def output(
        self, hidden: Float[Tensor, "batch hidden"], reads: Float[Tensor, "batch read"]
    ) -> Float[Tensor, "batch output"]:
        """Return the output for an output of the controller and the read vectors of the step."""
        if self.to_output is None:
            return hidden[..., :0]
        if self.bypass is not None:
            hidden = self.bypass(hidden)
        y: Tensor = self.to_output(torch.cat([hidden, reads], dim=-1) if self.reads_to_output else hidden)
        return y if self.output_clip is None else y.clamp(-self.output_clip, self.output_clip)

    def control(self, x: Float[Tensor, "batch input"], state: AugmentedState) -> Any:
        """Return the control of the memory in this step, for inspection."""
        hidden, _ = self.controlled(x, state)
        return self.interface(hidden)

    def views(self, x: Float[Tensor, "batch input"], state: AugmentedState) -> Views:
        """Return the interface's and the memory's views of this step."""
        hidden, _ = self.controlled(x, state)
        return (*self.interface.views(hidden), *self.memory.views(self.interface(hidden), state.memory))

    def forward(
        self, x: Float[Tensor, "batch input"], state: AugmentedState
    ) -> tuple[Float[Tensor, "batch output"], AugmentedState]:
        """Take one step."""
        hidden, controller = self.controlled(x, state)
        reads, memory = self.accessed(self.control_of(hidden, state), state, self.memory)
        return self.output(hidden, reads), AugmentedState(controller=controller, memory=memory, reads=reads)
