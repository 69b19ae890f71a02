"""Bidirectional DNC: a Differentiable Neural Computer with a second controller backwards in time."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from memtape.cells.bidirectional import BidirectionalState, unroll_backwards
from memtape.core import checks, padding
from memtape.core.card import ModelCard
from memtape.core.integers import Lengths
from memtape.core.packed import packed_as, unpacked
from memtape.core.recurrent import takes
from memtape.core.symbols import are_symbols, known, one_hot, zero_padding
from memtape.core.unroll import unroll
from memtape.models.dnc.assembly import SIZES, controller, machine
from memtape.models.dnc.dnc import DNCCell
from memtape.models.machine.resizable import Resizable


class BiDNC(Resizable):
    r"""Run a controller backwards over the sequence, and then a Differentiable Neural Computer that receives its outputs.

    $$g_t = \text{backwards}(x_t, g_{t+1}), \qquad h_t = \text{controller}([x_t; r_{t-1}]), \qquad
    (r_t, M_t) = \text{memory}(\text{interface}([h_t; g_t]), M_{t-1}), \qquad y_t = V [h_t; g_t; r_t] + c$$

    The arguments are those of `DNCCell`; both controllers have the same kind and size. It needs whole sequences: the
    backward controller starts at the last valid step of each row, and a start inside a row resets both directions.

    Example:
        >>> import torch
        >>> from memtape import BiDNC
        >>> ys, state = BiDNC(input_size=9, output_size=8, slots=16)(torch.zeros(4, 7, 9))
        >>> ys.shape, state.forwards.memory.usage.shape
        (torch.Size([4, 7, 8]), torch.Size([4, 16]))

    References:
        Franke, Niehues & Waibel (2018), "Robust and scalable differentiable neural computer for question answering",
        arXiv:1807.02658, "Bidirectional controller".
    """

    input_kind: ClassVar[str] = "sequences"
    sees_ahead: ClassVar[bool] = True

    def _build(self, options: dict[str, Any]) -> None:
        super().__init__()
        checks.module_sizes(self, **{size: options[size] for size in SIZES})
        self.input_size, self.output_size = options["input_size"], options["output_size"]
        self.backwards = controller(options, self.input_size)
        self.machine = machine(options, bypass_size=self.backwards.output_size)

    __init__ = takes(DNCCell, _build)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> BidirectionalState:
        """Return the initial states of the machine and of the backward controller.

        Device and dtype default to those of the parameters.
        """
        parameter = next(self.parameters())
        form: dict[str, Any] = {"device": device or parameter.device, "dtype": dtype or parameter.dtype}
        return BidirectionalState(
            forwards=self.machine.init_state(batch_size, **form),
            backwards=self.backwards.init_state(batch_size, **form),
        )

    def forward(
        self,
        xs: Float[Tensor, "batch time input"] | Integer[Tensor, "batch time"] | PackedSequence,
        state: BidirectionalState | None = None,
        *,
        lengths: Lengths | None = None,
        starts: Bool[Tensor, "batch time"] | None = None,
        collect: Callable[[Any], Any] | None = None,
        checkpoint_every: int | None = None,
    ) -> Any:
        """Run over whole sequences; arguments and results are those of `Recurrent`.

        `collect` receives the state of the machine. The backward part of a given state applies before each row's last
        step; that of the returned state is the state after its first step.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: an argument has the wrong shape, dtype, device or value.
        """
        padded, own_lengths = unpacked(xs, lengths)
        if are_symbols(padded):
            symbols = known(zero_padding(padded.long(), own_lengths), self.input_size, type(self).__name__)
            parameter = next(self.parameters(), None)
            padded = one_hot(symbols, self.input_size, None if parameter is None else parameter.dtype)
        checks.sequences(self, padded)
        valid = None if own_lengths is None else checks.lengths_of(padded, own_lengths)
        fresh = None if starts is None else checks.starts_of(padded, starts)
        if state is not None:
            checks.state_for(self, state, self.init_state(padded.shape[0]), padded.shape[0])
        options: dict[str, Any] = {"lengths": valid, "starts": fresh, "checkpoint_every": checkpoint_every}
        later, first, _ = unroll_backwards(self.backwards, padded, state and state.backwards, **options)
        both = torch.cat([padding.zero_beyond(padded, valid), later], dim=-1)
        ys, last, trace = unroll(self.machine, both, state and state.forwards, collect=collect, **options)
        outputs, after = packed_as(xs, ys, own_lengths), BidirectionalState(forwards=last, backwards=first)
        return (outputs, after, trace) if collect else (outputs, after)


CARD = ModelCard(
    name="bidnc",
    summary="Differentiable Neural Computer with a second controller backwards in time.",
    paper=("franke2018",),
    inputs=("sequences",),
    small={"slots": 5, "width": 3, "controller_size": 4, "initial_memory": "random"},
)
