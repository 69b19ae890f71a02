"""DNC: the Differentiable Neural Computer, a controller with a memory that allocates, frees and links its slots."""

from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor

from memtape.cells import ElmanCell, FeedforwardCell, GRUCell, LearnedInitialState, LSTMCell, Shortcuts
from memtape.core import checks
from memtape.core.cell import AnyCell, Cell, Twin
from memtape.core.recurrent import Recurrent, runs
from memtape.memory import DNCInterface, DNCMemory
from memtape.models.augmented import AugmentedCell, AugmentedState
from memtape.models.sharing import Shareable
from memtape.models.whole_computer import whole_computer

CONTROLLERS: dict[str, type[AnyCell]] = {
    "lstm": LSTMCell,
    "gru": GRUCell,
    "rnn": ElmanCell,
    "feedforward": FeedforwardCell,
}


class DNCCell(Cell[AugmentedState]):
    r"""One step of a Differentiable Neural Computer.

    The controller sees the input and what was read in the step before, and tells every head what to look for, whether to
    write to a free slot or to one that it looks up, what to free, and whether to read by content or what was written next or
    before; the memory is written, then read (`memtape.memory.DNCMemory` has the equations); the output is a linear map of
    the controller's output and the reads of the same step.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        slots: number of slots of the memory.
        width: size of one slot.
        read_heads: number of read heads.
        write_heads: number of write heads.
        controller: kind of network that works the heads.
        controller_size: number of hidden units of each of its layers.
        controller_layers: number of its layers; each sees the input, and all are seen by the heads and the output.
        controller_gain: how far its initial weights spread, 1 being usual.
        strengths: range of the keys' strengths: oneplus, from 1 on, or softplus, from 0 on.
        squash: pass keys and added vectors through tanh (else linear, as in the paper).
        clip: bound of the heads' raw parameters on both sides; none leaves them free, as in the paper.
        usage_gradient: let gradients flow through where was written into what is used.
        usage_epsilon: usages are raised by this before slots are allocated; 0 in the paper, 1e-6 in most code.
        initial_memory: contents at the start: zeros, 1e-6 everywhere, learned, or random and then fixed.
        initial_reads: what the first step reads: zeros, or learned.
        initial_controller: state of the controller at the start: zeros, or learned.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, or an unknown choice.

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538,
        doi:10.1038/nature20101.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        slots: int = 128,
        width: int = 20,
        read_heads: int = 1,
        write_heads: int = 1,
        controller: Literal["lstm", "gru", "rnn", "feedforward"] = "lstm",
        controller_size: int = 100,
        controller_layers: int = 1,
        controller_gain: float = 1.0,
        strengths: Literal["oneplus", "softplus"] = "oneplus",
        squash: bool = False,
        clip: float | None = 20.0,
        usage_gradient: bool = False,
        usage_epsilon: float = 0.0,
        initial_memory: Literal["zeros", "constant", "learned", "random"] = "zeros",
        initial_reads: Literal["zeros", "learned"] = "zeros",
        initial_controller: Literal["zeros", "learned"] = "zeros",
    ):
        super().__init__()
        checks.module_sizes(
            self, input_size=input_size, output_size=output_size, slots=slots, width=width, read_heads=read_heads
        )
        checks.module_sizes(self, write_heads=write_heads, controller_size=controller_size)
        checks.module_sizes(self, controller_layers=controller_layers)
        checks.one_of(tuple(CONTROLLERS), controller=controller)
        checks.one_of(("zeros", "learned"), initial_controller=initial_controller)
        self.input_size, self.output_size = input_size, output_size
        heads: dict[str, Any] = {"read_heads": read_heads, "write_heads": write_heads}
        memory = DNCMemory(
            slots,
            width,
            **heads,
            usage_gradient=usage_gradient,
            usage_epsilon=usage_epsilon,
            initial_memory=initial_memory,
        )
        network = _controller(
            CONTROLLERS[controller],
            input_size + memory.read_size,
            controller_size,
            controller_layers,
            gain=controller_gain,
            learned=initial_controller == "learned",
        )
        interface = DNCInterface(network.output_size, width, **heads, strengths=strengths, squash=squash, clip=clip)
        self.machine = AugmentedCell(
            network,
            interface,
            memory,
            input_size=input_size,
            output_size=output_size,
            initial_reads=initial_reads,
        )

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> AugmentedState:
        """Return the state before the first step: controller, memory and reads."""
        return self.machine.init_state(batch_size, device=device, dtype=dtype)

    def control(self, x: Float[Tensor, "batch input"], state: AugmentedState) -> Any:
        """Return what the heads would be told in this step; for pictures, the step itself does not use it."""
        return self.machine.control(x, state)

    def forward(
        self, x: Float[Tensor, "batch input"], state: AugmentedState
    ) -> tuple[Float[Tensor, "batch output"], AugmentedState]:
        """Take one step."""
        return self.machine(x, state)

    def twin(self, backend: str) -> Twin[AugmentedState] | None:
        """Return the fused machine of a backend, None where there is none or an option asks for single steps."""
        return whole_computer(self.machine, backend)


class DNC(Recurrent[AugmentedState], Shareable):
    """A Differentiable Neural Computer run over sequences; the arguments are those of `DNCCell`.

    It stands where `torch.nn.LSTM` stood: sequences in, sequences out, batch first, and the state carries on where they ended.

    Example:
        >>> import torch
        >>> from memtape import DNC
        >>> dnc = DNC(input_size=9, output_size=8, slots=16)
        >>> ys, state = dnc(torch.zeros(4, 7, 9))
        >>> ys.shape, state.memory.usage.shape, state.memory.links.links.shape
        (torch.Size([4, 7, 8]), torch.Size([4, 16]), torch.Size([4, 1, 16, 16]))
        >>> ys, state = dnc(torch.zeros(4, 7, 9), state)
    """

    __init__ = runs(DNCCell)


def _controller(kind: type[AnyCell], input_size: int, size: int, layers: int, *, gain: float, learned: bool) -> AnyCell:
    sizes = [input_size] + [input_size + size] * (layers - 1)
    cells = [kind(below, size, gain=gain) for below in sizes]
    cell = cells[0] if layers == 1 else Shortcuts(cells)
    return LearnedInitialState(cell) if learned else cell
