"""DMNC: two encoders with memories, and a decoder that reads both and cannot write."""

import dataclasses
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from memtape.cells.lstm import LSTMState
from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.inputs.pairs import symbol_rows
from memtape.core.inputs.two_views import TWO_VIEWS, TwoViews
from memtape.core.integers import Lengths
from memtape.core.state import state
from memtape.memory import BothContents, CachedInterface, CachedWrites, Protected, SeveralState
from memtape.models.machine.augmented import AugmentedState
from memtape.models.several_memories.answering import Answering
from memtape.models.several_memories.assembly import closed, dnc_interface, dnc_memory, reader
from memtape.models.several_memories.fusion import FUSIONS, TwoEncoders, contents_of
from memtape.sharing.shareable import Shareable, constructor_arguments


@state
class DMNCState:
    """The states of the encoders after their views, and that of the decoder."""

    encoders: tuple[AugmentedState, AugmentedState]
    decoder: AugmentedState


class DMNC(Shareable):
    r"""Read two views of an example with an encoder each, and answer with a decoder that reads the memories of both.

    The encoders are Differentiable Neural Computers without outputs, and read the boundary after a view. The state of the
    decoder's LSTM, of twice their size, starts as the concatenation of theirs. It has an interface for each memory, and both
    are write-protected: of their states only the read weights change.

    $$h_t = \text{LSTM}_D([y_{t-1}; r^{(1)}_{t-1}; r^{(2)}_{t-1}], h_{t-1}), \qquad
    r^{(n)}_t = \text{read}(\xi^{(n)}(h_t), M^{(n)}), \qquad o_t = V [h_t; r^{(1)}_t; r^{(2)}_t]$$

    Without feedback, the default as in the paper's code, the boundary replaces $y_{t-1}$ in each step. With it, the decoder
    receives its own most likely symbol, and the true one if targets are passed, as in training.

    With late fusion the encoders do not interact. The released code has no early fusion, and the paper describes one address
    space in which each encoder accesses the memory of the other. "shared" and "cross" are two readings of it
    (`memtape.models.several_memories.fusion.TwoEncoders`).

    Args:
        input_size: number of symbols of the first view; symbol 0, the boundary, ends a view.
        output_size: number of symbols of the target, the boundary included.
        second_size: number of symbols of the second view; none for that of the first.
        fusion: late, with a memory for each encoder; shared, with one memory for both; or cross, with separate contents and
            shared addressing.
        slots: number of slots of each memory.
        width: size of one slot.
        read_heads: number of read heads of each encoder, and of the decoder in each memory.
        controller_size: number of units of each encoder's LSTM.
        embedding_size: size of the embeddings of symbols; none for one-hot vectors.
        write_cache: write a running mean of the add vectors, with a gate of the encoder.
        feedback: the decoder receives the last symbol (else the boundary in every step).

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the fusion is unknown.

    Example:
        >>> import torch
        >>> from memtape import Sum2
        >>> task = Sum2()
        >>> batch = task.batch(0, 4, lengths=(3, 3), input_kind="two_views")
        >>> network = DMNC(task.input_size, task.output_size, slots=4, width=3, controller_size=8)
        >>> logits, state = network(batch.inputs, lengths=batch.lengths)
        >>> logits.shape
        torch.Size([4, 4, 99])

    References:
        Le, Tran & Venkatesh (2018), "Dual memory neural computer for asynchronous two-view sequential learning",
        arXiv:1802.00662, and the authors' code.
    """

    input_kind: ClassVar[str] = "two_views"

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        second_size: int | None = None,
        fusion: Literal["late", "shared", "cross"] = "late",
        slots: int = 16,
        width: int = 64,
        read_heads: int = 1,
        controller_size: int = 128,
        embedding_size: int | None = 64,
        write_cache: bool = False,
        feedback: bool = False,
    ):
        configuration = constructor_arguments(locals())
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size, slots=slots, width=width)
        checks.module_sizes(self, read_heads=read_heads, controller_size=controller_size)
        for name, size in {"second_size": second_size, "embedding_size": embedding_size}.items():
            if size is not None:
                checks.module_sizes(self, **{name: size})
        checks.one_of(FUSIONS, fusion=fusion)
        self.configuration = configuration
        self.input_size, self.output_size, self.forced = input_size, output_size, feedback
        self.second_size = input_size if second_size is None else second_size

        def memory() -> Any:
            dnc = dnc_memory(slots, width, read_heads)
            return BothContents(dnc) if fusion == "cross" else dnc

        def encoder(symbols: int) -> AnyCell:
            own, interface = memory(), dnc_interface(controller_size, width, read_heads)
            return reader(
                symbols,
                None,
                [CachedInterface(interface, controller_size, width) if write_cache else interface],
                [CachedWrites(own, width) if write_cache else own],
                controller_size=controller_size,
                embedding_size=embedding_size,
            )

        self.encoders = TwoEncoders(encoder(input_size), encoder(self.second_size), fusion=fusion)
        decoder = reader(
            output_size,
            output_size,
            [dnc_interface(2 * controller_size, width, read_heads) for _ in range(2)],
            [Protected(memory()) for _ in range(2)],
            controller_size=2 * controller_size,
            embedding_size=embedding_size,
        )
        self.decoder = Answering(decoder, feedback=feedback)

    def begin(
        self,
        first: Integer[Tensor, "batch first_time"],
        second: Integer[Tensor, "batch second_time"],
        first_lengths: Lengths | None = None,
        second_lengths: Lengths | None = None,
        *,
        after: DMNCState | None = None,
    ) -> DMNCState:
        """Encode both views, and return the state before the first symbol of the answer.

        Args:
            first: the symbols of the first view.
            second: those of the second view.
            first_lengths: number of valid symbols of each first view; None for all.
            second_lengths: number of valid symbols of each second view; None for all.
            after: the state after an earlier example, from which the encoders continue with their memories and controllers,
                such as after an earlier admission of a patient; None for initial states.

        Raises:
            TypeError: the views or the lengths are not integers.
            ValueError: an unknown symbol, a view of another shape, or lengths that do not fit.
        """
        name = type(self).__name__
        views = [
            symbol_rows(first, first_lengths, self.input_size, side="first view", reader=name),
            symbol_rows(second, second_lengths, self.second_size, side="second view", reader=name),
        ]
        states = self._initial(len(first)) if after is None else after.encoders
        encoders = self.encoders([closed(*view) for view in views], states)
        controllers = [encoder.controller for encoder in encoders]
        decoder = AugmentedState(
            controller=LSTMState(
                hidden=torch.cat([controller.hidden for controller in controllers], -1),
                cell=torch.cat([controller.cell for controller in controllers], -1),
            ),
            memory=SeveralState(memories=tuple(contents_of(encoder.memory) for encoder in encoders)),
            reads=torch.cat([encoder.reads for encoder in encoders], -1),
        )
        return DMNCState(encoders=encoders, decoder=decoder)

    def step(
        self, symbols: Integer[Tensor, " batch"], state: DMNCState
    ) -> tuple[Float[Tensor, "batch output"], DMNCState]:
        """Take the last symbols; return the logits of the next symbols and the next state."""
        logits, decoder = self.decoder.step(symbols.long(), state.decoder)
        return logits, dataclasses.replace(state, decoder=decoder)

    def forward(
        self,
        views: TwoViews,
        state: DMNCState | None = None,
        *,
        lengths: Lengths | None = None,
        targets: Integer[Tensor, "batch time"] | None = None,
        teacher: float = 1.0,
    ) -> tuple[Float[Tensor, "batch time output"], DMNCState]:
        """Compute the logits of every symbol of the answer.

        Args:
            views: both views, and the decoder inputs under teacher forcing.
            state: the state before the first symbol, such as that of `begin`; None encodes the views.
            lengths: number of valid symbols of each answer, the last boundary included; None for all.
            targets: the answers; with them and feedback the decoder receives the true symbols, those of `views.given`, else
                its own most likely ones.
            teacher: with targets, the probability of a true symbol.

        Returns:
            The logits, zero beyond a row's length, and the state after each row's last symbol.

        Raises:
            TypeError: the inputs are not `TwoViews`, or the lengths are not integers.
            ValueError: a symbol is unknown, the shape of the symbols or a length is invalid, or the probability is
                outside 0..1.
        """
        checks.probabilities(teacher=teacher)
        name = type(self).__name__
        views = TWO_VIEWS.require(views, name)
        given, lengths = symbol_rows(views.given, lengths, self.output_size, side="target", reader=name)
        if state is None:
            state = self.begin(views.first, views.second, views.first_lengths, views.second_lengths)
        ys, decoder = self.decoder(given, state.decoder, lengths, teacher=0.0 if targets is None else teacher)
        return ys, dataclasses.replace(state, decoder=decoder)

    def _initial(self, batch: int) -> list[AugmentedState]:
        parameter = next(self.parameters())
        cells = (self.encoders.first, self.encoders.second)
        return [cell.init_state(batch, device=parameter.device, dtype=parameter.dtype) for cell in cells]


CARD = ModelCard(
    name="dmnc",
    summary="Two encoders with memories of two views, and a decoder that reads both and cannot write.",
    paper=("le2018dmnc",),
    inputs=("two_views",),
    small={"slots": 5, "width": 3, "controller_size": 4, "embedding_size": 3},
)
