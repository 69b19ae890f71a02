"""Chorales: files in their format, the score, and synthetic pieces."""

import json
import math

import pytest
import torch

from memtape.tasks.data_folder import DataError
from memtape.tasks.music import chorales
from memtape.tasks.music.cadences import cadences
from memtape.tasks.music.chorales import Chorales

PIECES = {
    "train": [[[60, 64, 67], [60.0, 60, 64]], [[21, 108]]],
    "valid": [[[50]]],
    "test": [[[40], [], [41, 43]], [[42]]],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Write a tiny set of pieces, transposed by the index of the resolution."""
    monkeypatch.setattr(chorales, "PIECES", {part: len(pieces) for part, pieces in PIECES.items()})
    (tmp_path / "jsb_chorales").mkdir()
    for shift, resolution in enumerate(("quarter", "8th", "16th")):
        pieces = json.loads(json.dumps(PIECES))
        pieces["test"][1] = [[42 + shift]]
        (tmp_path / "jsb_chorales" / f"jsb-chorales-{resolution}.json").write_text(json.dumps(pieces))
    return tmp_path


def pitches(roll):
    """Return the notes of each step."""
    return [[21 + key for key in chord.nonzero()[:, 0].tolist()] for chord in roll]


@pytest.mark.parametrize(("resolution", "shift"), [("quarter", 0), ("8th", 1), ("16th", 2)])
def test_a_step_has_the_previous_chord_as_input_and_its_own_as_target(folder, resolution, shift):
    task = Chorales(data_dir=str(folder), resolution=resolution)
    assert [task.available(split) for split in ("train", "validation", "test")] == [2, 1, 2]
    assert task.lengths == (1, 2)
    batch = task.examples("test", torch.arange(2), "sequences")
    assert pitches(batch.targets[0]) == [[40], [], [41, 43]]
    assert pitches(batch.targets[1]) == [[42 + shift], [], []]
    assert pitches(batch.inputs[0]) == [[], [40], []]
    assert pitches(batch.inputs[1]) == [[], [], []]
    assert batch.mask.tolist() == [[True] * 3, [True, False, False]]
    assert batch.lengths.tolist() == [3, 1]
    rows = {tuple(map(tuple, pitches(row))) for row in task.batch(0, 2).targets}
    assert rows == {((60, 64, 67), (60, 64)), ((21, 108), ())}


def test_scores_equal_an_explicit_computation(folder):
    task = Chorales(data_dir=str(folder))
    batch = task.examples("test", torch.arange(2), "sequences")
    outputs = torch.randn(batch.targets.shape, dtype=torch.float64)
    batch = type(batch)(inputs=batch.inputs, targets=batch.targets.double(), mask=batch.mask, lengths=batch.lengths)
    nats, both, either = 0.0, 0, 0
    for row, step in ((0, 0), (0, 1), (0, 2), (1, 0)):
        for key in range(88):
            p, sounds = 1 / (1 + math.exp(-outputs[row, step, key])), batch.targets[row, step, key] == 1
            nats -= math.log(p if sounds else 1 - p)
            both += int(sounds and p > 0.5)
            either += int(sounds or p > 0.5)
    scores = task.scores(outputs, batch)
    assert scores["nll"] == pytest.approx(nats / 4)
    assert scores["frame_accuracy"] == pytest.approx(both / either)
    assert task.loss(outputs, batch).item() == pytest.approx(nats / 4)
    assert task.scores(100 * (2 * batch.targets - 1), batch) == {"nll": pytest.approx(0), "frame_accuracy": 1}


NO_PIECE = r"has a piece 0 in the part 'valid' that is not a list of steps with lists of pitches 21\.\.108"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", r"is not valid JSON \("),
        ("[" * 100_000, r"is not valid JSON \(its brackets are nested too deeply\)"),
        ("[]", "does not have exactly the parts train, valid, test"),
        (json.dumps({"train": [], "valid": []}), "does not have exactly the parts train, valid, test"),
        (json.dumps(PIECES | {"valid": {}}), "does not have 1 pieces in the part 'valid'"),
        (json.dumps(PIECES | {"test": PIECES["test"][:1]}), "does not have 2 pieces in the part 'test'"),
        *(
            (json.dumps(PIECES | {"valid": [piece]}), NO_PIECE)
            for piece in ([], 3, [60], [[20]], [[109]], [["60"]], [[60.5]], [[[60]]], [[True]], [[None]], [[math.nan]])
        ),
        (b"\xff", "is not UTF-8 at byte 0"),
        ("", "is empty"),
    ],
)
def test_an_invalid_file_is_refused(folder, content, sentence):
    path = folder / "jsb_chorales" / "jsb-chorales-quarter.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(
        DataError, match=rf"jsb-chorales-quarter\.json {sentence}.*; get it again from the repository czhuang"
    ):
        Chorales(data_dir=str(folder))


def test_a_missing_file_is_reported(folder):
    (folder / "jsb_chorales" / "jsb-chorales-8th.json").unlink()
    Chorales(data_dir=str(folder))
    with pytest.raises(DataError, match=r"there is no .*jsb-chorales-8th\.json, which JSB Chorales needs; get it from"):
        Chorales(data_dir=str(folder), resolution="8th")


def test_synthetic_pieces_are_chords_of_one_key_that_end_with_the_first_chord():
    for piece in cadences(50, seed=3):
        assert 20 <= len(piece) <= 60
        assert piece[0] == piece[-1]
        key = piece[0][0]
        for bass, *upper in piece:
            degrees = [(pitch - key) % 12 for pitch in (bass, *upper)]
            assert set(degrees) <= {0, 2, 4, 5, 7, 9, 11}
            assert degrees[0] in degrees[1:]
            assert len(set(upper)) == 3
            assert 43 <= bass < min(upper) <= max(upper) < 43 + 7 + 24
    assert cadences(2, seed=3) == cadences(50, seed=3)[:2] != cadences(2, seed=4)


def test_a_piece_is_shown_key_by_key(folder):
    task = Chorales(data_dir=str(folder))
    batch = task.examples("test", torch.arange(2), "sequences")
    assert task.show(batch) == "Chorales, 3 steps\n 43 ..#\n 41 ..#\n 40 #.."
    outputs = torch.full((2, 3, 88), -1.0)
    outputs[0, 2, 43 - 21] = outputs[0, 1, 30 - 21] = 1
    assert task.show(batch, outputs) == "Chorales, 3 steps\n 43 ..#\n 41 ..o\n 40 o..\n 30 .x."


def test_a_resolution_is_one_of_three(shapes_unchecked):
    with pytest.raises(
        ValueError, match="resolution is 'half', but it must be one of 'quarter', '8th', '16th'; choose"
    ):
        Chorales(resolution="half")


def test_a_file_of_another_system_is_the_same(folder, written_elsewhere):
    first = Chorales(data_dir=str(folder)).batch(0, 2, split="test")
    written_elsewhere(folder)
    assert torch.equal(Chorales(data_dir=str(folder)).batch(0, 2, split="test").targets, first.targets)
