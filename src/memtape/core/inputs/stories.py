"""Stories: sentences of words, and a question about them."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.core import padding
from memtape.core.inputs.input_kind import InputKind
from memtape.core.inputs.registry import register
from memtape.core.state import state

NIL = 0
"""The symbol of an absent word; a sentence of absent words is absent."""

NONE = -1
"""Marks an absent supporting sentence."""


@state
class Stories:
    """A batch of stories, one in each row, with one question each.

    The words of a sentence come first and `NIL` fills the rest; the sentences of a story come first, oldest first, and
    sentences of `NIL` fill the rest.

    Example:
        >>> import torch
        >>> from memtape.core.inputs.stories import Stories
        >>> stories = Stories(  # mary went home. john slept. where is mary?
        ...     sentences=torch.tensor([[[1, 2, 3], [4, 5, 0]]]),
        ...     question=torch.tensor([[6, 7, 1]]),
        ...     supports=torch.tensor([[0]]),
        ... )
    """

    sentences: Int[Tensor, "batch sentences words"]
    """The words of each sentence, as symbols of at least 1."""
    question: Int[Tensor, "batch question_words"]
    """The words of the question."""
    supports: Int[Tensor, "batch supports"]
    """The sentences that the answer follows from, as indices in the order in which they are found, -1 for none."""


class StoriesKind(InputKind[Stories]):
    """`Stories`, whose time axis has one step, the answer."""

    name: ClassVar[str] = "stories"
    record: ClassVar[type] = Stories
    article: ClassVar[str] = "memtape.Stories"
    time_axis: ClassVar[str] = "answer"

    def length(self, inputs: Stories) -> int:
        """Return 1, since a question has one answer."""
        return 1

    def join(self, parts: Sequence[Stories]) -> Stories:
        """Concatenate the rows, padded with absent words, sentences and supports."""
        return Stories(
            sentences=padding.joined([part.sentences for part in parts], NIL),
            question=padding.joined([part.question for part in parts], NIL),
            supports=padding.joined([part.supports for part in parts], NONE),
        )


STORIES = register(StoriesKind())


def checked(stories: Any, symbols: int, reader: str) -> Stories:
    """Check the inputs of a network that reads stories, and return them.

    Args:
        stories: the stories.
        symbols: the number of symbols that the network knows, `NIL` included.
        reader: name of the network.

    Raises:
        TypeError: the inputs are not `Stories`, or a tensor has no integers.
        ValueError: the shapes do not match, a symbol is unknown, a word follows an absent word, a sentence follows an
            absent sentence, or a support is no sentence of its story.
    """
    stories = STORIES.require(stories, reader)
    sentences, question, supports = stories.sentences, stories.question, stories.supports
    for name, table in (("sentences", sentences), ("question", question), ("supports", supports)):
        if table.is_floating_point() or table.is_complex() or table.dtype == torch.bool:
            raise TypeError(f"{name} of the stories are {table.dtype}, but they must be integers; pass integers")
    if (
        sentences.ndim != 3
        or {question.ndim, supports.ndim} != {2}
        or len({len(sentences), len(question), len(supports)}) > 1
    ):
        raise ValueError(
            f"the stories have sentences of shape {tuple(sentences.shape)}, a question of {tuple(question.shape)} and "
            f"supports of {tuple(supports.shape)}, but these must be (batch, sentences, words), (batch, words) and "
            "(batch, supports); give every story one question"
        )
    if torch.compiler.is_compiling():
        return stories
    for name, table in (("sentences", sentences), ("question", question)):
        if table.numel() and not 0 <= int(table.min()) <= int(table.max()) < symbols:
            wrong = next(word for word in table.flatten().tolist() if not 0 <= word < symbols)
            raise ValueError(
                f"the {name} of the stories have the word {wrong}, but {reader} reads the symbols 1..{symbols - 1} and "
                f"{NIL} for no word; number the words below its input_size"
            )
        if bool(((table[..., 1:] != NIL) & (table[..., :-1] == NIL)).any()):
            raise ValueError(
                f"the {name} of the stories have a word after an absent word; put the words first and {NIL} after them"
            )
    present = present_in(sentences)
    if bool((present[:, 1:] & ~present[:, :-1]).any()):
        raise ValueError(
            "the stories have a sentence after an absent sentence; put the sentences first and absent ones after them"
        )
    if bool(((supports < NONE) | (supports >= present.sum(1, keepdim=True))).any()):
        raise ValueError(
            f"the stories have a support that is none of their sentences; give indices of sentences, or {NONE} for none"
        )
    return stories


def present_in(sentences: Int[Tensor, "batch sentences words"]) -> Tensor:
    """Return which sentences have a word, shape (batch, sentences)."""
    return (
        (sentences != NIL).any(2) if sentences.shape[2] else sentences.new_zeros(sentences.shape[:2], dtype=torch.bool)
    )


def recent(stories: Stories, count: int) -> Stories:
    """Return the stories with at most their `count` last sentences each; supports before these become absent.

    Args:
        stories: the stories.
        count: the largest number of sentences to keep.
    """
    lengths = present_in(stories.sentences).sum(1)
    skipped = (lengths - count).clamp(min=0)
    kept = min(count, int(lengths.max())) if len(lengths) else 0
    if kept == stories.sentences.shape[1]:
        return stories
    places = skipped[:, None] + torch.arange(kept, device=skipped.device)
    inside = places < lengths[:, None]
    places = torch.where(inside, places, 0)[:, :, None].expand(-1, -1, stories.sentences.shape[2])
    found = stories.sentences.gather(1, places)
    supports = stories.supports - skipped[:, None]
    return Stories(
        sentences=torch.where(inside[:, :, None], found, NIL),
        question=stories.question,
        supports=torch.where((stories.supports == NONE) | (supports < 0), NONE, supports),
    )
