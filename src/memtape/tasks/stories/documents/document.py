"""Document: a title and sentences; and a question that a word of one of them, or its title, answers."""

from dataclasses import dataclass
from typing import Literal

from memtape.tasks.stories.story import Sentence

BLANK = "_"
"""The word in a question in place of a word that was left out."""

Kind = Literal["words", "titles"]
"""What answers questions: words of documents, or titles of documents."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text with a title.

    Attributes:
        title: one word.
        sentences: the words of each sentence, in lower case and without the title.
    """

    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class DocumentQuestion:
    """A question about documents.

    Attributes:
        words: the words of the question.
        answer: the answer, one word.
        kind: what the answer is.
        place: the numbers of the document and of its sentence that the question is about.
        hidden: whether this sentence is left out of the memory, so that the question is answered from other sentences.
    """

    words: Sentence
    answer: str
    kind: Kind
    place: tuple[int, int]
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents, and questions about them."""

    documents: tuple[Document, ...]
    questions: tuple[DocumentQuestion, ...]
