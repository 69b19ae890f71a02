"""DCw-MANN: a controller that encodes into a memory, and another one that decodes from it and cannot write."""

from typing import Any, ClassVar

from jaxtyping import Float, Integer
from torch import Tensor

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.inputs.pairs import PAIRS, Pairs, symbol_rows
from memtape.core.integers import Lengths
from memtape.core.unroll import unroll
from memtape.memory import Protected
from memtape.models.machine.augmented import AugmentedState
from memtape.models.several_memories.answering import Answering
from memtape.models.several_memories.assembly import closed, dnc_interface, dnc_memory, reader
from memtape.sharing.shareable import Shareable, constructor_arguments


class DCwMANN(Shareable):
    r"""Encode a sequence with one controller and a memory, and generate another with a second controller.

    The encoder is a Differentiable Neural Computer without an output, and reads the boundary after a source. The decoder
    starts from its last state, with parameters of its own, and receives its last symbol $y_{t-1}$ and the last read vectors:

    $$h_t = \text{LSTM}_D([y_{t-1}; r_{t-1}], h_{t-1}), \qquad r_t = \text{read}(\xi(h_t), M), \qquad
    o_t = V [h_t; r_t]$$

    The memory M is write-protected while decoding (DCw): of its state only the read weights change. Unprotected (DC), the
    decoder takes the full step of the memory, write and read.

    Training passes the targets, which the decoder receives with the probability `teacher`, and otherwise its own most likely
    symbol. Without targets it always receives its own, as in greedy decoding.

    Args:
        input_size: number of symbols of the source; symbol 0, the boundary, ends it.
        output_size: number of symbols of the target, the boundary included.
        slots: number of slots of the memory.
        width: size of one slot.
        read_heads: number of read heads of each controller.
        controller_size: number of units of each controller, an LSTM.
        embedding_size: size of the embeddings of symbols; none for one-hot vectors, as in the paper's code.
        protected: protect the memory from writes of the decoder.
        feedback: the decoder receives the last symbol (else the boundary in every step).

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1.

    Example:
        >>> import torch
        >>> from memtape.core.inputs.pairs import Pairs, given_for
        >>> network = DCwMANN(input_size=7, output_size=5, slots=4, width=3, controller_size=8)
        >>> targets = torch.tensor([[3, 1, 0], [4, 0, 0]])
        >>> source, lengths = torch.tensor([[1, 6, 2, 2], [5, 3, 0, 0]]), torch.tensor([4, 2])
        >>> pairs = Pairs(source=source, source_lengths=lengths, given=given_for(targets))
        >>> logits, state = network(pairs, lengths=torch.tensor([3, 2]))
        >>> logits.shape, state.memory.memory.shape
        (torch.Size([2, 3, 5]), torch.Size([2, 4, 3]))

    References:
        Le, Tran & Venkatesh (2018), "Dual control memory augmented neural networks for treatment recommendations",
        arXiv:1802.03689, and the authors' code.
    """

    input_kind: ClassVar[str] = "pairs"

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        slots: int = 16,
        width: int = 64,
        read_heads: int = 1,
        controller_size: int = 100,
        embedding_size: int | None = None,
        protected: bool = True,
        feedback: bool = True,
    ):
        configuration = constructor_arguments(locals())
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size, slots=slots, width=width)
        checks.module_sizes(self, read_heads=read_heads, controller_size=controller_size)
        if embedding_size is not None:
            checks.module_sizes(self, embedding_size=embedding_size)
        self.configuration = configuration
        self.input_size, self.output_size, self.forced = input_size, output_size, feedback
        memory = dnc_memory(slots, width, read_heads)
        sizes: dict[str, Any] = {"controller_size": controller_size, "embedding_size": embedding_size}

        def interfaces() -> list[Any]:
            return [dnc_interface(controller_size, width, read_heads)]

        self.encoder = reader(input_size, None, interfaces(), [memory], **sizes)
        decoder = reader(output_size, output_size, interfaces(), [Protected(memory) if protected else memory], **sizes)
        self.decoder = Answering(decoder, feedback=feedback)

    def begin(self, source: Integer[Tensor, "batch source_time"], lengths: Lengths | None = None) -> AugmentedState:
        """Encode sources, and return the initial state of the decoder, the last one of the encoder.

        Args:
            source: the symbols.
            lengths: number of valid symbols of each row; None for all.

        Raises:
            TypeError: the source or the lengths are not integers.
            ValueError: an unknown symbol, a source of another shape, or lengths that do not fit.
        """
        source, lengths = symbol_rows(source, lengths, self.input_size, side="source", reader=type(self).__name__)
        source, lengths = closed(source, lengths)
        _, state, _ = unroll(self.encoder, source, lengths=lengths)
        return state

    def step(
        self, symbols: Integer[Tensor, " batch"], state: AugmentedState
    ) -> tuple[Float[Tensor, "batch output"], AugmentedState]:
        """Take the last symbols; return the logits of the next symbols and the next state."""
        return self.decoder.step(symbols.long(), state)

    def forward(
        self,
        pairs: Pairs,
        state: AugmentedState | None = None,
        *,
        lengths: Lengths | None = None,
        targets: Integer[Tensor, "batch time"] | None = None,
        teacher: float = 1.0,
    ) -> tuple[Float[Tensor, "batch time output"], AugmentedState]:
        """Compute the logits of every symbol of the answer.

        Args:
            pairs: sources, and the decoder inputs under teacher forcing.
            state: the state before the first step, such as the one that the last call returned; None encodes the
                sources.
            lengths: number of valid symbols of each answer, the last boundary included; None for all.
            targets: the answers, which training passes: with them the decoder receives the true symbols, those of
                `pairs.given`; None for its own most likely ones.
            teacher: with targets, the probability of a true symbol.

        Returns:
            The logits, zero beyond a row's length, and the state after each row's last symbol.

        Raises:
            TypeError: the inputs are not `Pairs`, or the lengths are not integers.
            ValueError: a symbol is unknown, the shape of the symbols or a length is invalid, or the probability is
                outside 0..1.
        """
        checks.probabilities(teacher=teacher)
        name = type(self).__name__
        pairs = PAIRS.require(pairs, name)
        given, lengths = symbol_rows(pairs.given, lengths, self.output_size, side="target", reader=name)
        state = self.begin(pairs.source, pairs.source_lengths) if state is None else state
        return self.decoder(given, state, lengths, teacher=0.0 if targets is None else teacher)


CARD = ModelCard(
    name="dcw",
    summary="Two controllers of one memory, which the decoding one cannot write.",
    paper=("le2018dcw",),
    inputs=("pairs",),
    small={"slots": 5, "width": 3, "controller_size": 4},
)
