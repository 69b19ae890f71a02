"""End-to-end memory network: soft attention over the sentences of a story, in several hops."""

from itertools import pairwise
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from memtape import ops
from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.lookup import Lookup, lookup_in_hops
from memtape.core.state import state
from memtape.models.memory_network.memory_network import MemoryNetwork
from memtape.ops.sentence import ENCODINGS, NIL
from memtape.ops.story_age import ages_with_gaps
from memtape.sharing.shareable import constructor_arguments


@state
class SentenceMemory:
    """The sentences of a story, in each table of embeddings.

    With adjacent tying, hop $k$ has its keys from table $k$ and its values from table $k + 1$; with layer-wise tying, all
    hops have their keys from the first and their values from the second table.
    """

    vectors: Float[Tensor, "*batch sentences tables embedding"]
    present: Bool[Tensor, "*batch sentences"]
    """Which slots hold a sentence."""


class MemN2N(MemoryNetwork[Tensor, SentenceMemory]):
    r"""Answer questions about stories with an end-to-end memory network.

    Sentence $i$ has a key $m_i^k$ and a value $c_i^k$ in hop $k = 1 \dots K$, the question a vector $u^1$:

    $$m_i^k = \sum_j l_j \circ A^k x_{ij} + T_A^k(a_i), \quad c_i^k = \sum_j l_j \circ C^k x_{ij} + T_C^k(a_i), \quad
    u^1 = \sum_j l_j \circ B q_j$$

    $$p^k = \operatorname{softmax}(m^k u^k), \quad o^k = \sum_i p_i^k c_i^k, \quad u^{k+1} = H u^k + o^k, \quad
    y = W u^{K+1}$$

    where $l_j$ are the weights of the encoding and $a_i$ is the age of the sentence. Empty slots take part in the softmax with
    score 0 and value 0, as in the published code: a question that fits no sentence can so find nothing.
    With adjacent tying $A^{k+1} = C^k$, $T_A^{k+1} = T_C^k$, $B = A^1$, $W = (C^K)^\top$ and $H = 1$; with layer-wise tying
    all hops have the same $A$, $C$, $T_A$ and $T_C$.

    The symbol of an absent word has no embedding; as an answer, with adjacent tying, its logit is 0.

    Args:
        input_size: number of symbols, that of an absent word included.
        output_size: number of answers; with adjacent tying the answers are the symbols.
        embedding_size: size of $m_i^k$.
        hops: $K$.
        memory_size: the number of the last sentences that the memory holds.
        tying: which matrices are the same.
        encoding: the weights of words in a sentence, by "position" or, as a "bag" of words, all 1.
        temporal: whether sentences have the terms $T_A$ and $T_C$ of their age.
        empty_slots: whether the empty slots of the memory take part in the softmax.
        random_noise: in training, the share of gaps in the ages; 0 for none.
        half_relu: apply a ReLU to half of the entries of $u^{k+1}$.
        spread: standard deviation of the initial weights.

    Attributes:
        linear: whether the hops leave their softmax out, as in the first steps of a training run with a linear start.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, an option is unknown or outside its range, or the answers are not the symbols.

    References:
        Sukhbaatar, Szlam, Weston & Fergus (2015), "End-to-end memory networks", arXiv:1503.08895.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        embedding_size: int = 20,
        hops: int = 3,
        memory_size: int = 50,
        tying: Literal["adjacent", "layerwise"] = "adjacent",
        encoding: Literal["position", "bag"] = "position",
        temporal: bool = True,
        empty_slots: bool = True,
        random_noise: float = 0.1,
        half_relu: bool = False,
        spread: float = 0.1,
    ):
        configuration = constructor_arguments(locals())
        super().__init__(input_size, output_size, memory_size=memory_size)
        checks.module_sizes(self, embedding_size=embedding_size, hops=hops)
        checks.one_of(("adjacent", "layerwise"), tying=tying)
        checks.one_of(tuple(ENCODINGS), encoding=encoding)
        checks.probabilities(random_noise=random_noise)
        checks.positive(spread=spread)
        if tying == "adjacent" and output_size != input_size:
            raise ValueError(
                f"output_size of {type(self).__name__} is {output_size} and input_size {input_size}, but with adjacent tying "
                'the answers are the symbols; make them equal, or choose tying="layerwise"'
            )
        self.hops, self.tying, self.half_relu = hops, tying, half_relu
        self.encoding, self.random_noise, self.empty_slots = encoding, random_noise, empty_slots
        tables = hops + 1 if tying == "adjacent" else 3
        self.words = nn.ParameterList(_normal(spread, input_size, embedding_size) for _ in range(tables))
        timed = (hops + 1 if tying == "adjacent" else 2) if temporal else 0
        self.times = nn.ParameterList(_normal(spread, memory_size, embedding_size) for _ in range(timed))
        if tying == "layerwise":
            self.turn = _normal(spread, embedding_size, embedding_size)
            self.to_answer = _normal(spread, output_size, embedding_size)
        with torch.no_grad():
            for table in self.words:
                table[0] = 0
        self.configuration: dict[str, Any] = configuration
        self.linear = False

    def read_question(self, question: Tensor) -> Float[Tensor, "batch query"]:
        """Input: return $u^1$."""
        return ENCODINGS[self.encoding](question, self.words[0])

    def remember(self, sentences: Tensor, present: Tensor) -> SentenceMemory:
        """Input and generalisation: return the vectors of the sentences in all tables."""
        tables = list(self.words) if self.tying == "adjacent" else list(self.words)[1:]
        vectors = ENCODINGS[self.encoding](sentences, torch.stack(tables, dim=1))
        if self.times:
            told = ages_with_gaps(present, self.random_noise if self.training else 0.0, self.memory_size)
            times = torch.stack(list(self.times), dim=1)
            vectors = vectors + functional.embedding(told, times.flatten(1)).view_as(vectors)
        return SentenceMemory(vectors=vectors, present=present)

    def look_up(
        self, query: Float[Tensor, "batch query"], memory: SentenceMemory
    ) -> tuple[Float[Tensor, "batch features"], Lookup]:
        """Output: return $u^{K+1}$ and all $p^k$."""
        weights: list[Tensor] = []
        vectors = memory.vectors.unbind(2)
        for keys, values in pairwise(vectors) if self.tying == "adjacent" else [vectors] * self.hops:
            scores = ops.dot_scores(query[:, None, :], keys)
            if self.linear:
                chosen = torch.where(memory.present[:, None, :], scores, 0)
            elif self.empty_slots:
                chosen = ops.weights_beside_empty(scores, memory.present, self.memory_size)
            else:
                chosen = ops.attention_weights(scores, memory.present)
            found = ops.read(values, chosen)[:, 0]
            query = (query if self.tying == "adjacent" else functional.linear(query, self.turn)) + found
            if self.half_relu:
                straight = query.shape[1] // 2
                query = torch.cat([query[:, :straight], query[:, straight:].relu()], dim=1)
            weights.append(chosen[:, 0])
        return query, lookup_in_hops(weights)

    def respond(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch output"]:
        """Response: return $W u^{K+1}$."""
        if self.tying == "layerwise":
            return functional.linear(features, self.to_answer)
        return functional.pad(functional.linear(features, self.words[self.hops][NIL + 1 :]), (NIL + 1, 0))


def _normal(spread: float, *sizes: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*sizes) * spread)


CARD = ModelCard(
    name="memn2n",
    summary="End-to-end memory network: soft attention over the sentences of a story, in several hops.",
    paper=("sukhbaatar2015",),
    inputs=("stories",),
    small={"embedding_size": 4, "hops": 2, "memory_size": 6},
)
