"""Story: sentences of words, and questions with their answers between them."""

from dataclasses import dataclass

Sentence = tuple[str, ...]
"""Words as they are written, without the punctuation at their ends."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about the sentences before it, and its answer.

    Attributes:
        words: the words of the question.
        answer: the answer; a compound answer, such as "apple,milk", is one string.
        supports: indices of the sentences from which the answer follows, in the order in which they were given; empty
            where they are unknown.
        position: number of sentences of the story before the question.
    """

    words: Sentence
    answer: str
    supports: tuple[int, ...] = ()
    position: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """Sentences in order, and the questions between and after them.

    Attributes:
        sentences: the words of each sentence, without those of questions.
        questions: the questions, by increasing position.
    """

    sentences: tuple[Sentence, ...]
    questions: tuple[Question, ...]
