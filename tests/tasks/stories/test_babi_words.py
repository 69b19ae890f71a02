"""The task babi-words: sequences, marked steps, symbols and scores, by hand, from simulations and from files."""

from random import Random

import pytest
import torch

from memtape import DNC, BabiWords, BiDNC
from memtape.tasks.stories.babi_files import file_name
from memtape.tasks.stories.babi_format import stories_in, text_of
from memtape.tasks.stories.babi_splits import stories_by_split
from memtape.tasks.stories.generator import generated
from memtape.tasks.stories.story import Question, Story
from memtape.tasks.stories.story_words import StoryWords, steps_of, vocabulary_of

STORY = Story(
    sentences=(("Mary", "went", "home"), ("John", "slept")),
    questions=(
        Question(words=("Where", "is", "Mary"), answer="home", supports=(0,), position=1),
        Question(words=("Who", "slept"), answer="John,Mary", supports=(1,), position=2),
        Question(words=("Is", "John", "home"), answer="no", position=2),
    ),
)
SHORT = Story(sentences=(("John", "slept"),), questions=(Question(("Who", "slept"), "John", (0,), 1),))
WORDS = "mary went home . where is mary ? - john slept . who slept ? - - is john home ? -"
SHORTER = "john slept . who slept ? -"
DUE = {8: "home", 15: "john", 16: "mary", 21: "no"}
"""The words of the answers of the first story, by their steps."""
VOCABULARY = ("-", ".", "?", "home", "is", "john", "mary", "no", "slept", "went", "where", "who")


def laid_out(*stories):
    return StoryWords.of({7: stories}, {word: symbol for symbol, word in enumerate(VOCABULARY)})


def named(task, symbols):
    return [task.vocabulary[symbol] for symbol in symbols.tolist()]


def generated_stories(number, questions):
    source, found = generated(number, Random(str(number))), []
    while sum(len(story.questions) for story in found) < questions:
        found.append(next(source))
    return found


def test_a_story_is_a_sequence_of_words_with_a_marker_for_each_word_of_an_answer():
    steps = list(steps_of(STORY))
    assert " ".join(word for word, _ in steps) == WORDS
    assert {step: answer for step, (_, answer) in enumerate(steps) if answer != "-"} == DUE


def test_a_question_before_all_sentences_comes_first():
    story = Story(sentences=(("Mary", "left"),), questions=(Question(words=("Who", "left"), answer="Mary"),))
    assert " ".join(word for word, _ in steps_of(story)) == "who left ? - mary left ."


def test_the_vocabulary_starts_with_the_marker_and_has_the_words_of_compound_answers():
    assert vocabulary_of([STORY]) == VOCABULARY


def test_a_batch_scores_the_marked_steps_and_pads_shorter_stories_with_unscored_steps():
    task = BabiWords(numbers="4")
    examples = laid_out(STORY, SHORT)
    assert examples.origins.tolist() == [7, 7]
    batch = task.collated(examples, torch.tensor([0, 1]))
    symbols = {word: symbol for symbol, word in enumerate(VOCABULARY)}
    assert batch.lengths.tolist() == [22, 7]
    assert batch.inputs[0].tolist() == [symbols[word] for word in WORDS.split()]
    assert batch.inputs[1].tolist() == [symbols[word] for word in SHORTER.split()] + [0] * 15
    assert batch.mask[0].nonzero()[:, 0].tolist() == list(DUE)
    assert batch.mask[1].nonzero()[:, 0].tolist() == [6]
    assert [VOCABULARY[symbol] for symbol in batch.targets[0][batch.mask[0]]] == list(DUE.values())
    assert not batch.targets[~batch.mask].any()


def test_a_question_is_right_if_all_words_of_its_answer_are():
    task = BabiWords(numbers="4")
    batch = task.collated(laid_out(STORY), torch.tensor([0]))
    outputs = torch.nn.functional.one_hot(batch.targets, len(VOCABULARY)).float()
    assert task.scores(outputs, batch) == {"accuracy": 1}
    wrong = outputs.clone()
    wrong[0, 16] = torch.eye(len(VOCABULARY))[5]
    assert task.scores(wrong, batch) == {"accuracy": pytest.approx(2 / 3)}
    wrong[0, 15] = torch.eye(len(VOCABULARY))[6]
    assert task.scores(wrong, batch) == {"accuracy": pytest.approx(2 / 3)}
    wrong[0, 8] = torch.eye(len(VOCABULARY))[6]
    assert task.scores(wrong, batch) == {"accuracy": pytest.approx(1 / 3)}
    outputs[~batch.mask] = torch.eye(len(VOCABULARY))[9]
    assert task.scores(outputs, batch) == {"accuracy": 1}


def test_the_loss_is_the_cross_entropy_of_the_marked_steps():
    task = BabiWords(numbers="4")
    batch = task.collated(laid_out(STORY), torch.tensor([0]))
    outputs = torch.randn(1, 22, len(VOCABULARY), generator=torch.Generator().manual_seed(0))
    expected = -sum(outputs[0, step].log_softmax(-1)[VOCABULARY.index(word)] for step, word in DUE.items()) / 4
    assert float(task.loss(outputs, batch)) == pytest.approx(float(expected))
    assert task.weight(batch) == 4


@pytest.mark.parametrize("number", [8, 19])
def test_the_questions_are_those_of_the_stories(number):
    """The sentences, questions and answers are read back from the sequences."""
    task = BabiWords(numbers=str(number))
    read = []
    for row, length in enumerate((batch := task.batch(0, 2000, split="test")).lengths.tolist()):
        told, due = named(task, batch.inputs[row, :length]), named(task, batch.targets[row, :length])
        sentence, before = [], []
        for step, word in enumerate(told):
            if word == ".":
                before.append(" ".join(sentence))
                sentence = []
            elif word == "?":
                stop = next((later for later in range(step + 1, length) if told[later] != "-"), length)
                read.append((tuple(before), " ".join(sentence), ",".join(due[step + 1 : stop])))
                sentence = []
            elif word != "-":
                sentence.append(word)
    stories = stories_by_split(None, (number,), 1000)[0]["test"][number]
    assert sorted(read) == sorted(
        (tuple(map(" ".join, story.sentences[: asked.position])), " ".join(asked.words), asked.answer)
        for story in stories_in(text_of(stories).lower(), "lower case")
        for asked in story.questions
    )


def test_tasks_share_a_vocabulary_and_lengths_are_their_numbers():
    task = BabiWords(numbers="1,4")
    assert set(task.vocabulary) == {
        *BabiWords(numbers="1").vocabulary,
        *BabiWords(numbers="4").vocabulary,
    }
    assert set(task.batch(0, 50, lengths=(4, 4)).lengths.tolist()) == {24}
    assert [task.available_within("test", span) for span in ((4, 4), (1, 4))] == [1000, 1200]
    with pytest.raises(ValueError, match=r"lengths are 2\.\.3, but the tasks are \[1, 4\]"):
        task.batch(0, 1, lengths=(2, 3))
    with pytest.raises(ValueError, match="batch 9 of 500 of the split 'test' is beyond its 1200 stories"):
        task.batch(9, 500, split="test")


def test_long_training_stories_can_be_left_out():
    whole, short = BabiWords(numbers="8"), BabiWords(numbers="8", longest=110)
    assert int(short.batch(0, 200).lengths.max()) <= 110 < int(whole.batch(0, 200).lengths.max())
    assert short.vocabulary == whole.vocabulary
    assert 0 < short.available("train") < whole.available("train")
    assert short.available("test") == whole.available("test")
    with pytest.raises(ValueError, match="longest is 9, but all training stories of task 8 have more words; raise it"):
        BabiWords(numbers="8", longest=9)
    with pytest.raises(ValueError, match="longest is 0, but it must be at least 1"):
        BabiWords(longest=0)


def test_the_files_give_the_stories_that_they_hold(tmp_path):
    stories = generated_stories(19, 1000)
    for folder, split, told in (
        ("en", "train", stories),
        ("en", "test", stories),
        ("en-valid", "validation", stories[::10]),
    ):
        (tmp_path / "babi" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "babi" / folder / file_name(19, split)).write_text(text_of(told))
    task = BabiWords(data_dir=str(tmp_path), numbers="19")
    assert [task.available(split) for split in ("train", "validation", "test")] == [900, 100, 1000]
    batch = task.batch(0, 1000, split="test")
    read = sorted(" ".join(named(task, batch.inputs[row, : int(batch.lengths[row])])) for row in range(1000))
    assert read == sorted(" ".join(word for word, _ in steps_of(story)) for story in stories)


@pytest.mark.parametrize("network", [DNC, BiDNC])
def test_a_network_answers_a_story_in_a_padded_batch_as_alone(network, equal_up_to_rounding):
    task = BabiWords(numbers="4")
    batch = task.collated(laid_out(SHORT, STORY), torch.tensor([0, 1]))
    model = network(len(VOCABULARY), len(VOCABULARY), slots=6, width=4, controller_size=8)
    together, _ = model(batch.inputs, lengths=batch.lengths)
    alone, _ = model(batch.inputs[:1, : int(batch.lengths[0])])
    equal_up_to_rounding(together[0][batch.mask[0]], alone[0][batch.mask[0, : alone.shape[1]]])


def test_a_story_is_shown_as_text():
    task = BabiWords(numbers="4")
    batch = task.batch(0, 1)
    outputs = torch.nn.functional.one_hot(batch.targets, task.output_size).float()
    kind, read, target, output = task.show(batch, outputs).splitlines()
    assert kind == "BabiWords, 24 steps"
    assert read.startswith("input  the ")
    assert read.endswith("? -")
    assert target.removeprefix("target ") == output.removeprefix("output ") in task.vocabulary
