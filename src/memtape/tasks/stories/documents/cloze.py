"""Cloze: questions about documents that were written for no task, made of their sentences."""

from collections.abc import Iterator, Set
from random import Random

from memtape.tasks.stories.documents.document import BLANK, Collection, Document, DocumentQuestion
from memtape.tasks.stories.story import Sentence

LEAST = 4
"""The smallest number of words of a sentence for a question."""

AROUND = 4
"""The number of words on each side of a word that was left out.

With five or more, a key of five words further along the sentence shares as many words with the question as the right one.
"""


def with_cloze_questions(documents: tuple[Document, ...], rare: Set[str], random: Random) -> Collection:
    """Return documents with questions that are made of their sentences.

    Each sentence of several words, at least two of which are rare, gives up to two questions. The first one is the words
    around a rare word, which is left out and is the answer; another rare word is among them. The second one is the whole
    sentence, which is left out of the memory; the answer is the title of its document.

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
            answers = [word for word in once if any(other in rare for other in _around(words, word) if other != BLANK)]
            if answers:
                answer = random.choice(answers)
                yield DocumentQuestion(_around(words, answer), answer, "words", (number, line))
            if len(document.sentences) > 1:
                yield DocumentQuestion(words, document.title, "titles", (number, line), hidden=True)


def _around(words: Sentence, left_out: str) -> Sentence:
    """Return the words around one that is in a sentence once, with a blank in its place."""
    at = words.index(left_out)
    return (*words[max(0, at - AROUND) : at], BLANK, *words[at + 1 : at + 1 + AROUND])
