"""Memory network with strong supervision: it chooses one sentence in each hop, and learns which from supporting sentences."""

from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.inputs.stories import NONE, Stories, present_in
from memtape.core.lookup import Lookup, lookup_in_hops
from memtape.core.state import state
from memtape.models.memory_network.memory_network import MemoryNetwork
from memtape.models.memory_network.preference import Preference, preference, preference_loss, winner
from memtape.ops.sentence import ENCODINGS, NIL, multilinear
from memtape.sharing.shareable import constructor_arguments


@state
class FactQuestion:
    """A question, as seen when facts are looked for, and when the answer is."""

    to_facts: Float[Tensor, "batch embedding"]
    to_answer: Float[Tensor, "batch embedding"]


@state
class Facts:
    """The sentences of stories, after which comes one more without words, the fact that stops the search."""

    words: Int[Tensor, "batch facts words"]
    vectors: Float[Tensor, "batch facts embedding"]
    present: Bool[Tensor, "batch facts"]


class MemNN(MemoryNetwork[FactQuestion, Facts]):
    r"""Answer questions about stories with a memory network that learns from supporting sentences.

    Hop $h$ prefers sentence $y$ to $y'$, given the question and the sentences found before, together $x$, if

    $$s_O(x, y, y') = \Phi_x(x)^\top U_O^\top U_O \bigl(\Phi_y(y) - \Phi_y(y') + \Phi_t(x, y, y')\bigr) > 0$$

    The features $\Phi$ of words have a block for words of the question, one for words of sentences found before, and one
    for words of the sentence that is scored. $\Phi_t$ are three bits: is $x$ older than $y$, is $x$ older than $y'$, is $y$
    older than $y'$? The age of $x$ is that of the last sentence found, or of the question. A hop goes through
    the sentences from the newest to the oldest and keeps the winner. The answer $r$ has the logit
    $s_R(x, r) = \Phi_x(x)^\top U_R^\top U_R \Phi_y(r)$. With the option `nonlinear`, $\tanh(U \Phi_x(x))$ takes the place of
    $U \Phi_x(x)$ in both, so that answers can depend on whether question and sentence agree, as those of yes-no questions.

    A fact without words, which is compared last and has no age, can stop the search before the last hop. Bits that need
    its age are 0. Of its comparison with $y$ one bit remains: is $x$ older than $y$?

    With targets, the loss of a question with supports $f_1, f_2, \dots$ and answer $r$ is the sum of

    $$\sum_{f \neq f_h} \max(0, \gamma - s_O(x_h, f_h, f)) + \max(0, \gamma + s_O(x_h, f, f_h)), \qquad
    \sum_{r' \neq r} \max(0, \gamma - s_R(x, r) + s_R(x, r'))$$

    over the hops, where $x_h$ has the supports before $f_h$, and $x$ all of them: each hop is scored alone. After the
    last support comes the fact that stops. A support that the memory does not hold adds no loss, nor do the hops of a
    question without supports.

    Args:
        input_size: number of symbols, that of an absent word included.
        output_size: number of answers.
        embedding_size: number of rows of $U_O$ and $U_R$.
        hops: the largest number of sentences to find.
        memory_size: the number of the last sentences that the memory holds.
        encoding: the weights of words in the features, by "position" or, as a "bag" of words, all 1; or "multilinear":
            $U$ is followed by a matrix for each part of a sentence.
        parts: the number of parts of a sentence with "multilinear".
        temporal: whether there are the features $\Phi_t$; without them, the two terms of a hop in the loss are equal, and
            there is only the first.
        stop: whether there is a fact that stops the search.
        ordered: whether the words of sentences found also have a block for each hop, whose weights are at first 0; without
            these, $x$ does not show which sentence was found first.
        nonlinear: whether $U \Phi_x(x)$ passes through tanh.
        margin: $\gamma$.
        spread: standard deviation of the initial weights.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or an option is unknown or outside its range.

    References:
        Weston, Chopra & Bordes (2015), "Memory networks", arXiv:1410.3916; the fact that stops: Weston et al. (2016),
        arXiv:1502.05698.
    """

    own_loss: ClassVar[bool] = True

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        embedding_size: int = 50,
        hops: int = 2,
        memory_size: int = 50,
        encoding: Literal["position", "bag", "multilinear"] = "position",
        parts: int = 5,
        temporal: bool = True,
        stop: bool = True,
        ordered: bool = False,
        nonlinear: bool = False,
        margin: float = 0.1,
        spread: float = 0.1,
    ):
        configuration = constructor_arguments(locals())
        super().__init__(input_size, output_size, memory_size=memory_size)
        checks.module_sizes(self, embedding_size=embedding_size, hops=hops, parts=parts)
        checks.one_of((*ENCODINGS, "multilinear"), encoding=encoding)
        checks.positive(margin=margin, spread=spread)
        self.hops, self.encoding, self.margin = hops, encoding, margin
        self.stop, self.ordered, self.nonlinear = stop, ordered, nonlinear

        def block(*rows: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(*rows, embedding_size) * spread)

        # The blocks of U_O and U_R, transposed.
        def of_each(count: int) -> nn.Parameter | None:
            return nn.Parameter(torch.zeros(count, input_size, embedding_size)) if ordered and count else None

        self.asked_to_facts, self.asked_to_answer = block(input_size), block(input_size)
        self.found_to_facts, self.found_to_answer = block(input_size) if hops > 1 else None, block(input_size)
        self.hop_to_facts, self.hop_to_answer = of_each(hops - 1), of_each(hops)
        self.facts, self.answers = block(input_size), block(output_size)

        def maps() -> nn.Parameter:
            return nn.Parameter(torch.eye(embedding_size) + block(parts, embedding_size).detach())

        mapped = encoding == "multilinear"
        self.maps_to_facts, self.maps_to_answer = maps() if mapped else None, maps() if mapped else None
        self.times = block(3) if temporal else None
        self.stopping = block() if stop else None
        self.configuration: dict[str, Any] = configuration

    def read_question(self, question: Tensor) -> FactQuestion:
        """Input: return the question as seen by $U_O$ and by $U_R$."""
        return FactQuestion(
            to_facts=self._encoded(question, self.asked_to_facts, self.maps_to_facts),
            to_answer=self._encoded(question, self.asked_to_answer, self.maps_to_answer),
        )

    def remember(self, sentences: Tensor, present: Tensor) -> Facts:
        r"""Input and generalisation: return the words of the sentences, and $U_O \Phi_y$ of each."""
        vectors = self._encoded(sentences, self.facts, self.maps_to_facts)
        last = vectors.new_zeros(vectors.shape[2]) if self.stopping is None else self.stopping
        return Facts(
            words=functional.pad(sentences, (0, 0, 0, 1), value=NIL),
            vectors=torch.cat([vectors, last.expand(len(vectors), 1, -1)], dim=1),
            present=functional.pad(present, (0, 1), value=self.stop),
        )

    def look_up(self, query: FactQuestion, memory: Facts) -> tuple[Float[Tensor, "batch features"], Lookup]:
        r"""Output: return $U_R \Phi_x(x)$, and 1 for the sentence that each hop found, else 0."""
        none = _none(memory)
        asked, last, found = query.to_facts, none, []
        for hop in range(self.hops):
            fact = winner(self._compared(asked, last, memory))
            last = torch.where(last == none, none, fact) if hop else fact
            found.append(last)
            if hop < self.hops - 1:
                asked = asked + self._joined_to_facts(memory, last[:, None], hop)[:, 0]
        return self._features(query, memory, torch.stack(found, dim=1))

    def respond(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch output"]:
        """Response: return all $s_R$."""
        return functional.linear(features, self.answers)

    def forward(  # type: ignore[override]
        self,
        stories: Stories,
        state: None = None,
        *,
        lengths: Any = None,
        targets: Int[Tensor, "batch answer"] | None = None,
    ) -> (
        tuple[Float[Tensor, "batch answer output"], Lookup]
        | tuple[Float[Tensor, "batch answer output"], Lookup, Float[Tensor, "batch answer"]]
    ):
        """Answer the questions of a batch of stories.

        Args:
            stories: stories of symbols below `input_size`.
            state: None, because a story has no initial state.
            lengths: the number of answers of each row, 1 or, for a row of padding, 0; None for 1.
            targets: the answers, which training passes: the supports then take the place of the sentences that the hops
                find, and the loss is returned; None for an answer without help.

        Returns:
            The logits of the answers, zero in rows of length 0, where the network looked and, with targets, the loss of each
            answer.

        Raises:
            TypeError: the inputs are not `Stories`, or the lengths are not integers.
            ValueError: a state is given, a symbol is unknown, or the stories are malformed.
        """
        if targets is None:
            return super().forward(stories, state, lengths=lengths)
        stories, kept = self._checked(stories, state)
        memory, query = self.remember(kept.sentences, present_in(kept.sentences)), self.read_question(stories.question)
        labels, known = self._labels(stories, kept)
        loss = query.to_facts.new_zeros(len(targets))
        for hop, compared in enumerate(self._taught(query, memory, labels)):
            missed = preference_loss(compared, labels[:, hop], self.margin, both=self.times is not None)
            loss = loss + torch.where(known[:, hop], missed, 0)
        answers, lookup = self._answered(*self._features(query, memory, labels), stories, lengths)
        return answers, lookup, (loss + self._answer_loss(answers[:, 0], targets[:, 0]))[:, None]

    def hops_right(self, stories: Stories) -> tuple[Bool[Tensor, "batch hops"], Bool[Tensor, "batch hops"]]:
        """Score each hop alone: return which hops find their support, given the supports before it.

        Args:
            stories: stories with supports.

        Returns:
            Which hops are right, and which have a label: a support that the memory holds or, after the last support, the
            fact that stops. Hops that can have no label in any of the stories are left out.

        Raises:
            TypeError: the inputs are not `Stories`.
            ValueError: a symbol is unknown, or the stories are malformed.
        """
        stories, kept = self._checked(stories, None)
        memory = self.remember(kept.sentences, present_in(kept.sentences))
        labels, known = self._labels(stories, kept)
        taught = self._taught(self.read_question(stories.question), memory, labels)
        chosen = torch.stack([winner(compared) for compared in taught], dim=1)
        return (chosen == labels) & known, known

    def _encoded(self, words: Tensor, table: Tensor, maps: Tensor | None) -> Tensor:
        return ENCODINGS[self.encoding](words, table) if maps is None else multilinear(words, table, maps)

    def _seen(self, features: Tensor) -> Tensor:
        return features.tanh() if self.nonlinear else features

    def _compared(self, asked: Tensor, last: Tensor, memory: Facts) -> Preference:
        return preference(self._seen(asked), memory.vectors, self.times, last=last, present=memory.present)

    def _answer_loss(self, logits: Tensor, targets: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        behind = self.margin - logits.gather(1, targets[:, None]) + logits
        return behind.relu().scatter(1, targets[:, None], 0).sum(1)

    def _labels(self, stories: Stories, kept: Stories) -> tuple[Int[Tensor, "batch hops"], Bool[Tensor, "batch hops"]]:
        """Return the fact that each hop should find, where it is known; elsewhere the fact that stops."""
        count = (stories.supports != NONE).sum(1, keepdim=True)
        # Later hops have no label; two are scored in any case, so that training always reaches all parameters.
        hops = min(self.hops, max(2, stories.supports.shape[1] + 1))
        supports = functional.pad(kept.supports[:, :hops], (0, max(0, hops - kept.supports.shape[1])), value=NONE)
        end = (torch.arange(hops, device=count.device) == count) & (count > 0) & self.stop
        return torch.where(supports == NONE, kept.sentences.shape[1], supports), (supports != NONE) | end

    def _taught(self, query: FactQuestion, memory: Facts, labels: Int[Tensor, "batch hops"]) -> list[Preference]:
        """Return how each hop compares facts after the labelled ones before it."""
        before = torch.cat([_none(memory)[:, None], labels[:, :-1]], dim=1)
        joined = self._joined_to_facts(memory, before[:, 1:]).cumsum(1)
        asked = query.to_facts[:, None] + functional.pad(joined, (0, 0, 1, 0))
        return [self._compared(x, last, memory) for x, last in zip(asked.unbind(1), before.unbind(1), strict=True)]

    def _joined_to_facts(self, memory: Facts, found: Int[Tensor, "batch hops"], first: int = 0) -> Tensor:
        r"""Return what the facts found in some hops, from the hop `first`, add to $U_O \Phi_x(x)$."""
        if self.found_to_facts is None:
            return memory.vectors.new_zeros(*found.shape, memory.vectors.shape[2])
        blocks = None if self.hop_to_facts is None else self.hop_to_facts[first : first + found.shape[1]]
        return self._joined(memory, found, self.found_to_facts, blocks, self.maps_to_facts)

    def _joined(
        self,
        memory: Facts,
        found: Int[Tensor, "batch hops"],
        block: Tensor,
        blocks: Tensor | None,
        maps: Tensor | None,
    ) -> Float[Tensor, "batch hops embedding"]:
        words = memory.words[torch.arange(len(found), device=found.device)[:, None], found]
        if blocks is None:
            return self._encoded(words, block, maps)
        hops = torch.arange(found.shape[1], device=found.device)[:, None]
        words = torch.where(words == NIL, NIL, words + hops * self.input_size)
        return self._encoded(words, (block + blocks).flatten(0, 1), maps)

    def _features(self, query: FactQuestion, memory: Facts, found: Int[Tensor, "batch hops"]) -> tuple[Tensor, Lookup]:
        blocks = None if self.hop_to_answer is None else self.hop_to_answer[: found.shape[1]]
        joined = self._joined(memory, found, self.found_to_answer, blocks, self.maps_to_answer)
        weights = functional.one_hot(found, memory.words.shape[1]).to(joined.dtype)
        return self._seen(query.to_answer + joined.sum(1)), lookup_in_hops(weights[:, :, :-1].unbind(1))


def _none(memory: Facts) -> Int[Tensor, " batch"]:
    """Return the index of the fact without words, which also means no fact, in each row."""
    return memory.words.new_full((len(memory.words),), memory.words.shape[1] - 1)


CARD = ModelCard(
    name="memnn",
    summary="Memory network that chooses one sentence in each hop, and learns which from supporting sentences.",
    paper=("weston2015", "weston2016"),
    inputs=("stories",),
    small={"embedding_size": 4, "hops": 2, "memory_size": 6},
)
