"""Own stories: a user's file beside the tasks, its splits, and the vocabulary of an earlier run."""

import pytest
import torch

from memtape import Babi, MemN2N
from memtape.core.inputs.stories import NONE
from memtape.tasks.data_folder import DataError
from memtape.tasks.stories.own_stories import own_stories
from memtape.training.evaluation import by_length

STORY = "1 Anna moved to the office.\n2 Ben slept.\n3 Where is Anna?\toffice\t1\n"


def story(number):
    return f"1 Anna moved to place{number}.\n2 Where is Anna?\tplace{number}\t1\n3 Who moved?\tAnna\n"


@pytest.fixture
def own_file(tmp_path):
    """Return the path of a file with a text."""

    def written(text):
        path = tmp_path / "mine.txt"
        path.write_text(text)
        return str(path)

    return written


def words(task, symbols):
    return tuple(task.vocabulary[symbol] for symbol in symbols.tolist() if symbol)


def texts(task, split, **options):
    """Return the stories, questions and answers of a split as words."""
    batch = task.batch(0, task.available(split), split=split, **options)
    return [
        (*(words(task, sentence) for sentence in told), words(task, asked), task.vocabulary[answer])
        for told, asked, answer in zip(
            batch.inputs.sentences, batch.inputs.question, batch.targets[:, 0].tolist(), strict=True
        )
    ]


def test_own_stories_alone_are_read_with_their_supports(own_file):
    task = Babi(numbers="none", stories=own_file(STORY))
    assert task.vocabulary == ("-", "anna", "ben", "is", "moved", "office", "slept", "the", "to", "where")
    assert task.lengths == (0, 0)
    batch = task.batch(0, 2)
    assert batch.inputs.sentences.tolist() == [[[1, 4, 8, 7, 5], [2, 6, 0, 0, 0]]] * 2
    assert batch.inputs.question.tolist() == [[9, 3, 1]] * 2
    assert batch.inputs.supports.tolist() == [[0]] * 2
    assert batch.targets.tolist() == [[5]] * 2


def test_stories_without_supports_are_read(own_file):
    batch = Babi(numbers="none", stories=own_file("1 Anna slept.\n2 Who slept?\tAnna\n")).batch(0, 1)
    assert (batch.inputs.supports == NONE).all()
    assert batch.inputs.supports.shape[1] == 0


def test_one_of_ten_stories_is_for_validation_and_one_for_testing(own_file):
    splits, record = own_stories(own_file("".join(map(story, range(1, 26)))))
    numbers = {split: [int(told.sentences[0][-1].removeprefix("place")) for told in splits[split]] for split in splits}
    assert numbers["validation"] == [9, 19]
    assert numbers["test"] == [10, 20]
    assert numbers["train"] == [*range(1, 9), *range(11, 19), *range(21, 26)]
    assert record.name == "mine.txt"


def test_of_fewer_than_ten_stories_all_are_in_every_split(own_file):
    task = Babi(numbers="none", stories=own_file("".join(map(story, range(9)))))
    assert [task.available(split) for split in ("train", "validation", "test")] == [18, 18, 18]
    assert sorted(texts(task, "validation")) == sorted(texts(task, "test"))
    assert str(task.data_record()).startswith("data: stories of the user; mine.txt (")
    assert str(task.data_record()).endswith("; 18 train, 18 validation, 18 test examples")


def test_stories_without_a_question_are_left_out(own_file):
    splits, _ = own_stories(own_file("1 Anna slept.\n" + STORY))
    assert [len(told) for told in splits.values()] == [1, 1, 1]


def test_own_stories_and_tasks_share_a_vocabulary_and_training(own_file):
    task = Babi(numbers="1,15", stories=own_file(STORY))
    assert task.lengths == (0, 15)
    assert {"ben", "kitchen", "wolf"} < set(task.vocabulary)
    assert [task.available_within("test", (number, number)) for number in (0, 1, 15)] == [1, 1_000, 1_000]
    batch = task.batch(0, 1_000)
    own = (batch.inputs.question == task.vocabulary.index("anna")).any(1)
    assert 0.4 < own.double().mean() < 0.6
    alone = task.batch(0, 50, lengths=(0, 0))
    assert (alone.targets == task.vocabulary.index("office")).all()
    assert (
        task.data_record().badge == "synthetic data: stories of a simulation of each bAbI task, and stories of the user"
    )
    assert [file.name for file in task.data_record().files] == ["mine.txt"]


def test_more_own_stories_than_questions_of_tasks_are_all_drawn_alike(own_file):
    task = Babi(numbers="1", stories=own_file(story(1) * 1_500))
    batch = task.batch(0, 2_000)
    own = (batch.inputs.question == task.vocabulary.index("anna")).any(1)
    own |= (batch.targets == task.vocabulary.index("anna")).any(1)
    assert 0.66 < own.double().mean() < 0.75  # 2,400 of 3,400 questions


def test_a_network_is_scored_on_own_stories_and_on_a_task_each(own_file):
    task = Babi(stories=own_file(STORY))
    network = MemN2N(task.input_size, task.output_size)
    scored = by_length(network, task, [0, 1], sequences=None, seed=0)
    assert [(record["length"], record["sequences"]) for record in scored] == [(0, 1), (1, 1_000)]


def test_without_own_stories_nothing_is_drawn_otherwise():
    task = Babi()
    assert task.lengths == (1, 1)
    with pytest.raises(ValueError, match="needs 1 <= shortest"):
        task.batch(0, 2, lengths=(0, 1))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("1 Anna slept.\n3 Who slept?\tAnna\n", r"mine\.txt, line 2 has number .* numbers rise by one"),
        ("1 Anna slept.\n2 Who slept?\n", r"mine\.txt, line 2 is a question without an answer"),
        ("Anna slept.\n", r"mine\.txt, line 1 starts with 'Anna'"),
        ("1 Anna slept.\n2 Who slept?\tAnna\t2\n", r"mine\.txt, line 2 names the support '2'"),
        ("1 Anna slept.\n", r"mine\.txt has no question; write one"),
        ("\n", r"mine\.txt has no story"),
    ],
)
def test_malformed_files_are_refused_by_file_and_line(own_file, text, error):
    with pytest.raises(DataError, match=error):
        Babi(stories=own_file(text))


def test_a_missing_file_and_no_stories_at_all_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"none\.txt cannot be read \(No such file or directory\)"):
        Babi(stories=str(tmp_path / "none.txt"))
    with pytest.raises(ValueError, match='numbers is "none" and stories None'):
        Babi(numbers="none")


def test_known_symbols_come_first_and_new_words_after_them(own_file):
    known = Babi(numbers="1").vocabulary
    plain = Babi(numbers="none", stories=own_file(STORY))
    task = plain.with_vocabulary(known)
    assert task.vocabulary[: len(known)] == known
    assert task.vocabulary[len(known) :] == ("anna", "ben", "slept")
    assert task.input_size == task.output_size == len(known) + 3
    assert texts(task, "train") == texts(plain, "train")
    assert plain.vocabulary[1] == "anna"  # unchanged


def test_with_a_known_vocabulary_the_questions_of_tasks_are_the_same():
    known = Babi(numbers="1,15").vocabulary
    task = Babi(numbers="15").with_vocabulary(known)
    assert task.vocabulary == known
    assert texts(task, "validation") == texts(Babi(numbers="15"), "validation")
    again = task.with_vocabulary(task.vocabulary)
    assert torch.equal(again.batch(0, 8).inputs.sentences, task.batch(0, 8).inputs.sentences)


def test_the_longest_sentence_is_known(own_file):
    assert Babi(numbers="none", stories=own_file(STORY)).longest_sentence == 5
    assert Babi(numbers="none", stories=own_file("1 A b.\n2 Is it so or not?\tyes\n")).longest_sentence == 5


@pytest.mark.parametrize("known", [(), ("a", "b")])
def test_a_vocabulary_without_the_absent_word_is_refused(known):
    with pytest.raises(ValueError, match=r"the known vocabulary starts with .* the absent word"):
        Babi().with_vocabulary(known)
