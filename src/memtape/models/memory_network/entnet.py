"""Recurrent entity network: each slot follows one entity through a story, by a gate that opens for its sentences."""

from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from memtape import ops
from memtape.core import checks
from memtape.core.backends import backend_for
from memtape.core.card import ModelCard
from memtape.core.inputs.stories import NIL
from memtape.core.lookup import Lookup
from memtape.core.missing_kernels import warn_if_unfused
from memtape.core.state import state
from memtape.core.transforms import transforming
from memtape.kernels.arguments import DTYPES
from memtape.kernels.entity import ENGINES, EntityEngine, EntitySteps
from memtape.models.memory_network.entity_symbols import entity_symbols
from memtape.models.memory_network.memory_network import MemoryNetwork
from memtape.ops.sentence import masked_by_position
from memtape.sharing.shareable import constructor_arguments

SLOTS = 20
"""The number of slots with keys of their own, as in the paper's experiments."""


@state
class EntityMemory:
    """What the slots hold after the last sentence, and which sentences wrote to them."""

    hidden: Float[Tensor, "*batch slots embedding"]
    gates: Float[Tensor, "*batch slots sentences"]
    """The gate of each slot for each sentence, 0 for absent sentences."""


class EntNet(MemoryNetwork[Tensor, EntityMemory]):
    r"""Answer questions about stories with a recurrent entity network.

    Sentence $t$ has the vector $s_t$, the question the vector $q$, with learned masks $f$ and $f'$ over the positions of words:

    $$s_t = \sum_i f_i \circ A x_{ti}, \qquad q = \sum_i f'_i \circ A q_i$$

    Each slot $j$ has a key $w_j$ and a content $h_j$, at first its key. Every sentence changes all slots:

    $$g_j = \sigma(s_t^\top h_j + s_t^\top w_j + b_j), \qquad \tilde h_j = \phi(U h_j + V s_t + W w_j + b)$$

    $$h_j \leftarrow h_j + g_j \tilde h_j, \qquad h_j \leftarrow h_j / \lVert h_j \rVert$$

    The normalisation is how a slot forgets. The question reads the slots after the last sentence:

    $$p = \operatorname{softmax}_j(q^\top h_j), \qquad u = \sum_j p_j h_j, \qquad y = R \, \phi(q + H u)$$

    $\phi$ is a PReLU with the same learned slopes, one for each entry and at first 1, in both places. As in the authors'
    code, and not in the paper, gates have a bias for each slot and the question has masks of its own. An absent sentence
    changes no slot.

    The network attends to slots and not to sentences. Its `Lookup` has a look for each slot, whose weights are the
    gates $g_j$ of all sentences, which need not sum to 1, and whose share is $p_j$.

    Args:
        input_size: number of symbols, that of an absent word included.
        output_size: number of answers.
        embedding_size: size of $s_t$, $w_j$ and $h_j$.
        slots: number of slots; None for 20, or with `entities` for one slot for each of these.
        entities: symbols of known entities, such as "3-8,12", or "all" for every word: their embeddings are the keys (tied
            keys). None for keys that are parameters of their own (untied).
        memory_size: the number of the last sentences of a story that are read.
        sentence_size: the largest number of words of a sentence or question, the number of masks.
        spread: standard deviation of the initial weights and keys; masks and slopes are initialised to 1.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the spread is not above 0, or the entities are no symbols or not as many as the slots.

    Example:
        >>> import torch
        >>> from memtape.core.inputs.stories import Stories
        >>> from memtape.models.memory_network.entnet import EntNet
        >>> network = EntNet(input_size=8, output_size=8, entities="1,4")
        >>> stories = Stories(  # mary went home. john slept. where is mary?
        ...     sentences=torch.tensor([[[1, 2, 3], [4, 5, 0]]]),
        ...     question=torch.tensor([[6, 7, 1]]),
        ...     supports=torch.tensor([[0]]),
        ... )
        >>> answers, looked = network(stories)
        >>> answers.shape, looked.weights.shape, looked.shares.shape
        (torch.Size([1, 1, 8]), torch.Size([1, 2, 2]), torch.Size([1, 2]))

    References:
        Henaff, Weston, Szlam, Bordes & LeCun (2017), "Tracking the world state with recurrent entity networks",
        arXiv:1612.03969.
    """

    looks: ClassVar[str] = "slot"

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        embedding_size: int = 100,
        slots: int | None = None,
        entities: str | None = None,
        memory_size: int = 70,
        sentence_size: int = 20,
        spread: float = 0.1,
    ):
        configuration = constructor_arguments(locals())
        super().__init__(input_size, output_size, memory_size=memory_size)
        checks.module_sizes(self, embedding_size=embedding_size, sentence_size=sentence_size)
        checks.positive(spread=spread)
        self.sentence_size = sentence_size
        self.tied = None if entities is None else entity_symbols(entities, input_size)
        count = slots if slots is not None else SLOTS if self.tied is None else len(self.tied)
        checks.module_sizes(self, slots=count)
        if self.tied is not None and count != len(self.tied):
            raise ValueError(
                f"slots is {slots}, but entities names {len(self.tied)} symbols and each has one slot; "
                "leave slots out, or entities"
            )

        def normal(*sizes: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(*sizes) * spread)

        self.words = normal(input_size, embedding_size)
        self.sentence_masks = nn.Parameter(torch.ones(sentence_size, embedding_size))
        self.question_masks = nn.Parameter(torch.ones(sentence_size, embedding_size))
        if self.tied is None:
            self.own_keys = normal(count, embedding_size)
        self.gate_bias = normal(count)
        self.from_content = normal(embedding_size, embedding_size)
        self.from_sentence = normal(embedding_size, embedding_size)
        self.from_key = normal(embedding_size, embedding_size)
        self.bias = normal(embedding_size)
        self.slopes = nn.Parameter(torch.ones(embedding_size))
        self.from_found = normal(embedding_size, embedding_size)
        self.to_answer = normal(output_size, embedding_size)
        with torch.no_grad():
            self.words[NIL] = 0
        self.configuration: dict[str, Any] = configuration

    @property
    def keys(self) -> Float[Tensor, "slots embedding"]:
        """The keys $w_j$ of the slots."""
        return self.own_keys if self.tied is None else self.words[list(self.tied)]

    def read_question(self, question: Tensor) -> Float[Tensor, "batch query"]:
        """Input: return $q$."""
        return masked_by_position(self._fitting(question, "question"), self.words, self.question_masks)

    def remember(self, sentences: Tensor, present: Bool[Tensor, "batch sentences"]) -> EntityMemory:
        """Input and generalisation: read the sentences one after another."""
        words = self._fitting(sentences, "sentences")
        engine = self._engine()
        if engine is None:
            return self._one_by_one(words, present)
        vectors, by_key, by_sentence = self._given(words[present])
        steps = EntitySteps(
            vectors=vectors,
            by_key=by_key,
            by_sentence=by_sentence,
            constant=self._constant(),
            first=self.keys,
            weights=self.from_content,
            slopes=self.slopes,
        )
        hidden, gates = engine(steps, present.sum(1))
        record = gates.new_zeros(*present.shape, gates.shape[1])
        record[present] = gates
        return EntityMemory(hidden=hidden, gates=record.mT)

    def _engine(self) -> EntityEngine | None:
        """Return the fused kernel, or None where the reference has to run: under autocast the state has another dtype."""
        device = self.words.device.type
        if self.words.dtype not in DTYPES or torch.is_autocast_enabled(device) or transforming():
            return None
        warn_if_unfused(self, device)
        return ENGINES.get(backend_for(device))

    def _given(self, words: Int[Tensor, "*batch words"]) -> tuple[Tensor, Tensor, Tensor]:
        r"""Return what sentences give to the slots: $s$, $s^\top w_j + b_j$ for each slot, and $V s$."""
        vectors = masked_by_position(words, self.words, self.sentence_masks)
        by_key = functional.linear(vectors, self.keys, self.gate_bias)
        return vectors, by_key, functional.linear(vectors, self.from_sentence)

    def _constant(self) -> Float[Tensor, "slots embedding"]:
        """Return $W w_j + b$."""
        return functional.linear(self.keys, self.from_key, self.bias)

    def _one_by_one(self, words: Tensor, present: Bool[Tensor, "batch sentences"]) -> EntityMemory:
        """Read the sentences by operations of torch."""
        # Packed: the first sentences of all stories, the second ones, and so on. Longest stories first, so that those that
        # have ended are the last rows and leave the batch.
        order, counts = present.sum(1).argsort(descending=True), present.sum(0).tolist()
        there = present[order].T
        given, constant = self._given(words[order].transpose(0, 1)[there]), self._constant()
        hidden, gates, ended = self.keys.expand(len(words), -1, -1), [], []
        # Split, since the gradient of an index into all sentences would be a tensor of that size.
        for vector, by_key, by_sentence in zip(*(part.split(counts) for part in given), strict=True):
            hidden, rest = hidden.split((len(vector), len(hidden) - len(vector)))
            ended.append(rest)
            gate = torch.sigmoid(torch.baddbmm(by_key[:, :, None], hidden, vector[:, :, None]))
            added = (constant + by_sentence[:, None]).flatten(0, 1)
            candidate = self._activated(torch.addmm(added, hidden.flatten(0, 1), self.from_content.T)).view_as(hidden)
            hidden = functional.normalize(torch.addcmul(hidden, gate, candidate), dim=2)
            gates.append(gate)
        every = torch.cat(gates)[:, :, 0] if gates else given[1]
        record = every.new_zeros(*there.shape, every.shape[1])
        record[there] = every
        back = order.argsort()
        return EntityMemory(hidden=torch.cat([hidden, *reversed(ended)])[back], gates=record.permute(1, 2, 0)[back])

    def look_up(
        self, query: Float[Tensor, "batch query"], memory: EntityMemory
    ) -> tuple[Float[Tensor, "batch features"], Lookup]:
        r"""Output: return $\phi(q + H u)$, with the gates of the sentences as weights and $p$ as shares."""
        chosen = torch.softmax(ops.dot_scores(query[:, None], memory.hidden), dim=2)
        found = ops.read(memory.hidden, chosen)[:, 0]
        features = self._activated(query + functional.linear(found, self.from_found))
        return features, Lookup(weights=memory.gates, shares=chosen[:, 0])

    def respond(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch output"]:
        r"""Response: return $R \, \phi(q + H u)$."""
        return functional.linear(features, self.to_answer)

    def _activated(self, x: Float[Tensor, "*batch embedding"]) -> Float[Tensor, "*batch embedding"]:
        r"""Return $\phi(x)$, by operations whose gradients are several times as fast as that of torch's PReLU."""
        above = functional.relu(x)
        return torch.addcmul(above, x - above, self.slopes)

    def _fitting(self, words: Tensor, name: str) -> Tensor:
        """Return the words without columns of absent words beyond the last mask."""
        most = len(self.sentence_masks)
        if not torch.compiler.is_compiling() and bool((words[..., most:] != NIL).any()):
            longest = int((words != NIL).sum(-1).max())
            raise ValueError(
                f"the {name} of the stories have up to {longest} words, but {type(self).__name__} has masks for {most}; "
                "build it with a larger sentence_size, or shorten them"
            )
        return words[..., :most]


CARD = ModelCard(
    name="entnet",
    summary="Recurrent entity network: slots that each follow an entity through a story, written by gates.",
    paper=("henaff2017",),
    inputs=("stories",),
    small={"embedding_size": 4, "slots": 3, "memory_size": 6},
)
