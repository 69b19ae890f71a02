"""The bAbI format: stories are read and written by the letter, and malformed lines are named."""

import os

import pytest

from memtape.tasks.data_folder import DataError
from memtape.tasks.stories.babi_format import read_stories, stories_in, text_of
from memtape.tasks.stories.story import Question, Story

TEXT = (
    "1 Mary went to the garden.\n"
    "2 Mary took the milk there.\n"
    "3 Where is the milk? \tgarden\t2 1\n"
    "4 Mary took the apple.\n"
    "5 What is Mary carrying?\tmilk,apple\t4 2\n"
    "1 Is it a story ?\tyes\n"
    "2 Yes, it is!\n"
)

STORIES = (
    Story(
        (
            ("Mary", "went", "to", "the", "garden"),
            ("Mary", "took", "the", "milk", "there"),
            ("Mary", "took", "the", "apple"),
        ),
        (
            Question(("Where", "is", "the", "milk"), "garden", (1, 0), 2),
            Question(("What", "is", "Mary", "carrying"), "milk,apple", (2, 1), 3),
        ),
    ),
    Story((("Yes", "it", "is"),), (Question(("Is", "it", "a", "story"), "yes", (), 0),)),
)


def write(folder, content):
    path = folder / "stories.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_file_is_read_by_the_letter(tmp_path):
    assert read_stories(write(tmp_path, TEXT)) == STORIES


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT + "\n\n  \n",
        TEXT.removesuffix("\n"),
        TEXT.replace("3 Where is the milk? \tgarden\t2 1", "3  Where  is the milk\t garden \t 2  1 "),
    ],
    ids=["byte order mark", "line ends of Windows", "empty lines at the end", "no line end", "more spaces"],
)
def test_other_ways_to_write_the_same_stories_are_read(tmp_path, content):
    assert read_stories(write(tmp_path, content)) == STORIES


def test_written_stories_are_read_back():
    text = text_of(STORIES)
    assert text.splitlines()[:3] == TEXT.replace("? \t", "?\t").splitlines()[:3]
    assert text.splitlines()[5] == "1 Is it a story?\tyes"
    assert stories_in(text, "a.txt") == STORIES


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (Story((("New", "York is"),), ()), "they would be read back differently"),
        (Story((("No", "stop."),), ()), "they would be read back differently"),
        (Story(((),), ()), "the text, line 1 has no words after its number"),
        (Story((("A", "b"),), (Question(("Who",), "", (), 1),)), "the text, line 2 has an empty answer"),
    ],
)
def test_a_story_that_the_format_cannot_express_is_not_written(story, reason):
    with pytest.raises(ValueError, match="the stories cannot be written, as") as caught:
        text_of([story])
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("positions", "supports", "reason"),
    [
        (
            (0, 3),
            (),
            "question 2 has position 3, but the story has 2 sentences and the question before it has position 0",
        ),
        (
            (1, 0),
            (),
            "question 2 has position 0, but the story has 2 sentences and the question before it has position 1",
        ),
        ((-1,), (), "question 1 has position -1, but"),
        ((1,), (1,), "question 1 has the support 1, but 1 sentences before it; give indices of these"),
        ((1,), (-1,), "question 1 has the support -1, but"),
    ],
)
def test_a_story_has_questions_in_order_and_supports_before_them(positions, supports, reason):
    questions = tuple(Question(("Who",), "b", supports, position) for position in positions)
    with pytest.raises(ValueError, match=reason):
        Story((("A",), ("B",)), questions)


MALFORMED = {
    "no number": ("Mary went.\n", "line 1 starts with 'Mary', but a line starts with its number and a space"),
    "no space": ("1.Mary went.\n", "line 1 starts with '1.Mary', but a line starts with its number"),
    "other digits": ("\u0661 Mary went.\n", "line 1 starts with '\u0661', but"),
    "first number": ("2 Mary went.\n", "line 1 has number '2', but a story starts with 1; number its lines 1, 2, 3"),
    "a gap": ("1 A b.\n3 A c.\n", "line 2 has number '3' after 1, but numbers rise by one; write 2, or 1"),
    "not rising": ("1 A b.\n2 A c.\n2 A d.\n", "line 3 has number '2' after 2, but numbers rise by one; write 3"),
    "leading zero": ("1 A b.\n02 A c.\n", "line 2 has number '02' after 1"),
    "a huge number": ("1 A b.\n" + "9" * 400 + " A c.\n", f"line 2 has number '{'9' * 40}...' after 1"),
    "no words": ("1 A b.\n2 \n3 A c.\n", "line 2 has no words after its number; write a sentence, or remove the line"),
    "only a number": ("1 A b.\n2\n3 A c.\n", "line 2 has no words after its number"),
    "only stops": ("1 ...\n", "line 1 has no words after its number"),
    "an empty line": (
        "1 A b.\n\n2 A c.\n",
        "line 2 is empty; remove it, as only the end of a file may have empty lines",
    ),
    "no tab": ("1 A b.\n2 Who is A?\n", "line 2 is a question without an answer; write a tab and the answer after it"),
    "no answer": ("1 A b.\n2 Who is A?\t\t1\n", "line 2 has an empty answer; write the answer after the first tab"),
    "three tabs": (
        "1 A b.\n2 Who?\tb\t1\t1\n",
        "line 2 has 3 tabs, but a question has one or two; remove the last ones",
    ),
    "a later support": (
        "1 A b.\n2 Who?\tb\t3\n3 A c.\n",
        "line 2 names the support '3', but it has only the lines before it; write the number of an earlier sentence",
    ),
    "itself as support": ("1 A b.\n2 Who?\tb\t2\n", "line 2 names the support '2', but"),
    "no number as support": ("1 A b.\n2 Who?\tb\tA\n", "line 2 names the support 'A', but"),
    "a huge support": ("1 A b.\n2 Who?\tb\t" + "9" * 400, f"line 2 names the support '{'9' * 40}...', but"),
    "a question as support": (
        "1 A b.\n2 Who?\tb\t1\n3 Who?\tb\t2\n",
        "line 3 names the support 2, which is a question; write the number of a sentence",
    ),
    "a support twice": ("1 A b.\n2 Who?\tb\t1 1\n", "line 2 names the support 1 twice; write it once"),
    "a support of another story": ("1 A b.\n2 A c.\n1 A b.\n2 Who?\tb\t2\n", "line 4 names the support '2', but"),
    "NUL": ("1 A \0b.\n", "line 1 has the control character U+0000; remove it"),
    "a long line": ("x" * 1_000_000, f"line 1 starts with '{'x' * 40}...', but"),
}


@pytest.mark.parametrize(("content", "sentence"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_line_is_named_in_one_sentence(tmp_path, content, sentence):
    path = write(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_stories(path)
    message = str(caught.value)
    assert message.startswith(f"{path}, {sentence}")
    assert len(message) < len(str(path)) + 200
    assert "\n" not in message


@pytest.mark.parametrize("content", ["", "\ufeff", "\n \r\n\t\n"])
def test_a_file_without_stories_is_refused(tmp_path, content):
    with pytest.raises(
        DataError, match=r"stories\.txt has no story; write its sentences on lines that start with 1, 2"
    ):
        read_stories(write(tmp_path, content))


def test_a_line_of_a_million_words_is_read():
    (story,) = stories_in("1 " + "word " * 1_000_000, "a.txt")
    assert len(story.sentences[0]) == 1_000_000


def test_a_file_that_cannot_be_read_is_named_in_one_sentence(tmp_path):
    cases = {
        tmp_path: "cannot be read (Is a directory); give the path of a file of stories",
        tmp_path / "none.txt": "cannot be read (No such file or directory); give the path of a file of stories",
        tmp_path / "stories.txt" / "x": "cannot be read (Not a directory); give the path of a file of stories",
        write(tmp_path, b"1 A \xff.\n"): "is not UTF-8 at byte 4; save it in this encoding",
    }
    for path, reason in cases.items():
        with pytest.raises(DataError) as caught:
            read_stories(path)
        assert str(caught.value) == f"{path} {reason}"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="cannot be read \\(not a regular file\\)"):
        read_stories(tmp_path / "pipe")


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("memtape.tasks.stories.babi_format.LARGEST", 10)
    with pytest.raises(DataError, match="has more than 10 bytes; split it into smaller files of stories"):
        read_stories(write(tmp_path, TEXT))
