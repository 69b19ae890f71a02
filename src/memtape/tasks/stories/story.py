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

    def __post_init__(self) -> None:
        """Check the order of the questions.

        Raises:
            ValueError: a question is before an earlier one or behind the end, or a support is not before its question.
        """
        before = 0
        for number, question in enumerate(self.questions):
            if not before <= question.position <= len(self.sentences):
                raise ValueError(
                    f"question {number + 1} has position {question.position}, but the story has {len(self.sentences)} "
                    f"sentences and the question before it has position {before}; order the questions by position"
                )
            before = question.position
            for support in question.supports:
                if not 0 <= support < question.position:
                    raise ValueError(
                        f"question {number + 1} has the support {support}, but {question.position} sentences before "
                        "it; give indices of these"
                    )
