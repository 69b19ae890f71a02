"""Key-value memory network: soft attention over keys, which returns values, in several hops."""

from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int
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
from memtape.ops.word_window import windows
from memtape.sharing.shareable import constructor_arguments


@state
class KeyQuery:
    """A question: its vector, and its words, by which slots can be chosen."""

    vector: Float[Tensor, "batch embedding"]
    words: Int[Tensor, "batch words"]


@state
class KeyValueSlots:
    """The slots of a story: one for each sentence, or one for each word of each sentence; with titles twice as many."""

    keys: Float[Tensor, "batch sentences slots embedding"]
    values: Float[Tensor, "batch sentences slots embedding"]
    words: Int[Tensor, "batch sentences slots key_words"]
    """The words of each key; a slot without words is empty."""


class KVMemNN(MemoryNetwork[KeyQuery, KeyValueSlots]):
    r"""Answer questions about stories with a key-value memory network.

    Each slot $i$ of the memory has a key, by which it is found, and a value, which is read. In hop $j = 1 \dots H$:

    $$q_1 = A \Phi_X(x), \qquad
    p_i = \operatorname{softmax}_i\bigl(q_j \cdot (A \Phi_K(k_i) + T_K(a_i))\bigr)$$

    $$o_j = \sum_i p_i \bigl(A \Phi_V(v_i) + T_V(a_i)\bigr), \quad q_{j+1} = R_j (q_j + o_j), \qquad
    y = B q_{H+1}$$

    where $A \Phi$ is the weighted sum of embeddings of words, and $a_i$ the age of the sentence of the slot. Without
    windows, there is a slot for each sentence, which is both its key and its value. With windows, each word of a sentence
    is the value of a slot, and the words around it, itself included, are the key. Words then have two embeddings: the
    second one is that of the word in the middle of a key, of values and, if tied, of answers.

    With titles, the first word of a sentence is the title of its document. Its embedding is added to all keys of the
    sentence. Beside each slot there is then another one, whose value is the title, and whose key has a further vector
    added to it.

    With a hash limit, only those slots take part whose key has a rare word of the question, one that at most this number
    of keys have. If there is no such slot, the hops find nothing, $o_j = 0$.

    The initial weights can be matching: the second embedding of a word is -2 times its first one, and $R_j = I$. Then, before
    training, keys that share words with the question are found, and a word of the question is neither a middle of these
    keys nor an answer. This matters if there are too many words to learn this for each one.

    The symbol of an absent word has no embedding; as an answer, with tied answers, its logit is 0.

    Args:
        input_size: number of symbols, that of an absent word included.
        output_size: number of answers; with tied answers these are the symbols.
        embedding_size: size of keys, values and $q_j$.
        hops: $H$.
        memory_size: the number of the last sentences that the memory holds.
        window: number of words in a window, odd; None for slots of sentences.
        titles: whether sentences start with the title of their document.
        encoding: the weights of words in a sum, by "position" or, as a "bag" of words, all 1.
        temporal: whether slots have the terms $T_K$ and $T_V$ of their age.
        random_noise: in training, the share of gaps in the ages; 0 for none.
        hash_limit: the largest number of keys that a word may be in to choose slots; None for all slots.
        tied_answers: whether $B = A^\top$, with windows the second embeddings of the words.
        spread: standard deviation of the initial weights; that of $R_j$ is around the identity.
        matching: whether the initial weights are matching.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the window is even, an option is unknown or outside its range, or the answers are tied
            but are not the symbols.

    References:
        Miller et al. (2016), "Key-value memory networks for directly reading documents", arXiv:1606.03126.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        embedding_size: int = 20,
        hops: int = 2,
        memory_size: int = 50,
        window: int | None = None,
        titles: bool = False,
        encoding: Literal["position", "bag"] = "position",
        temporal: bool = True,
        random_noise: float = 0.1,
        hash_limit: int | None = None,
        tied_answers: bool = True,
        spread: float = 0.1,
        matching: bool = False,
    ):
        configuration = constructor_arguments(locals())
        super().__init__(input_size, output_size, memory_size=memory_size)
        checks.module_sizes(self, embedding_size=embedding_size, hops=hops)
        checks.one_of(tuple(ENCODINGS), encoding=encoding)
        checks.probabilities(random_noise=random_noise)
        checks.positive(spread=spread)
        if hash_limit is not None:
            checks.at_least(1, hash_limit=hash_limit)
        if window is not None:
            checks.module_sizes(self, window=window)
            if window % 2 == 0:
                raise ValueError(f"window is {window}, but a window has a word in its middle; give an odd number")
        if tied_answers and output_size != input_size:
            raise ValueError(
                f"output_size of {type(self).__name__} is {output_size} and input_size {input_size}, but with tied answers "
                "these are the symbols; make them equal, or choose tied_answers=False"
            )
        self.window, self.encoding = window, encoding
        self.random_noise, self.hash_limit = random_noise, hash_limit
        # Two tables with windows: the second is for words in the middle of a key, values and tied answers.
        tables = 1 if window is None else 2
        self.words = nn.Parameter(torch.randn(tables, input_size, embedding_size) * spread)
        self.title = nn.Parameter(torch.randn(embedding_size) * spread) if titles else None
        self.times = nn.Parameter(torch.randn(2, memory_size, embedding_size) * spread) if temporal else None
        self.turns = nn.Parameter(
            torch.eye(embedding_size) + torch.randn(hops, embedding_size, embedding_size) * spread
        )
        self.to_answer = None if tied_answers else nn.Parameter(torch.randn(output_size, embedding_size) * spread)
        with torch.no_grad():
            self.words[0, NIL] = 0
            if matching:
                self.words[1:] = -2 * self.words[:1]
                self.turns.copy_(torch.eye(embedding_size).expand_as(self.turns))
        self.configuration: dict[str, Any] = configuration

    def read_question(self, question: Tensor) -> KeyQuery:
        """Input: return $q_1$ and the words."""
        return KeyQuery(vector=ENCODINGS[self.encoding](question, self.words[0]), words=question)

    def remember(self, sentences: Tensor, present: Tensor) -> KeyValueSlots:
        """Input and generalisation: return the keys and values of all slots."""
        encoded = ENCODINGS[self.encoding]
        if self.window is None:
            words = sentences[:, :, None, :]
            keys = values = encoded(words, self.words[0])
        else:
            words, middle = windows(sentences, self.window)
            keys = encoded(torch.where(middle, words + self.input_size, words), self.words.flatten(0, 1))
            values = self._as_value(sentences)
        if self.times is not None:
            told = ages_with_gaps(present, self.random_noise if self.training else 0.0, self.memory_size)
            for_key, for_value = self.times[:, told][..., None, :].unbind(0)
            keys, values = keys + for_key, values + for_value
        slots = KeyValueSlots(keys=keys, values=values, words=words)
        return slots if self.title is None else self._with_titles(slots, sentences, self.title)

    def look_up(self, query: KeyQuery, memory: KeyValueSlots) -> tuple[Float[Tensor, "batch features"], Lookup]:
        """Output: return $q_{H+1}$ and all $p$, summed over the slots of each sentence."""
        keys, values = memory.keys.flatten(1, 2), memory.values.flatten(1, 2)
        found_by = self._chosen(query.words, memory.words.flatten(1, 2))
        vector, weights = query.vector, []
        for turn in self.turns.unbind(0):
            looked = ops.attention_weights(ops.dot_scores(vector[:, None, :], keys), found_by)
            vector = functional.linear(vector + ops.read(values, looked)[:, 0], turn)
            weights.append(looked[:, 0].view(memory.keys.shape[:3]).sum(2))
        return vector, lookup_in_hops(weights)

    def respond(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch output"]:
        """Response: return $B q_{H+1}$."""
        if self.to_answer is not None:
            return functional.linear(features, self.to_answer)
        return functional.pad(functional.linear(features, self.words[-1, NIL + 1 :]), (NIL + 1, 0))

    def _as_value(self, words: Int[Tensor, "*batch words"]) -> Float[Tensor, "*batch words embedding"]:
        """Return the embeddings of single words that are values; zero for absent ones."""
        return torch.where((words != NIL)[..., None], functional.embedding(words, self.words[-1]), 0)

    def _with_titles(self, slots: KeyValueSlots, sentences: Tensor, feature: Tensor) -> KeyValueSlots:
        """Add the first word of each sentence to its keys, and to each slot one that has this word as its value."""
        titles = functional.pad(sentences, (0, 1), value=NIL)[:, :, :1]
        keys = slots.keys + functional.embedding(titles, self.words[0])
        values = self._as_value(titles).expand_as(keys)
        present = (slots.words != NIL).any(3, keepdim=True)
        words = torch.cat([slots.words, torch.where(present, titles[..., None], NIL)], 3)
        return KeyValueSlots(
            keys=torch.cat([keys, keys + feature], 2),
            values=torch.cat([slots.values, values], 2),
            words=torch.cat([words, words], 2),
        )

    def _chosen(self, question: Tensor, words: Int[Tensor, "batch slots key_words"]) -> Bool[Tensor, "batch slots"]:
        """Return which slots take part: those with words or, with key hashing, with a rare word of the question."""
        if self.hash_limit is None:
            return (words != NIL).any(2)
        shared = ((words[:, :, None, :] == question[:, None, :, None]) & (question != NIL)[:, None, :, None]).any(3)
        rare = shared.sum(1, keepdim=True) <= self.hash_limit
        return (shared & rare).any(2)


CARD = ModelCard(
    name="kvmemnn",
    summary="Key-value memory network: soft attention over keys, which returns values, in several hops.",
    paper=("miller2016",),
    inputs=("stories",),
    small={"embedding_size": 4, "hops": 2, "memory_size": 6},
)
