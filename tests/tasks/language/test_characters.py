"""Characters: windows of a text at random positions, in streams, and covering a split."""

import dataclasses
import itertools
import math
import random

import pytest
import torch

from memtape.tasks.data_folder import DataError
from memtape.tasks.language import texts
from memtape.tasks.language.characters import Characters
from memtape.tasks.language.synthetic_text import synthetic_text

TEXT = "".join(random.Random(0).choices("abcdefghijklmnopqrstuvwxyz \n", k=999)) + "é"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Write a tiny text."""
    counts = {"input.txt": len(TEXT)}
    monkeypatch.setattr(texts, "TINY_SHAKESPEARE", dataclasses.replace(texts.TINY_SHAKESPEARE, counts=counts))
    (tmp_path / "tinyshakespeare").mkdir()
    (tmp_path / "tinyshakespeare" / "input.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path


def windows(task, batch):
    """Return the input, the next characters, and the scored steps of each row."""
    for row, length in enumerate(batch.lengths.tolist()):
        read, following = (task.decode(symbols[row, :length].tolist()) for symbols in (batch.inputs, batch.targets))
        yield read, following, batch.mask[row, :length].tolist()


def test_the_vocabulary_is_that_of_the_text(folder):
    task = Characters(data_dir=str(folder))
    assert list(task.vocabulary) == sorted(set(TEXT))
    assert task.input_size == task.output_size == len(set(TEXT))
    assert task.decode(task.encode(TEXT)) == TEXT
    assert task.chance(task.lengths)["bits_per_character"] == pytest.approx(math.log2(len(set(TEXT))))
    with pytest.raises(
        ValueError, match=r"the text has the character '!', which is not among the .* of the vocabulary; leave it out"
    ):
        task.encode("a!")


def test_a_training_window_lies_in_the_first_nine_tenths(folder):
    task = Characters(data_dir=str(folder), window=20)
    assert task.available("train") is None
    for read, following, scored in windows(task, task.batch(0, 200)):
        assert read + following[-1] in TEXT[:900]
        assert following == (read + following[-1])[1:]
        assert scored == [True] * 20


def test_training_windows_start_at_uniform_positions(folder):
    task = Characters(data_dir=str(folder), window=899)
    assert {read for read, _, _ in windows(task, task.batch(0, 9))} == {TEXT[:899]}
    task = Characters(data_dir=str(folder), window=897)
    starts = [TEXT.find(read) for read, _, _ in windows(task, task.batch(0, 900))]
    assert all(abs(starts.count(place) - 300) < 75 for place in range(3))


def test_windows_of_mixed_lengths_are_padded(folder):
    batch = Characters(data_dir=str(folder)).batch(0, 100, lengths=(5, 9))
    assert set(batch.lengths.tolist()) == {5, 6, 7, 8, 9}
    assert torch.equal(batch.mask.sum(1), batch.lengths)


@pytest.mark.parametrize(("split", "text"), [("validation", TEXT[900:950]), ("test", TEXT[950:])])
@pytest.mark.parametrize(("window", "context"), [(7, 0), (7, 5), (10, 30), (49, 3), (60, 0)])
def test_windows_score_each_character_of_their_split_once(folder, split, text, window, context):
    task, place = Characters(data_dir=str(folder), window=window, context=context), 1
    count = task.available(split)
    for index in range(-(-count // 2)):
        for read, following, scored in windows(task, task.batch(index, 2, split=split)):
            before = min(place - 1, context)
            assert scored == [False] * before + [True] * (len(read) - before)
            assert read == text[place - 1 - before : place - 1 - before + len(read)]
            assert following[before:] == text[place : place + len(read) - before]
            place += len(read) - before
            assert len(read) - before == window or place == len(text)
    assert place == len(text)
    with pytest.raises(
        ValueError, match=rf"of the split '{split}' is beyond its {count} windows; give a smaller index"
    ):
        task.batch(count, 1, split=split)


def test_rows_of_a_stream_continue_from_batch_to_batch(folder):
    task, circle = Characters(data_dir=str(folder), window=30, order="stream"), TEXT[:900] * 2
    batches = [list(windows(task, task.batch(index, 4))) for index in range(8)]
    starts = []
    for row in range(4):
        stream = "".join(batch[row][0] for batch in batches)
        assert stream in circle
        assert stream[1:] + batches[-1][row][1][-1] == "".join(batch[row][1] for batch in batches)
        starts.append(circle.find(stream))
    assert [(after - before) % 900 for before, after in itertools.pairwise(starts)] == [225] * 3
    assert circle.find(next(windows(task, task.batch(0, 1, seed=1)))[0]) != starts[0]


def test_bits_are_those_of_the_scored_characters():
    task = Characters(window=6, context=4)
    batch = task.batch(0, 3, split="test")
    outputs = torch.randn(*batch.mask.shape, task.output_size, dtype=torch.float64)
    bits = [
        -math.log2(outputs[row, step].softmax(-1)[batch.targets[row, step]].item())
        for row, step in batch.mask.nonzero().tolist()
    ]
    assert len(bits) == 18
    assert task.scores(outputs, batch)["bits_per_character"] == pytest.approx(sum(bits) / 18)


def test_another_length_is_refused_for_windows_of_fixed_length(folder):
    for task, split in ((Characters(), "test"), (Characters(order="stream"), "train")):
        with pytest.raises(
            ValueError, match=r"lengths are 50\.\.50, but .* with 100 characters each; leave the lengths out"
        ):
            task.batch(0, 1, split=split, lengths=(50, 50))
    with pytest.raises(
        ValueError, match="window is 900, but the text has 900 characters for training; give a smaller window"
    ):
        Characters(data_dir=str(folder), window=900)
    with pytest.raises(ValueError, match="context is -1, but it must be at least 0; give a larger context"):
        Characters(context=-1)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "is empty"), (b"\xff" * 9, "is not UTF-8 at byte 0"), (b"abc", "has 3 characters, but .* has 1000")],
)
def test_an_invalid_text_is_refused(folder, content, sentence):
    (folder / "tinyshakespeare" / "input.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"input\.txt {sentence}; get it again from data/tinyshakespeare in the repo"):
        Characters(data_dir=str(folder))


def test_any_other_text_is_accepted(folder):
    (folder / "own.txt").write_text("ab" * 20)
    task = Characters(data_dir=str(folder), file="own.txt", window=10)
    assert task.vocabulary == ("a", "b")
    assert [task.available(split) for split in ("validation", "test")] == [1, 1]
    assert [int(task.batch(0, 1, split=split).mask.sum()) for split in ("validation", "test")] == [1, 1]
    (folder / "own.txt").write_text("ab" * 19 + "c")
    with pytest.raises(DataError, match=r"own\.txt has 39 characters, but needs at least 40; get it again from the"):
        Characters(data_dir=str(folder), file="own.txt")
    with pytest.raises(
        DataError, match=r"there is no .*other\.txt, which the option file needs; get it from the place that"
    ):
        Characters(data_dir=str(folder), file="other.txt")


def test_a_synthetic_text_is_reproducible_and_longer_texts_extend_it():
    assert synthetic_text(500) == synthetic_text(2_000)[:500]
    assert len(synthetic_text(2_000)) == 2_000
    assert synthetic_text(500, seed=1) != synthetic_text(500)


def test_a_window_is_shown_with_its_scored_steps(folder):
    task = Characters(data_dir=str(folder), window=4, context=2)
    text = TEXT[950:]
    lines = task.show(
        task.batch(0, 2, split="test"), torch.eye(task.output_size)[[3]].expand(2, 6, -1), row=1
    ).splitlines()
    assert lines == [
        "Characters, 6 steps",
        f"input  {text[2:8]}",
        f"target   {text[5:9]}",
        f"output   {task.vocabulary[3] * 4}",
    ]


@pytest.mark.parametrize("file", ["tinyshakespeare/input.txt", "own.txt"])
def test_a_text_of_another_system_is_the_same(folder, file, written_elsewhere):
    (folder / "own.txt").write_text("Löv is the\nthing.\n\n" * 9, encoding="utf-8")
    first = Characters(data_dir=str(folder), file=file, window=10)
    written_elsewhere(folder)
    if file != "own.txt":
        (folder / file).write_bytes((folder / file).read_bytes()[: -len("\r\n \r\n")])  # its length is fixed
    second = Characters(data_dir=str(folder), file=file, window=10)
    assert second.vocabulary == first.vocabulary
    assert torch.equal(second.batch(0, 2, split="test").inputs, first.batch(0, 2, split="test").inputs)
