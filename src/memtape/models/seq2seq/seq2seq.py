"""Seq2Seq: an encoder reads a sequence, and a decoder generates another."""

from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float, Integer, Shaped
from torch import Tensor, nn

from memtape.cells import Conditioned, Stacked
from memtape.core import checks, padding, state_tree
from memtape.core.card import ModelCard
from memtape.core.inputs.pairs import PAIRS, Pairs, symbol_rows
from memtape.core.integers import Lengths
from memtape.memory.encoded import EncodedMemory
from memtape.models.seq2seq.decoder import Decoder, DecoderState
from memtape.models.seq2seq.encoder import KINDS, Encoder
from memtape.sharing.shareable import Shareable, constructor_arguments

SOURCES = ("symbols", "vectors")
CONTEXTS = ("vector", "attention")


class Seq2Seq(Shareable):
    r"""Map sequences of symbols or vectors to sequences of symbols of another length.

    $$(h_1 \dots h_n, c) = \text{encoder}(x_1 \dots x_n), \qquad
    p(y \mid x) = \prod_t \operatorname{softmax}(o_t)[y_t], \qquad o_t = \text{decoder}(y_1 \dots y_{t-1}, c, h)$$

    The target symbol 0 (`memtape.core.inputs.pairs.BOUNDARY`) ends every answer, and is the first input of the decoder.

    Args:
        input_size: number of symbols of the source, or size of one of its vectors.
        output_size: number of symbols of the target, the boundary included.
        source: type of the source: "symbols", which have learned embeddings, or "vectors", such as frames of speech,
            which a linear layer embeds.
        cell: cell of encoder and decoder, "lstm" or "gru".
        hidden_size: number of units of each layer, and of each direction of the encoder.
        embedding_size: size of the embeddings of symbols, and of the embedded vectors of a source.
        encoder_layers: number of layers of the encoder.
        decoder_layers: number of layers of the decoder.
        bidirectional: use a forward and a backward direction in the encoder.
        context: what the decoder receives of the source: the last vector $c$ only ("vector"), or also all of $h$
            ("attention").
        attention: score function of the attention: "additive", "dot" or "general".
        attend_first: attend before each step, with the last state, so that the read vector is an input of the step
            (Bahdanau); else after it, with the new state, which computes whole sequences at once (Luong).
        into: how $c$ conditions the decoder: as an input of every step ("input"), through the initial state ("state")
            or "both".
        dropout: in training, the probability that an entry of an embedding, between layers or before the readout is
            dropped.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, a choice is unknown, the dropout is outside 0..1, or the sizes for "dot" differ.

    Example:
        >>> import torch
        >>> from memtape.core.inputs.pairs import Pairs, given_for
        >>> network = Seq2Seq(input_size=7, output_size=5, hidden_size=8)
        >>> targets = torch.tensor([[3, 1, 0], [4, 0, 0]])
        >>> source, lengths = torch.tensor([[1, 6, 2, 2], [5, 3, 0, 0]]), torch.tensor([4, 2])
        >>> pairs = Pairs(source=source, source_lengths=lengths, given=given_for(targets))
        >>> logits, state = network(pairs, lengths=torch.tensor([3, 2]))
        >>> logits.shape
        torch.Size([2, 3, 5])

    References:
        Sutskever, Vinyals & Le (2014), arXiv:1409.3215; Cho et al. (2014), arXiv:1406.1078; Bahdanau, Cho & Bengio (2015),
        arXiv:1409.0473; Luong, Pham & Manning (2015), arXiv:1508.04025; scheduled sampling: Bengio, Vinyals, Jaitly &
        Shazeer (2015), arXiv:1506.03099.
    """

    input_kind: ClassVar[str] = "pairs"
    forced: ClassVar[bool] = True

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        source: Literal["symbols", "vectors"] = "symbols",
        cell: Literal["lstm", "gru"] = "lstm",
        hidden_size: int = 128,
        embedding_size: int = 64,
        encoder_layers: int = 1,
        decoder_layers: int = 1,
        bidirectional: bool = True,
        context: Literal["vector", "attention"] = "attention",
        attention: Literal["additive", "dot", "general"] = "additive",
        attend_first: bool = True,
        into: Literal["input", "state", "both"] = "state",
        dropout: float = 0.0,
    ):
        configuration = constructor_arguments(locals())
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size, embedding_size=embedding_size)
        checks.module_sizes(self, hidden_size=hidden_size, decoder_layers=decoder_layers)
        checks.one_of(SOURCES, source=source)
        checks.one_of(CONTEXTS, context=context)
        checks.probabilities(dropout=dropout)
        self.configuration = configuration
        self.input_size, self.output_size = input_size, output_size
        self.source = source
        self.source_vectors: nn.Module = (
            nn.Embedding(input_size, embedding_size) if source == "symbols" else nn.Linear(input_size, embedding_size)
        )
        self.target_vectors = nn.Embedding(output_size, embedding_size)
        self.dropout = nn.Dropout(dropout)
        self.encoder = Encoder(
            embedding_size,
            hidden_size,
            cell=cell,
            layers=encoder_layers,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        encoded_size = self.encoder.output_size
        memory = EncodedMemory(encoded_size, hidden_size, attention=attention) if context == "attention" else None
        seen = (
            embedding_size + (encoded_size if memory and attend_first else 0) + (encoded_size if into != "state" else 0)
        )
        layers = [KINDS[cell](below, hidden_size) for below in [seen] + [hidden_size] * (decoder_layers - 1)]
        conditioned = Conditioned(Stacked(layers, dropout=dropout), encoded_size, into=into)
        self.decoder = Decoder(conditioned, memory, output_size, attend_first=attend_first, dropout=dropout)

    def begin(self, source: Shaped[Tensor, "batch source_time *input"], lengths: Lengths | None = None) -> DecoderState:
        """Encode sources, and return the initial state of the decoder.

        Args:
            source: the symbols, integers of shape (batch, source_time), or the vectors, floats of shape (batch, source_time,
                input), depending on the option `source` of the network.
            lengths: number of valid steps of each row; None for all.

        Raises:
            TypeError: the source has symbols instead of vectors or vice versa, or the lengths are not integers.
            ValueError: an unknown symbol, a source of another shape, or lengths that do not fit.
        """
        if self.source == "symbols":
            source, lengths = self._checked(source, lengths, self.input_size, "source")
        else:
            source, lengths = self._checked_vectors(source, lengths)
        vectors, last = self.encoder(self.dropout(self.source_vectors(source)), lengths)
        return self.decoder.begin(last, vectors, lengths)

    def step(
        self, symbols: Integer[Tensor, " batch"], state: DecoderState
    ) -> tuple[Float[Tensor, "batch output"], DecoderState]:
        """Take the last symbols; return the logits of the next symbols and the next state."""
        return self.decoder.step(self.dropout(self.target_vectors(symbols.long())), state)

    def forward(
        self,
        pairs: Pairs,
        state: DecoderState | None = None,
        *,
        lengths: Lengths | None = None,
        targets: Integer[Tensor, "batch time"] | None = None,
        teacher: float = 1.0,
    ) -> tuple[Float[Tensor, "batch time output"], DecoderState]:
        """Compute the logits of every symbol of the answer.

        Each prediction depends on the true symbols before it, those of `pairs.given`. Greedy decoding depends on the
        same symbols as long as its predictions are correct; it therefore generates the correct answer exactly if the
        most likely symbol is correct at every step.

        Args:
            pairs: sources, and the decoder inputs under teacher forcing.
            state: the state before the first step, such as the one that the last call returned; None encodes the
                sources.
            lengths: number of valid symbols of each answer, the last boundary included; None for all.
            targets: the answers, which training passes to every network with teacher forcing; unused, since `pairs`
                contains them.
            teacher: probability of a true symbol as the decoder input; otherwise it is sampled from the last logits
                (scheduled sampling, computed step by step).

        Returns:
            The logits, zero beyond a row's length, and the state after each row's last symbol.

        Raises:
            TypeError: the inputs are not `Pairs`, or the lengths are not integers.
            ValueError: a symbol is unknown, the shape of the symbols or a length is invalid, or the probability is
                outside 0..1.
        """
        checks.probabilities(teacher=teacher)
        pairs = PAIRS.require(pairs, type(self).__name__)
        given, lengths = self._checked(pairs.given, lengths, self.output_size, "target")
        state = self.begin(pairs.source, pairs.source_lengths) if state is None else state
        if teacher < 1:
            return self._sampled(given, state, lengths, teacher)
        return self.decoder(self.dropout(self.target_vectors(given)), state, lengths)

    def _sampled(
        self, given: Tensor, state: DecoderState, lengths: Tensor, teacher: float
    ) -> tuple[Tensor, DecoderState]:
        outputs: list[Tensor] = []
        fed = given[:, 0]
        for t, true in enumerate(given.unbind(1)):
            if outputs:
                own = torch.multinomial(torch.softmax(outputs[-1].detach(), dim=-1), 1)[:, 0]
                fed = torch.where(torch.rand(len(true), device=true.device) < teacher, true, own)
            logits, moved = self.step(fed, state)
            cell = state_tree.select(t < lengths, moved.cell, state.cell)
            state = DecoderState(cell=cell, encoded=state.encoded)
            outputs.append(logits)
        return padding.zero_beyond(torch.stack(outputs, dim=1), lengths), state

    def _checked_vectors(self, vectors: Tensor, lengths: Any) -> tuple[Tensor, Tensor]:
        """Check vectors and their lengths, and return the vectors with zeros for padding, and the lengths."""
        name = type(self).__name__
        if not vectors.is_floating_point():
            raise TypeError(
                f'the source has dtype {vectors.dtype}, but this {name} reads vectors; pass floats, or choose source="symbols"'
            )
        if vectors.ndim != 3 or vectors.shape[1] < 1 or vectors.shape[2] != self.input_size:
            raise ValueError(
                f"the source has shape {tuple(vectors.shape)}, but this {name} reads vectors of shape (batch, time, "
                f"{self.input_size}) with at least one step of time; pad or reshape them, or give their size as input_size"
            )
        if lengths is None:
            lengths = torch.full((len(vectors),), vectors.shape[1], device=vectors.device)
        lengths = checks.lengths_of(vectors, lengths)
        return padding.zero_beyond(vectors, lengths), lengths

    def _checked(self, symbols: Tensor, lengths: Any, count: int, side: str) -> tuple[Tensor, Tensor]:
        """Check symbols and their lengths, and return the symbols with 0 for padding, and the lengths."""
        instead = ', or choose source="vectors"' if side == "source" else ""
        return symbol_rows(symbols, lengths, count, side=side, reader=type(self).__name__, instead=instead)


CARD = ModelCard(
    name="seq2seq",
    summary="Encoder and decoder, with a context vector or with attention to the whole source.",
    paper=("sutskever2014", "bahdanau2015"),
    inputs=("pairs",),
    small={"hidden_size": 8},
)
