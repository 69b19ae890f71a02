"""Cloze: questions about documents that were written for no task, made of their sentences."""

from collections.abc import Iterator, Set
from random import Random

from memtape.tasks.stories.documents.document import BLANK, Collection, Document, DocumentQuestion

LEAST = 4
"""The smallest number of words of a sentence for a question."""


def with_cloze_questions(documents: tuple[Document, ...], rare: Set[str], random: Random) -> Collection:
    """Return documents with questions that are made of their sentences.

    Each sentence of several words, at least two of which are rare, gives two questions. The first one is the sentence with
    one of its rare words left out, which is the answer. The second one is the sentence, which is left out of the memory;
    the answer is the title of its document.

    Args:
        documents: the documents.
        rare: words that are in few documents.
        random: source of the words that are left out.
    """
    return Collection(documents, tuple(_questions(documents, rare, random)))


def _questions(documents: tuple[Document, ...], rare: Set[str], random: Random) -> Iterator[DocumentQuestion]:
    for number, document in enumerate(documents):
        for line, words in enumerate(document.sentences):
            once = [word for word in words if word in rare and words.count(word) == 1 and word != document.title]
            if len(words) < LEAST or len(once) < 2:
                continue
            answer = random.choice(once)
            asked = tuple(BLANK if word == answer else word for word in words)
            yield DocumentQuestion(asked, answer, "words", (number, line))
            if len(document.sentences) > 1:
                yield DocumentQuestion(words, document.title, "titles", (number, line), hidden=True)
