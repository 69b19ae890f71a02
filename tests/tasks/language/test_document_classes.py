"""Document classes: files with classes, words, the class at the last word, and synthetic documents."""

import pytest
import torch

from memtape.tasks.data_folder import DataError
from memtape.tasks.language.document_classes import DocumentClasses, words_of
from memtape.tasks.language.topics import COMMON, OTHER, OWN, TOPICS, WORDS, topical_documents

TRAIN = [f'"{1 + row % 2}","Title {row % 2}","It\'s a ""{"good" if row % 2 else "bad"}"" text."' for row in range(24)]
TEST = ['"2","Title","Some good text"', '"1","Bad",""']


@pytest.fixture
def folder(tmp_path):
    """Write tiny files."""
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "train.csv").write_text("\n".join(TRAIN) + "\n")
    (tmp_path / "news" / "test.csv").write_text("\n".join(TEST) + "\n")
    return tmp_path


def test_a_document_is_its_words_with_the_class_at_the_last(folder):
    task = DocumentClasses(data_dir=str(folder), folder="news", least_count=2)
    assert (task.input_size, task.output_size, task.lengths) == (len(task.vocabulary), 2, (11, 11))
    assert set(task.vocabulary[1:]) == {"title", "0", "1", "it", "'", "s", "a", '"', "good", "bad", "text", "."}
    batch = task.examples("test", torch.arange(2), "sequences")
    assert [[task.vocabulary[word] for word in row] for row in batch.inputs.tolist()] == [
        ["title", "<unk>", "good", "text"],
        ["bad", "<unk>", "<unk>", "<unk>"],
    ]
    assert batch.lengths.tolist() == [4, 1]
    assert batch.mask.nonzero().tolist() == [[0, 3], [1, 0]]
    assert batch.targets.tolist() == [[0, 0, 0, 1], [0, 0, 0, 0]]
    outputs = torch.zeros(2, 4, 2)
    outputs[0, 3] = outputs[1, 0] = torch.tensor([1.0, 3.0])
    assert task.scores(outputs, batch) == {"accuracy": 0.5}
    assert task.show(batch, outputs).splitlines() == [
        "DocumentClasses, 4 steps",
        "input  title <unk> good text",
        "target 1",
        "output 1",
    ]


def test_every_twelfth_document_is_for_validation(folder):
    task = DocumentClasses(data_dir=str(folder), folder="news")
    assert [task.available(split) for split in ("train", "validation", "test")] == [22, 2, 2]


def test_later_words_are_left_out_and_do_not_count_for_the_vocabulary(folder):
    task = DocumentClasses(data_dir=str(folder), folder="news", longest=2)
    assert set(task.vocabulary[1:]) == {"title", "0", "1"}
    assert task.examples("test", torch.tensor([0]), "sequences").lengths.tolist() == [2]


def test_words_are_lower_case_without_the_marks_of_line_ends():
    assert words_of("Oil\\nprices; it\\rose $5") == ["oil", "prices", ";", "it", "rose", "$", "5"]


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        (
            "test.csv",
            '"x","a","b"',
            r"test\.csv has 'x' as the class of document 1, not an integer from 1; get it again",
        ),
        ("test.csv", '"1","a","b"\n"0","a","b"', r"has '0' as the class of document 2, not an integer from 1"),
        ("test.csv", '"3","a","b"', r"has the class 3, but the classes of train\.csv are 1\.\.2"),
        ("test.csv", '"1","",""', r"has no words in document 1"),
        ("test.csv", '"1","a" b', r"is not a CSV file \("),
        ("test.csv", "", r"test\.csv is empty"),
        ("train.csv", '"1","a","b"', r"has 1 documents and 1 class, but needs at least 12 documents of 2 classes"),
    ],
)
def test_an_invalid_file_is_refused(folder, file, content, sentence):
    (folder / "news" / file).write_text(content)
    with pytest.raises(DataError, match=sentence):
        DocumentClasses(data_dir=str(folder), folder="news")


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(DataError, match=r"there is no .*ag_news_csv/train\.csv, which a document data set needs"):
        DocumentClasses(data_dir=str(tmp_path))


def test_the_topic_of_a_synthetic_document_has_the_most_words():
    documents, topics = topical_documents(50, torch.Generator().manual_seed(3))
    assert set(topics) == {0, 1, 2, 3}
    for document, topic in zip(documents, topics, strict=True):
        counts = [sum(word in words for word in document) for words in TOPICS]
        assert counts == [OWN if each == topic else OTHER for each in range(4)]
        assert len(document) == WORDS
    places = [place for document in documents for place, word in enumerate(document) if word not in COMMON]
    assert sum(places) / len(places) == pytest.approx((WORDS - 1) / 2, abs=5)


def test_numbers_below_one_are_refused():
    with pytest.raises(ValueError, match="longest is 0, but it must be at least 1; give a larger longest"):
        DocumentClasses(longest=0)
