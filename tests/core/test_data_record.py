"""A data record names the data, survives a JSON file, and describes how other data differs."""

import json

import pytest

from memtape.core.data_record import DataFile, DataRecord

HELLO = DataFile.of("texts/a.txt", b"hello")
SYNTHETIC = DataRecord(kind="synthetic", name="digits drawn with strokes", examples={"train": 2200, "test": 400})
READ = DataRecord(kind="files", name="MNIST", files=(HELLO,), examples={"train": 55000})


def test_a_record_is_one_line():
    assert str(SYNTHETIC) == "synthetic data: digits drawn with strokes; 2,200 train, 400 test examples"
    assert str(READ) == "data: MNIST; texts/a.txt (5 bytes, SHA-256 2cf24dba5fb0); 55,000 train examples"
    assert str(DataRecord(kind="shipped", name="a graph")) == "shipped data: a graph"


def test_unlimited_numbers_are_left_out():
    assert SYNTHETIC.counted({"train": None, "test": 3}).examples == {"test": 3}


@pytest.mark.parametrize("record", [SYNTHETIC, READ])
def test_a_record_is_read_as_it_was_written(record):
    assert DataRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "real"},
        {"name": 3},
        {"files": [{"name": "a"}]},
        {"files": [{"name": "a", "size": "5", "sha256": ""}]},
        {"files": 3},
        {"examples": {"train": "many"}},
        {"examples": [3]},
        {"unknown": 3},
    ],
)
def test_values_of_another_form_are_refused(change):
    with pytest.raises(ValueError, match="its data is not that of a task"):
        DataRecord.from_json({**READ.to_json(), **change})
    for values in (None, [], "data"):
        with pytest.raises(ValueError, match="its data is not that of a task"):
            DataRecord.from_json(values)


def record(*files):
    return DataRecord(kind="files", name="MNIST", files=files)


@pytest.mark.parametrize(
    ("now", "difference"),
    [
        (READ, None),
        (record(HELLO), None),
        (SYNTHETIC, "it was 'data: MNIST', and is 'synthetic data: digits drawn with strokes'"),
        (record(), "texts/a.txt was read, and is not read now"),
        (record(HELLO, DataFile.of("b", b"")), "b is read, and was not read then"),
        (
            record(DataFile.of("texts/a.txt", b"hallo")),
            "texts/a.txt had 5 bytes, and has 5; its SHA-256 was 2cf24dba5fb0, and is d3751d33f9cd",
        ),
    ],
)
def test_the_difference_is_in_words(now, difference):
    assert READ.difference(now) == difference
