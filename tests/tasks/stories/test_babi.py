"""The task babi: its tasks, splits and symbols, from files and from simulations."""

from random import Random

import pytest
import torch

from memtape import Babi, MemN2N
from memtape.core.inputs.stories import NONE
from memtape.tasks.data_folder import DataError
from memtape.tasks.stories.babi_files import file_name
from memtape.tasks.stories.babi_format import text_of
from memtape.tasks.stories.babi_splits import numbers_of
from memtape.tasks.stories.examples import NIL_WORD, Examples, vocabulary_of
from memtape.tasks.stories.generator import generated
from memtape.tasks.stories.oracle import ORACLES
from memtape.tasks.stories.story import Question, Story
from memtape.training.evaluation import by_length

STORY = Story(
    sentences=(("Mary", "went", "home"), ("John", "slept"), ("Mary", "left")),
    questions=(
        Question(words=("Where", "is", "Mary"), answer="home", supports=(0,), position=2),
        Question(words=("Who", "left"), answer="Mary,John", supports=(2, 0), position=3),
    ),
)
VOCABULARY = ("-", "home", "is", "john", "left", "mary", "mary,john", "slept", "went", "where", "who")


def words(task, symbols):
    return tuple(task.vocabulary[symbol] for symbol in symbols.tolist() if symbol)


def test_the_vocabulary_has_all_words_and_answers_in_lower_case():
    assert vocabulary_of([STORY]) == VOCABULARY
    assert VOCABULARY[0] == NIL_WORD


def test_a_question_sees_the_sentences_before_it():
    examples = Examples.of({7: [STORY]}, {word: symbol for symbol, word in enumerate(VOCABULARY)})
    stories = examples.stories(torch.tensor([0, 1]))
    assert stories.sentences.tolist() == [[[5, 8, 1], [3, 7, 0], [0, 0, 0]], [[5, 8, 1], [3, 7, 0], [5, 4, 0]]]
    assert stories.question.tolist() == [[9, 2, 5], [10, 4, 0]]
    assert stories.supports.tolist() == [[0, NONE], [2, 0]]
    assert examples.answers.tolist() == [1, 6]
    assert examples.origins.tolist() == [7, 7]


def test_the_last_sentences_alone_can_be_kept():
    examples = Examples.of({7: [STORY]}, {word: symbol for symbol, word in enumerate(VOCABULARY)})
    stories = examples.stories(torch.tensor([0, 1]), most=2)
    assert stories.sentences.tolist() == [[[5, 8, 1], [3, 7, 0]], [[3, 7, 0], [5, 4, 0]]]
    assert stories.supports.tolist() == [[0, NONE], [1, NONE]]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("3", (3,)), ("1-4", (1, 2, 3, 4)), ("2, 16,3-4", (2, 3, 4, 16)), ("all", tuple(range(1, 21)))],
)
def test_the_tasks_are_named_by_their_numbers(text, numbers):
    assert numbers_of(text) == numbers


@pytest.mark.parametrize("text", ["", "0", "21", "1-", "-3", "4-2", "one", "1,,2", "1" * 400, "\u0663"])
def test_other_tasks_are_refused(text):
    with pytest.raises(ValueError, match="numbers is"):
        numbers_of(text)


def test_the_answers_follow_from_the_stories():
    task = Babi(numbers="2,15")
    for number in (2, 15):
        batch = task.batch(0, 64, lengths=(number, number))
        for row in range(64):
            told = tuple(filter(None, (words(task, sentence) for sentence in batch.inputs.sentences[row])))
            answer = ORACLES[number](told, words(task, batch.inputs.question[row]))
            assert answer == task.vocabulary[int(batch.targets[row, 0])]


def test_the_splits_differ_and_have_the_published_sizes():
    task = Babi(numbers="1-2")
    assert [task.available(split) for split in ("train", "validation", "test")] == [2000, 200, 2000]
    first = {split: task.batch(0, 8, split=split).inputs.sentences for split in ("train", "validation", "test")}
    assert not torch.equal(first["train"], first["test"])
    assert not torch.equal(first["validation"], first["test"])


def test_training_draws_with_replacement_and_tests_go_through_all_questions_once():
    task = Babi(numbers="1", size=1000)
    examples = task.batch(0, 1000, split="test")
    later = task.batch(1, 600, split="test")
    assert len(examples) == 1000
    assert len(later) == 400
    assert torch.equal(later.targets, examples.targets[600:])
    assert not torch.equal(task.batch(0, 64).targets, task.batch(1, 64).targets)
    assert len(task.batch(10**6, 7)) == 7
    with pytest.raises(ValueError, match="batch 2 of 500"):
        task.batch(2, 500, split="test")


def test_lengths_are_numbers_of_tasks():
    task = Babi(numbers="1,15-16")
    asked = {words(task, question)[0] for question in task.batch(0, 99, lengths=(16, 16)).inputs.question}
    assert asked == {"what"}
    with pytest.raises(ValueError, match=r"lengths are 2\.\.3, but the tasks are \[1, 15, 16\]"):
        task.batch(0, 4, lengths=(2, 3))


def told(number, count, seed):
    source, found = generated(number, Random(seed)), []
    while sum(len(story.questions) for story in found) < count:
        found.append(next(source))
    return found


@pytest.fixture
def data_dir(tmp_path):
    """Files of task 15, whose training file contains the validation stories."""
    train, test = told(15, 1000, "train"), told(15, 1000, "test")
    for folder, split, stories in (
        ("en", "train", train),
        ("en", "test", test),
        ("en-valid", "validation", train[::10]),
    ):
        (tmp_path / "babi" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "babi" / folder / file_name(15, split)).write_text(text_of(stories))
    return tmp_path


def test_the_files_give_the_stories_that_they_hold(data_dir):
    task = Babi(data_dir=str(data_dir), numbers="15")
    assert [task.available(split) for split in ("train", "validation", "test")] == [900, 100, 1000]
    whole = task.batch(0, 1000, split="test")
    found = sorted(words(task, question) for question in whole.inputs.question)
    assert found == sorted(
        tuple(word.lower() for word in question.words)
        for story in told(15, 1000, "test")
        for question in story.questions
    )


def test_a_missing_file_is_named(data_dir):
    with pytest.raises(DataError, match=r"qa1_single-supporting-fact_train\.txt, which bAbI needs"):
        Babi(data_dir=str(data_dir), numbers="1")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"size": 500}, ValueError, "size is 500, but the tasks have 1000 or 10000 training questions"),
        ({"sentences": 0}, ValueError, "sentences is 0, but it must be at least 1"),
    ],
)
def test_other_options_are_refused(options, error, message, shapes_unchecked):
    with pytest.raises(error, match=message):
        Babi(**options)


def test_an_evaluation_scores_all_questions_of_each_task():
    task = Babi(numbers="1,15")
    network = MemN2N(task.input_size, task.output_size, embedding_size=4)
    records = by_length(network, task, [1, 15], sequences=None, seed=0)
    assert [record["sequences"] for record in records] == [1000, 1000]
    (whole,) = by_length(network, task, [], sequences=None, seed=0)
    assert whole["sequences"] == 2000
    assert whole["accuracy"] == pytest.approx((records[0]["accuracy"] + records[1]["accuracy"]) / 2)
