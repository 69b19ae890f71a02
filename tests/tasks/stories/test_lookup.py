"""The task lookup: its splits, candidate sentences and exchanged words, from folders and from generated articles."""

import re
import runpy
from pathlib import Path

import pytest

from memtape import DocumentLookup
from memtape.core.inputs.stories import NONE
from memtape.tasks.data_folder import DataError
from memtape.tasks.stories.documents.document import BLANK, Document
from memtape.tasks.stories.lookup import rare_words

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "lookup.py"


@pytest.fixture(scope="module")
def task():
    return DocumentLookup()


@pytest.fixture
def folder(tmp_path):
    """Twenty documents; the words of document 7 are a7, b7, ..., beside common ones."""
    (tmp_path / "documents").mkdir()
    for number in range(20):
        text = (
            f"The A{number} is kind of B{number}. C{number} and d{number} are a kind of the e{number}.\nIt is a kind."
        )
        (tmp_path / "documents" / f"about {number}.txt").write_text(text)
    return str(tmp_path)


def everything(task, split):
    return task.batch(0, task.available(split), split=split)


def words_of(task, symbols):
    return [task.vocabulary[symbol] for symbol in symbols.tolist() if symbol]


def test_no_name_of_a_test_document_is_in_a_training_document(task):
    names = {
        split: set(everything(task, split).inputs.sentences[:, :, 0].flatten().tolist())
        for split in ("test", "validation")
    }
    assert len(names["test"]) > 100
    assert names["test"] & names["validation"] == {0}
    stored = set(task._split("train").sentences.values.tolist())
    assert not (names["test"] | names["validation"]) & stored


def test_the_answer_to_a_generated_question_is_in_its_story(task):
    batch = everything(task, "test")
    stories = batch.inputs
    assert (stories.supports != NONE).all()
    about = stories.sentences.gather(1, stories.supports[:, :, None].expand(-1, -1, stories.sentences.shape[2]))
    assert (about[:, 0] == batch.targets).any(1).all()
    assert not (stories.question == batch.targets).any()
    assert stories.sentences.shape[1] == 20


def test_the_longest_sentence_is_known(task):
    batches = [everything(task, split).inputs for split in ("train", "validation", "test")]
    longest = max(max(told.sentences.shape[2], told.question.shape[1]) for told in batches)
    assert task.longest_sentence == longest


def test_rare_words_are_exchanged_in_training_only(task):
    epoch = range(task.available("train") // 64)
    first, second = ([task.batch(start + index, 64) for index in epoch] for start in (0, len(epoch) + 1))
    answers = [
        [symbol for batch in batches for symbol in batch.targets.flatten().tolist()] for batches in (first, second)
    ]
    # Names of test documents are answers in training, and each epoch has other answers.
    names = {task.vocabulary.index(name) for name in task.rare_words}
    assert set(answers[0]) <= names
    assert len(set(answers[0])) > 0.8 * len(names)
    batch = task.batch(0, 64)
    rows = batch.inputs.sentences.gather(
        1, batch.inputs.supports[:, :, None].expand(-1, -1, batch.inputs.sentences.shape[2])
    )
    assert (rows[:, 0] == batch.targets).any(1).all()
    stored = set(task._split("test").sentences.values.tolist())
    assert set(everything(task, "test").inputs.sentences.unique().tolist()) <= stored | {0}


def test_the_answers_can_be_words_or_titles_only(task):
    found = {kind: DocumentLookup(answers=kind) for kind in ("words", "titles")}
    assert sum(part.available("test") for part in found.values()) == task.available("test")
    assert found["words"].vocabulary == found["titles"].vocabulary == task.vocabulary
    titles = everything(found["titles"], "test")
    assert (titles.inputs.sentences[:, :, :1] == titles.targets[:, :, None]).any(1).all()


def test_a_folder_is_split_by_document(folder):
    task = DocumentLookup(data_dir=folder)
    assert [task.available(split) for split in ("train", "validation", "test")] == [64, 8, 8]
    numbers = {}
    for split in ("train", "validation", "test"):
        stored = task._split(split).sentences.values.tolist()
        numbers[split] = {int(word[6:]) for symbol in stored if (word := task.vocabulary[symbol]).startswith("about_")}
    assert [len(found) for found in numbers.values()] == [16, 2, 2]
    assert set.union(*numbers.values()) == set(range(20))


def test_the_record_of_the_data_has_one_entry_for_all_files(folder):
    def recorded():
        return DocumentLookup(data_dir=folder).data_record().files

    (first,) = recorded()
    assert first.name == "documents/*.txt"
    assert recorded() == (first,)
    document = Path(folder) / "documents" / "about 0.txt"
    document.rename(document.with_name("other.txt"))
    assert recorded() != (first,)


def test_questions_about_a_folder_have_a_blank_or_are_answered_without_their_sentence(folder):
    task = DocumentLookup(data_dir=folder)
    batch = everything(task, "test")
    for row in range(len(batch)):
        question = words_of(task, batch.inputs.question[row])
        told = [words_of(task, sentence) for sentence in batch.inputs.sentences[row]]
        answer = task.vocabulary[int(batch.targets[row, 0])]
        if BLANK in question:
            whole = [answer if word == BLANK else word for word in question]
            assert any(" ".join(whole) in " ".join(words[1:]) for words in told)
            assert answer in task.rare_words
        else:
            assert answer.startswith("about_")
            assert question not in [words[1:] for words in told]


def test_a_question_and_its_answer_are_renamed_alike(folder):
    task = DocumentLookup(data_dir=folder, answers="words", most=50)
    for row in range(32):
        batch = task.batch(row, 1)
        question = words_of(task, batch.inputs.question[0])
        answer = task.vocabulary[int(batch.targets[0, 0])]
        whole = [answer if word == BLANK else word for word in question]
        told = [" ".join(words_of(task, sentence)[1:]) for sentence in batch.inputs.sentences[0]]
        assert any(" ".join(whole) in words for words in told)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, {"x", "y", "a", "b"}), (0.5, {"x", "y", "a", "b"}), (1.0, {"x", "y", "a", "b", "c"})]
)
def test_a_word_is_rare_if_few_documents_have_it(share, expected):
    documents = [Document("x", (("a", "a", "c"), ("a",))), Document("y", (("b", "c"),))]
    assert rare_words(documents, share) == expected


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"answers": "names"}, ValueError, "answers is 'names'"),
        ({"most": 0}, ValueError, "most is 0, but it must be at least 1"),
        ({"rare": 1.5}, ValueError, "rare is 1.5"),
    ],
)
def test_other_options_are_refused(options, error, message, shapes_unchecked):
    with pytest.raises(error, match=message):
        DocumentLookup(**options)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            ["one two three four"] * 2,
            "the folder documents has 2 documents, but training, validation and testing need one",
        ),
        (
            ["the same words"] * 3,
            r"the 1 documents of the split 'train' .* have no sentence with two rare words; give more",
        ),
    ],
)
def test_a_folder_without_questions_is_refused(tmp_path, texts, message):
    (tmp_path / "documents").mkdir()
    for number, text in enumerate(texts):
        (tmp_path / "documents" / f"{number}.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        DocumentLookup(data_dir=str(tmp_path))


def test_tf_idf_takes_the_middle_or_the_title_of_the_most_similar_window():
    pytest.importorskip("sklearn")
    found = runpy.run_path(str(BENCHMARK))
    told = [line.split() for line in ("lake the carp likes moss and mud", "sea the cod likes shrimps and mud")]
    vectors, allowed = found["fitted"](told), frozenset(("lake", "sea", "carp", "cod", "moss", "shrimps"))
    answers = [
        found["by_tfidf"](vectors, told, question.split(), kind=kind, allowed=allowed)
        for kind, question in (("words", "who likes moss"), ("words", "the cod likes"), ("titles", "shrimps and cod"))
    ]
    assert answers == ["carp", "shrimps", "sea"]
    assert found["by_tfidf"](vectors, [], ["cod"], kind="words", allowed=allowed) == ""


def test_articles_are_cut_at_their_headings():
    pytest.importorskip("sklearn")
    found = runpy.run_path(str(BENCHMARK))["articles"]
    text = (
        " \n = Cold Lake = \n \n A <unk> lake , 3 @.@ 5 km . \n"
        " = = Fish = = \n Carp . \n = 1 km = \n \n = Salt = \n White . \n"
    )
    assert list(found(text)) == [("Cold Lake", "A  lake , 3.5 km .\nCarp ."), ("Salt", "White .")]
    assert not re.search("unk", str(list(found(text))))
