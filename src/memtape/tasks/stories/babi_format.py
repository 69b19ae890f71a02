"""bAbI format: stories as text, with a numbered line for each sentence and each question.

A story is a group of lines whose numbers start at 1 and rise by one. A line is a number and a sentence, or a number, a
question, a tab, its answer, and, after a second tab, the numbers of the sentences that support it:

    1 Mary moved to the bathroom.
    2 John went to the hallway.
    3 Where is Mary?<TAB>bathroom<TAB>1
"""

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from memtape.core.given_path import given_path, read_given
from memtape.core.text_file import decoded, lines_of
from memtape.tasks.data_folder import LARGEST, DataError
from memtape.tasks.stories.story import Question, Sentence, Story

PUNCTUATION = ".?!,;:"
SHOWN = 40
"""Most characters of a line that an error shows."""


def read_stories(path: str | Path) -> tuple[Story, ...]:
    """Read the stories of a file.

    Args:
        path: the file; `~` is the home folder.

    Raises:
        DataError: the file cannot be read, is too large, is not UTF-8, or has a malformed line.
    """
    return stories_in(read_story_text(path), str(given_path(path)))


def read_story_text(path: str | Path) -> str:
    """Read the text of a file of stories.

    Args:
        path: the file; `~` is the home folder.

    Raises:
        DataError: the file cannot be read, is too large, or is not UTF-8.
    """
    file = given_path(path)
    try:
        content = read_given(file, most=LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{file} cannot be read ({reason}); give the path of a file of stories") from None
    if len(content) > LARGEST:
        raise DataError(f"{file} has more than {LARGEST} bytes; split it into smaller files of stories")
    try:
        return decoded(content)
    except ValueError as error:
        raise DataError(f"{file} {error}; save it in this encoding") from None


def stories_in(text: str, name: str) -> tuple[Story, ...]:
    """Parse the text of a file.

    Args:
        text: stories in the bAbI format, as `decoded` returns them.
        name: the name of the file, for errors.

    Raises:
        DataError: there is no story, or a line is malformed.
    """
    drafts: list[_Draft] = []
    lines = lines_of(text)
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise DataError(f"{name} has no story; write its sentences on lines that start with 1, 2, 3, ...")
    for number, line in enumerate(lines):
        try:
            mark, rest = _numbered(line)
            if mark == "1":
                drafts.append(_Draft())
            if not drafts:
                raise ValueError(f"has number {_shown(mark)}, but a story starts with 1; number its lines 1, 2, 3, ...")
            drafts[-1].add(mark, rest)
        except ValueError as error:
            raise DataError(f"{name}, line {number + 1} {error}") from None
    return tuple(Story(tuple(draft.sentences), tuple(draft.questions)) for draft in drafts)


def text_of(stories: Iterable[Story]) -> str:
    """Return stories as text, which `stories_in` reads back.

    Raises:
        ValueError: the format cannot express the stories.
    """
    stories = tuple(stories)
    text = "".join(f"{number + 1} {line}\n" for story in stories for number, line in enumerate(_lines(story)))
    try:
        is_same = stories_in(text, "the text") == stories
    except DataError as error:
        raise ValueError(f"the stories cannot be written, as {error}") from None
    if not is_same:
        raise ValueError(
            "the stories cannot be written, as they would be read back differently; "
            "give words without spaces and without punctuation at their ends"
        )
    return text


def words_of(text: str) -> Sentence:
    """Return the words of a text, without the punctuation at their ends."""
    stripped = (word.strip(PUNCTUATION) for word in text.split())
    return tuple(word for word in stripped if word)


class _Draft:
    """The part of a story that has been read."""

    def __init__(self) -> None:
        self.sentences: list[Sentence] = []
        self.questions: list[Question] = []
        self.index_of: dict[str, int | None] = {}
        """The index of the sentence of each line, by the number of the line; None for a question."""

    def add(self, mark: str, rest: str) -> None:
        """Add a line with the number `mark`."""
        lines = len(self.index_of)
        if mark != str(lines + 1):
            raise ValueError(
                f"has number {_shown(mark)} after {lines}, but numbers rise by one; write {lines + 1}, "
                "or 1 to start a new story"
            )
        text, *fields = rest.split("\t")
        words = words_of(text)
        if not words:
            raise ValueError("has no words after its number; write a sentence, or remove the line")
        if fields:
            self.questions.append(self._question(words, *fields))
            self.index_of[mark] = None
        elif text.rstrip().endswith("?"):
            raise ValueError("is a question without an answer; write a tab and the answer after it")
        else:
            self.index_of[mark] = len(self.sentences)
            self.sentences.append(words)

    def _question(self, words: Sentence, answer: str, supports: str = "", *surplus: str) -> Question:
        if surplus:
            raise ValueError(f"has {2 + len(surplus)} tabs, but a question has one or two; remove the last ones")
        if not answer.strip():
            raise ValueError("has an empty answer; write the answer after the first tab")
        marks = supports.split()
        for mark in marks:
            if mark not in self.index_of:
                raise ValueError(
                    f"names the support {_shown(mark)}, but it has only the lines before it; "
                    "write the number of an earlier sentence of the story"
                )
            if self.index_of[mark] is None:
                raise ValueError(f"names the support {mark}, which is a question; write the number of a sentence")
            if marks.count(mark) > 1:
                raise ValueError(f"names the support {mark} twice; write it once")
        indices = tuple(index for mark in marks if (index := self.index_of[mark]) is not None)
        return Question(words, " ".join(answer.split()), indices, len(self.sentences))


def _numbered(line: str) -> tuple[str, str]:
    """Split a line into its number and the rest."""
    if not line.strip():
        raise ValueError("is empty; remove it, as only the end of a file may have empty lines")
    control = next((char for char in line if unicodedata.category(char) == "Cc" and char != "\t"), None)
    if control is not None:
        raise ValueError(f"has the control character U+{ord(control):04X}; remove it")
    mark, _, rest = line.partition(" ")
    if not (mark.isascii() and mark.isdigit()):
        raise ValueError(f"starts with {_shown(mark)}, but a line starts with its number and a space; add them")
    return mark, rest


def _shown(text: str) -> str:
    """Return a text as an error shows it."""
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")


def _lines(story: Story) -> Iterator[str]:
    """Yield the lines of a story without their numbers."""
    questions = list(story.questions)
    number_of: list[int] = []
    count = 0
    for index in range(len(story.sentences) + 1):
        while questions and questions[0].position == index:
            question = questions.pop(0)
            supports = " ".join(str(number_of[support]) for support in question.supports)
            yield "\t".join([f"{' '.join(question.words)}?", question.answer, *filter(None, [supports])])
            count += 1
        if index < len(story.sentences):
            count += 1
            number_of.append(count)
            yield f"{' '.join(story.sentences[index])}."
