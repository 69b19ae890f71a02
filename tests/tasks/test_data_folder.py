"""Files of data sets that are missing or invalid."""

import codecs
import gzip

import pytest

from memtape.catalog.registry import TASKS
from memtape.core.data_record import DataFile
from memtape.tasks import data_folder
from memtape.tasks.data_folder import DataError, DataSet, examples_of

BIRDS = DataSet(name="Birds", folder="birds", source="the repository birds/birds on GitHub", counts={"songs.txt": 2})
AGAIN = "; get it again from the repository birds/birds on GitHub"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "birds").mkdir()
    return tmp_path / "birds"


def refusal(folder, file="songs.txt", read=BIRDS.text):
    with pytest.raises(DataError) as caught:
        read(str(folder.parent), file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_read_as_it_is_or_unpacked(folder):
    (folder / "songs.txt").write_bytes("löv\r\n".encode())
    (folder / "songs.gz").write_bytes(gzip.compress(b"abc", mtime=0))
    assert BIRDS.content(str(folder.parent), "songs.txt") == "löv\r\n".encode()
    assert BIRDS.text(str(folder.parent), "songs.txt") == "löv\n"
    assert BIRDS.content(str(folder.parent), "songs.gz") == b"abc"


def test_a_missing_file_is_reported_with_its_source(folder):
    assert refusal(folder) == (
        f"there is no {folder}/songs.txt, which Birds needs; get it from the repository birds/birds on GitHub, "
        "or leave data_dir out to use generated examples"
    )
    (folder / "file").write_text("x")
    assert refusal(folder, "file/songs.txt").startswith(f"there is no {folder}/file/songs.txt")
    (folder / "songs.txt").mkdir()
    assert refusal(folder) == f"{folder}/songs.txt cannot be read (Is a directory){AGAIN}"
    assert "cannot be read (embedded null byte)" in refusal(folder, "songs\0.txt")


@pytest.mark.parametrize(("content", "file"), [(b"", "songs.txt"), (gzip.compress(b"", mtime=0), "songs.gz")])
def test_an_empty_file_is_refused(folder, content, file):
    (folder / file).write_bytes(content)
    assert refusal(folder, file, BIRDS.content) == f"{folder}/{file} is empty{AGAIN}"


@pytest.mark.parametrize("content", [codecs.BOM_UTF8, b"\r\n \r\n"])
def test_a_file_without_text_is_empty(folder, content):
    (folder / "songs.txt").write_bytes(content)
    assert refusal(folder) == f"{folder}/songs.txt is empty{AGAIN}"


def test_several_files_are_read_as_one_with_their_names(folder):
    def read(names):
        def contents(data_dir):
            return BIRDS.contents(data_dir, names, "songs")

        found, record = examples_of(str(folder.parent), BIRDS, read=contents, otherwise=list, name="none")
        assert [file.name for file in record.files] == ["birds/songs"]
        return found, record.files[0].sha256

    for name, content in (("a", b"\0x"), ("b", b"y"), ("c", b"y")):
        (folder / name).write_bytes(content)
    assert read(["a", "b"])[0] == [b"\0x", b"y"]
    assert read(["a", "b"]) == read(["a", "b"])
    assert len({read(names)[1] for names in (["a", "b"], ["a", "c"], ["b", "a"], ["a"])}) == 4
    assert refusal(folder, ["a", "d"], lambda place, names: BIRDS.contents(place, names, "songs")).startswith(
        "there is no"
    )


@pytest.mark.parametrize("damage", [lambda c: c[:-9], lambda c: b"x" + c, lambda c: c[:15] + b"\xff\xff" + c[17:]])
def test_a_damaged_gzip_file_is_refused(folder, damage):
    (folder / "songs.gz").write_bytes(damage(gzip.compress(b"abc" * 100, mtime=0)))
    message = refusal(folder, "songs.gz", BIRDS.content)
    assert message.startswith(f"{folder}/songs.gz cannot be read (")
    assert message.endswith(AGAIN)


def test_a_file_above_the_size_limit_is_refused(folder, monkeypatch):
    monkeypatch.setattr(data_folder, "LARGEST", 1000)
    (folder / "songs.gz").write_bytes(gzip.compress(bytes(10**6), mtime=0))
    assert refusal(folder, "songs.gz", BIRDS.content) == f"{folder}/songs.gz has more than 1000 bytes{AGAIN}"


def test_invalid_utf_8_is_refused(folder):
    (folder / "songs.txt").write_bytes(b"tweet\xff")
    assert refusal(folder) == f"{folder}/songs.txt is not UTF-8 at byte 5{AGAIN}"


def test_a_file_must_have_the_number_of_examples_of_its_data_set(folder):
    BIRDS.check_count(folder / "songs.txt", 2, "songs")
    with pytest.raises(DataError, match=r"songs\.txt has 1 songs, but that of Birds has 2; get it again from"):
        BIRDS.check_count(folder / "songs.txt", 1, "songs")


def test_a_task_records_the_unpacked_contents_of_the_files_that_it_reads(tmp_path):
    data_set = DataSet(name="Numbers", folder="numbers", source="nowhere", counts={})
    (tmp_path / "numbers").mkdir()
    (tmp_path / "numbers" / "a.gz").write_bytes(gzip.compress(b"hello"))
    (tmp_path / "numbers" / "b.txt").write_bytes(b"12")

    def read(folder):
        return [data_set.content(folder, name) for name in ("a.gz", "b.txt", "a.gz")]

    examples, record = examples_of(str(tmp_path), data_set, read=read, otherwise=list, name="drawn numbers")
    assert examples == [b"hello", b"12", b"hello"]
    assert (record.kind, record.name) == ("files", "Numbers")
    assert record.files == (DataFile.of("numbers/a", b"hello"), DataFile.of("numbers/b.txt", b"12"))
    examples, record = examples_of(None, data_set, read=read, otherwise=list, name="drawn numbers")
    assert (examples, record.badge, record.files) == ([], "synthetic data: drawn numbers", ())


def test_every_task_with_a_data_folder_records_its_data():
    for entry in TASKS.values():
        task = entry.load()(**entry.card.small)
        reads = any(option.name == "data_dir" for option in entry.options)
        assert (task.data_record() is not None) == reads, entry.name


@pytest.mark.parametrize("content", [b"one\r\ntwo\r\n", codecs.BOM_UTF8 + b"one\ntwo\n", b"one\ntwo\n\n\n"])
def test_files_with_the_same_text_count_as_the_same_data(folder, content):
    records = []
    for written in (b"one\ntwo\n", content):
        (folder / "songs.txt").write_bytes(written)
        _, record = examples_of(
            str(folder.parent), BIRDS, read=lambda where: [BIRDS.text(where, "songs.txt")], otherwise=list, name="x"
        )
        records.append(record)
    assert records[0] == records[1]
