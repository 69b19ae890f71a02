"""Memory network: input, generalisation, output and response, the four parts of every network that answers about stories."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.inputs.stories import Stories, checked, present_in, recent
from memtape.core.lookup import Lookup
from memtape.sharing.shareable import Shareable

Q = TypeVar("Q")
M = TypeVar("M")
N = TypeVar("N", bound="MemoryNetwork[Any, Any]")


class MemoryNetwork(Shareable, ABC, Generic[Q, M]):
    """Abstract network that answers a question about a story from a memory of its sentences.

    A subclass defines the four parts: input (words to vectors), generalisation (vectors to a memory), output (question and
    memory to features, by looking into the memory in several hops), and response (features to an answer). `Q` is the type
    of a question that has been read, mostly a vector, and `M` that of a memory.

    Attributes:
        input_kind: name of the kind of input.
        input_size: number of symbols, `NIL` included.
        output_size: number of answers.
        memory_size: the number of the last sentences of a story that the memory holds; older ones are forgotten.
        looks: what one look of its `Lookup` is, a "hop" or a "slot".

    References:
        Weston, Chopra & Bordes (2015), "Memory networks", arXiv:1410.3916, section 2.
    """

    input_kind: ClassVar[str] = "stories"
    looks: ClassVar[str] = "hop"

    def __init__(self, input_size: int, output_size: int, *, memory_size: int):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size, memory_size=memory_size)
        self.input_size, self.output_size, self.memory_size = input_size, output_size, memory_size

    @abstractmethod
    def read_question(self, question: Tensor) -> Q:
        """Input: return what the network keeps of the question, shape (batch, words)."""

    @abstractmethod
    def remember(self, sentences: Tensor, present: Tensor) -> M:
        """Input and generalisation: return the memory of the sentences, shape (batch, sentences, words)."""

    @abstractmethod
    def look_up(self, query: Q, memory: M) -> tuple[Float[Tensor, "batch features"], Lookup]:
        """Output: return the features of the answer, and where the network looked in the sentences of the memory."""

    @abstractmethod
    def respond(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch output"]:
        """Response: return the logits of the answers."""

    def forward(
        self, stories: Stories, state: None = None, *, lengths: Any = None
    ) -> tuple[Float[Tensor, "batch answer output"], Lookup]:
        """Answer the questions of a batch of stories.

        Args:
            stories: stories of symbols below `input_size`.
            state: None, because a story has no initial state.
            lengths: the number of answers of each row, 1 or, for a row of padding, 0; None for 1.

        Returns:
            The logits of the answers, shape (batch, 1, output), zero in rows of length 0, and where the network looked.

        Raises:
            TypeError: the inputs are not `Stories`, or the lengths are not integers.
            ValueError: a state is given, a symbol is unknown, or the stories are malformed.
        """
        stories, kept = self._checked(stories, state)
        memory = self.remember(kept.sentences, present_in(kept.sentences))
        features, looked = self.look_up(self.read_question(stories.question), memory)
        return self._answered(features, looked, stories, lengths)

    def with_symbols(self: N, symbols: int) -> N:
        """Return a network with the same weights and more symbols, which are answers too; this one does not change.

        The rows of the known symbols are kept, those of new symbols are drawn as in a new network. An `EntNet` with
        `entities="all"` gets a slot for each new symbol as well.

        Args:
            symbols: number of symbols, `NIL` included.

        Raises:
            TypeError: the number is not an integer.
            ValueError: the number is below that of now, or the answers are not the symbols.
        """
        name = type(self).__name__
        checks.at_least(1, symbols=symbols)
        if self.output_size != self.input_size:
            raise ValueError(
                f"{name} has {self.output_size} answers and {self.input_size} symbols, but with_symbols needs answers that "
                "are the symbols; build it with output_size equal to input_size"
            )
        if symbols < self.input_size:
            raise ValueError(
                f"symbols is {symbols}, but {name} keeps its {self.input_size} symbols; give at least {self.input_size}"
            )
        network = type(self)(**(self.configuration | {"input_size": symbols, "output_size": symbols}))
        network.to(next(self.parameters()))
        known = self.state_dict()
        for tensor_name, tensor in network.state_dict().items():
            tensor[tuple(map(slice, known[tensor_name].shape))] = known[tensor_name]
        for new, old in zip(network.parameters(), self.parameters(), strict=True):
            new.requires_grad_(old.requires_grad)
        return network.train(self.training)

    def _checked(self, stories: Stories, state: None) -> tuple[Stories, Stories]:
        """Check the arguments, and return the stories and what the memory holds of them."""
        name = type(self).__name__
        stories = checked(stories, self.input_size, name)
        if state is not None:
            raise ValueError(f"a state was given, but {name} has no initial state; pass None")
        return stories, recent(stories, self.memory_size)

    def _answered(self, features: Tensor, looked: Lookup, stories: Stories, lengths: Any) -> tuple[Tensor, Lookup]:
        """Return the answers, and where the network looked in the whole stories."""
        answers = self.respond(features)[:, None, :]
        if lengths is not None:
            counts = checks.lengths_of(answers, lengths)
            answers = torch.where((counts > 0)[:, None, None], answers, 0)
        return answers, replace(looked, weights=_in_place(looked.weights, stories.sentences))


def _in_place(weights: Float[Tensor, "batch looks kept"], sentences: Tensor) -> Float[Tensor, "batch looks sentences"]:
    """Return the weights of the last sentences at the places of these in the story."""
    if weights.shape[2] == sentences.shape[1]:
        return weights
    lengths = present_in(sentences).sum(1)
    kept, places = weights.shape[2], torch.arange(sentences.shape[1], device=weights.device)
    if not kept:
        return weights.new_zeros(*weights.shape[:2], len(places))
    among = places - (lengths - kept).clamp(min=0)[:, None]
    inside = (among >= 0) & (places < lengths[:, None])
    found = weights.gather(2, among.clamp(0, kept - 1)[:, None, :].expand(-1, weights.shape[1], -1))
    return torch.where(inside[:, None, :], found, 0)
