"""Dynamic memory network: episodes that read the sentences of a story through gates, and a memory that they rewrite."""

from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from memtape import ops
from memtape.cells import GRUCell
from memtape.cells.elman import HiddenState
from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.inputs.stories import NIL
from memtape.core.lookup import Lookup, lookup_in_hops
from memtape.core.state import state
from memtape.models.memory_network.attention_gru import AttentionGRU
from memtape.models.memory_network.episode_attention import EpisodeAttention
from memtape.models.memory_network.memory_network import MemoryNetwork
from memtape.models.memory_network.sentence_facts import FusedSentences, WordsInOrder, states_over_words
from memtape.ops.dropout import dropout
from memtape.sharing.shareable import constructor_arguments

READERS: dict[str, type[FusedSentences | WordsInOrder]] = {"fusion": FusedSentences, "words": WordsInOrder}


@state
class FactMemory:
    """The vectors of the sentences of a story."""

    facts: Float[Tensor, "*batch sentences hidden"]
    present: Tensor
    """Which slots hold a sentence, shape (batch, sentences)."""


class DMN(MemoryNetwork[Tensor, FactMemory]):
    r"""Answer questions about stories with a dynamic memory network.

    The story becomes a vector $f_t$ for each sentence, the question the last state $q$ of a GRU over its words. Then
    $k = 1 \dots K$ episodes read the sentences and rewrite the memory $m$, with $m^0 = q$:

    $$g^k = \operatorname{attention}(f, q, m^{k-1}), \qquad e^k = \operatorname{GRU}_{g^k}(f), \qquad
    m^k = \operatorname{ReLU}(W^k [m^{k-1}; e^k; q] + b^k), \qquad y = W [m^K; q] + b$$

    By default, the parts are those of the DMN+ of 2016: $f$ of `FusedSentences`, softmax gates of `EpisodeAttention`, an
    `AttentionGRU` without update gates, and matrices $W^k$ of each episode. The network of 2015 has other parts:
    `reader="words"`, `gates="sigmoid"`, `episode="gru"`, `update="gru"` and `answer="gru"`. Each option changes one of them:

    $$\text{episode "sum": } e^k = \sum_t g_t^k f_t, \qquad \text{update "gru": } m^k = \operatorname{GRU}(e^k, m^{k-1}), \qquad
    \text{answer "gru": } y = W \operatorname{GRU}(q, m^K) + b$$

    The gates of 2015 were trained on the supporting sentences too, these are trained by the answer alone. An answer is one
    symbol, so that the GRU of the answer, which would read the symbol before, takes one step. A story without sentences has
    $e^k = 0$.

    Args:
        input_size: number of symbols, that of an absent word included.
        output_size: number of answers.
        embedding_size: size of the embedding of a word.
        hidden_size: size of $f_t$, $q$, $e$ and $m$.
        hops: $K$, the number of episodes.
        memory_size: the number of the last sentences that the memory holds.
        reader: how sentences become vectors: "fusion" of encoded sentences, or a GRU over all "words".
        gates: "softmax" over the sentences, or a "sigmoid" for each.
        episode: how an episode reads the sentences: by a GRU whose update gate is "attention", a "gru" with gates, or their
            weighted "sum".
        update: how an episode changes the memory, by a layer of "relu" units of its own or by one "gru" for all.
        answer: a "linear" layer of memory and question, or one step of a "gru" before it.
        dropout: in training, the probability that an entry of $f$ or of the input of the answer is dropped.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, an option is unknown, or the dropout is below 0, or 1 or above.

    Example:
        >>> import torch
        >>> from memtape.core.inputs.stories import Stories
        >>> from memtape.models.memory_network.dmn import DMN
        >>> network = DMN(input_size=8, output_size=8)
        >>> stories = Stories(  # mary went home. john slept. where is mary?
        ...     sentences=torch.tensor([[[1, 2, 3], [4, 5, 0]]]),
        ...     question=torch.tensor([[6, 7, 1]]),
        ...     supports=torch.tensor([[0]]),
        ... )
        >>> answers, looked = network(stories)
        >>> answers.shape, looked.weights.shape
        (torch.Size([1, 1, 8]), torch.Size([1, 3, 2]))

    References:
        Kumar et al. (2016), "Ask me anything: dynamic memory networks for natural language processing", arXiv:1506.07285;
        Xiong, Merity & Socher (2016), "Dynamic memory networks for visual and textual question answering", arXiv:1603.01417.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        embedding_size: int = 80,
        hidden_size: int = 80,
        hops: int = 3,
        memory_size: int = 130,
        reader: Literal["fusion", "words"] = "fusion",
        gates: Literal["softmax", "sigmoid"] = "softmax",
        episode: Literal["attention", "gru", "sum"] = "attention",
        update: Literal["relu", "gru"] = "relu",
        answer: Literal["linear", "gru"] = "linear",
        dropout: float = 0.1,
    ):
        configuration = constructor_arguments(locals())
        super().__init__(input_size, output_size, memory_size=memory_size)
        checks.module_sizes(self, embedding_size=embedding_size, hidden_size=hidden_size, hops=hops)
        checks.one_of(tuple(READERS), reader=reader)
        checks.one_of(("attention", "gru", "sum"), episode=episode)
        checks.one_of(("relu", "gru"), update=update)
        checks.one_of(("linear", "gru"), answer=answer)
        checks.dropout_rates(self, dropout=dropout)
        self.hops, self.dropout = hops, dropout
        self.words = nn.Parameter(torch.empty(input_size, embedding_size))
        self.question = GRUCell(embedding_size, hidden_size)
        self.reader = READERS[reader](embedding_size, hidden_size)
        self.attention = EpisodeAttention(hidden_size, gates=gates)
        self.episode = None if episode == "sum" else AttentionGRU(hidden_size, update_gates=episode == "gru")
        self.update: GRUCell | nn.ModuleList = (
            GRUCell(hidden_size, hidden_size)
            if update == "gru"
            else nn.ModuleList(nn.Linear(3 * hidden_size, hidden_size) for _ in range(hops))
        )
        self.last = GRUCell(hidden_size, hidden_size) if answer == "gru" else None
        self.to_answer = nn.Linear(hidden_size if answer == "gru" else 2 * hidden_size, output_size)
        self._initialise()
        self.configuration: dict[str, Any] = configuration

    def _initialise(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim == 2:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)
        nn.init.uniform_(self.words, -(3**0.5), 3**0.5)
        with torch.no_grad():
            self.words[NIL] = 0

    def read_question(self, question: Tensor) -> Float[Tensor, "batch hidden"]:
        """Input: return $q$."""
        states = states_over_words(self.question, question, self.words)
        if not states.shape[1]:
            return states.new_zeros(len(states), states.shape[2])
        return ops.last_step(states, (question != NIL).sum(1))

    def remember(self, sentences: Tensor, present: Bool[Tensor, "batch sentences"]) -> FactMemory:
        """Input and generalisation: return $f$."""
        return FactMemory(facts=self._dropped(self.reader(sentences, present, self.words)), present=present)

    def look_up(
        self, query: Float[Tensor, "batch hidden"], memory: FactMemory
    ) -> tuple[Float[Tensor, "batch features"], Lookup]:
        """Output: run the episodes, and return $[m^K; q]$, or the state of the GRU of the answer, and all gates."""
        facts, rewritten, looked = memory.facts, query, []
        for hop in range(self.hops):
            gates = self.attention(facts, memory.present, query, rewritten)
            found = ops.read(facts, gates[:, None])[:, 0] if self.episode is None else self.episode(facts, gates)
            if isinstance(self.update, GRUCell):
                rewritten, _ = self.update(found, HiddenState(hidden=rewritten))
            else:
                rewritten = self.update[hop](torch.cat([rewritten, found, query], dim=1)).relu()
            looked.append(gates)
        rewritten, query = self._dropped(rewritten), self._dropped(query)
        if self.last is None:
            features = torch.cat([rewritten, query], dim=1)
        else:
            features, _ = self.last(query, HiddenState(hidden=rewritten))
        return features, lookup_in_hops(looked)

    def respond(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch output"]:
        """Response: return $y$."""
        return self.to_answer(features)

    def _dropped(self, x: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
        return dropout(x, self.dropout if self.training else 0.0)


CARD = ModelCard(
    name="dmn",
    summary="Dynamic memory network: episodes that read the sentences of a story through gates, and rewrite a memory.",
    paper=("kumar2016", "xiong2016"),
    inputs=("stories",),
    small={"embedding_size": 3, "hidden_size": 4, "hops": 2, "memory_size": 6},
)
