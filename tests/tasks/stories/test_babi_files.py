"""The bAbI files: names, folders, numbers of questions, and the training stories without those for validation."""

import re

import pytest

from memtape.tasks.data_folder import DataError
from memtape.tasks.stories.babi_files import SIZES, TASKS, babi_stories, file_name, has_file, without
from memtape.tasks.stories.babi_format import stories_in


def write(folder, subfolder, name, questions):
    path = folder / "babi" / subfolder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"1 Mary went to room {n}.\n2 Where is Mary?\t{n}\t1\n" for n in range(questions)))
    return path


def test_files_are_named_as_in_the_data_set():
    assert list(TASKS) == list(range(1, 21))
    assert file_name(1, "train") == "qa1_single-supporting-fact_train.txt"
    assert file_name(20, "test") == "qa20_agents-motivations_test.txt"
    assert file_name(4, "validation") == "qa4_valid.txt"


@pytest.mark.parametrize(
    ("split", "size", "folder", "name", "questions"),
    [
        ("train", 1_000, "en", "qa8_lists-sets_train.txt", 1_000),
        ("train", 10_000, "en-10k", "qa8_lists-sets_train.txt", 10_000),
        ("test", 1_000, "en", "qa8_lists-sets_test.txt", 1_000),
        ("test", 10_000, "en-10k", "qa8_lists-sets_test.txt", 1_000),
        ("validation", 1_000, "en-valid", "qa8_valid.txt", 96),
        ("validation", 10_000, "en-valid-10k", "qa8_valid.txt", 1_004),
    ],
)
def test_each_split_and_size_has_its_file(tmp_path, split, size, folder, name, questions):
    assert not has_file(str(tmp_path), 8, split, size)
    write(tmp_path, folder, name, questions)
    assert has_file(str(tmp_path), 8, split, size)
    stories = babi_stories(str(tmp_path), 8, split, size)
    assert [story.questions[0].answer for story in stories] == [str(n) for n in range(questions)]


def test_a_missing_file_is_named(tmp_path):
    message = (
        r"there is no .*en-10k/qa3_three-supporting-facts_train\.txt, which bAbI needs; get it from the bAbI tasks"
    )
    with pytest.raises(DataError, match=message):
        babi_stories(str(tmp_path), 3, "train", 10_000)


def test_a_file_with_too_few_questions_is_refused(tmp_path):
    write(tmp_path, "en", "qa1_single-supporting-fact_train.txt", 999)
    with pytest.raises(DataError, match="has 999 questions, but that of bAbI has 1000; get it again from the bAbI"):
        babi_stories(str(tmp_path), 1, "train")


def test_a_malformed_line_is_named_with_its_file(tmp_path):
    path = write(tmp_path, "en", "qa1_single-supporting-fact_test.txt", 1_000)
    path.write_text(path.read_text().replace("2 Where", "3 Where", 1))
    with pytest.raises(DataError, match=re.escape(f"{path}, line 2 has number '3' after 1")):
        babi_stories(str(tmp_path), 1, "test")


def test_stories_are_removed_as_often_as_they_occur():
    one, two = stories_in("1 A.\n2 Who?\tb\n1 C.\n2 Who?\td\n", "a.txt")
    assert without((one, two, one, two, one), (one, one, two)) == (two, one)
    assert without((one,), ()) == (one,)
    assert set(SIZES) == {1_000, 10_000}
