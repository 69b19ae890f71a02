"""Words: the vocabulary is that of the text for training, and windows score each word of a split once."""

import dataclasses
import math
import random

import pytest
import torch

from memtape.tasks.data_folder import DataError
from memtape.tasks.language import words
from memtape.tasks.language.words import Words

LINES = [" ".join(random.Random(seed).choices(["the", "cat", "<unk>", "sat", ","], k=9)) for seed in range(20)]
VALID = "\n".join([" = Cats = ", " ", *LINES, " cat late late late ", ""])
TEST = " the cat never sat \n the late dog sat \n \n the cat sat \n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Write a tiny text of two parts."""
    monkeypatch.setattr(
        words, "WIKITEXT", dataclasses.replace(words.WIKITEXT, counts={"valid.txt": 210, "test.txt": 15})
    )
    (tmp_path / "wikitext2_partial").mkdir()
    for name, text in (("valid.txt", VALID), ("test.txt", TEST)):
        (tmp_path / "wikitext2_partial" / name).write_text(text, encoding="utf-8")
    return tmp_path


def tokens(text):
    return [word for line in text.removesuffix("\n").split("\n") for word in [*line.split(), "<eos>"]]


def read(task, split):
    """Return the scored words of a split, one after the other."""
    found = []
    for index in range(task.available(split)):
        batch = task.batch(index, 1, split=split)
        found += [task.vocabulary[symbol] for symbol in batch.targets[batch.mask].tolist()]
    return found


def test_the_vocabulary_is_of_the_frequent_words_of_the_text_for_training(folder):
    train = tokens(VALID)[: int(0.9 * 210)]
    for least in (1, 3):
        task = Words(data_dir=str(folder), window=8, least_count=least)
        frequent = {word for word in train if train.count(word) >= least} | {"<unk>"}
        assert set(task.vocabulary) == frequent
        assert len(task.vocabulary) == len(frequent) == task.input_size == task.output_size
        counts = [train.count(word) for word in task.vocabulary[1:]]
        assert counts == sorted(counts, reverse=True)
        assert task.vocabulary[0] == "<unk>"
        assert "late" not in task.vocabulary


@pytest.mark.parametrize(("window", "context"), [(7, 0), (4, 3), (50, 100)])
def test_each_word_of_a_split_is_scored_once(folder, window, context):
    task = Words(data_dir=str(folder), window=window, context=context)
    known = set(task.vocabulary)
    for split, text in (("validation", tokens(VALID)[189:]), ("test", tokens(TEST))):
        assert read(task, split) == [word if word in known else "<unk>" for word in text[1:]]
    batch = task.batch(0, 9)
    joined = " ".join(word if word in known else "<unk>" for word in tokens(VALID)[:189])
    for row in range(9):
        assert task.decode([*batch.inputs[row].tolist(), int(batch.targets[row, -1])]) in joined


def test_the_text_for_testing_has_no_influence_on_the_vocabulary(folder):
    before = Words(data_dir=str(folder), window=8).vocabulary
    (folder / "wikitext2_partial" / "test.txt").write_text("dog " * 14 + "\n", encoding="utf-8")
    task = Words(data_dir=str(folder), window=8)
    assert task.vocabulary == before
    assert set(read(task, "test")) == {"<unk>", "<eos>"}


def test_the_perplexity_is_that_of_the_scored_words():
    task = Words(window=6, context=4)
    batch = task.batch(0, 3, split="test")
    outputs = torch.randn(*batch.mask.shape, task.output_size, dtype=torch.float64)
    scored = batch.mask.nonzero().tolist()
    chances = [outputs[row, t].softmax(-1)[batch.targets[row, t]].item() for row, t in scored]
    expected = math.prod(chances) ** (-1 / len(chances))
    assert len(chances) == 18
    assert task.scores(outputs, batch)["perplexity"] == pytest.approx(expected)
    uniform = task.scores(torch.zeros_like(outputs), batch)["perplexity"]
    assert uniform == pytest.approx(task.chance(task.lengths)["perplexity"])
    assert task.scores_of({"nats": 1e6, "scored": 1.0}) == {"perplexity": math.inf}


def test_a_window_is_shown_with_its_scored_words(folder):
    task = Words(data_dir=str(folder), window=4, context=2)
    lines = task.show(
        task.batch(0, 2, split="test"), torch.eye(task.output_size)[[2]].expand(2, 6, -1), row=1
    ).splitlines()
    assert lines == [
        "Words, 6 steps",
        "input  <unk> sat <eos> the <unk> <unk>",
        "target the <unk> <unk> sat",
        f"output {' '.join([task.vocabulary[2]] * 4)}",
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "is empty"), (b"\xff" * 9, "is not UTF-8 at byte 0"), (b"a b\n", r"has 3 words, but that of .* has 15")],
)
def test_an_invalid_text_is_refused(folder, content, sentence):
    (folder / "wikitext2_partial" / "test.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"test\.txt {sentence}; get it again from word_language_model/data"):
        Words(data_dir=str(folder))


def test_sizes_are_checked(folder):
    with pytest.raises(ValueError, match="least_count is 0, but it must be at least 1; give a larger least_count"):
        Words(least_count=0)
    with pytest.raises(ValueError, match="window is 189, but the text has 189 words for training; give a smaller"):
        Words(data_dir=str(folder), window=189)


def test_a_text_of_another_system_is_the_same(folder, written_elsewhere):
    first = Words(data_dir=str(folder), window=8)
    written_elsewhere(folder)
    second = Words(data_dir=str(folder), window=8)
    assert second.vocabulary == first.vocabulary
    assert torch.equal(second.batch(0, 2, split="test").inputs, first.batch(0, 2, split="test").inputs)
