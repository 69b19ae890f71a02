"""`memtape recall`: the table, the picture, images of any size and mode, and files that are none."""

import os

import pytest
from PIL import Image

from memtape.cli.main import run
from memtape.tasks.images import image_files
from memtape.tasks.images.image_files import PictureError, read_pattern


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def halves(size=(40, 30), mode="L", light=200, dark=50):
    """Return an image that is light in its upper half."""
    image = Image.new("L", size, dark)
    image.paste(light, (0, 0, size[0], size[1] // 2))
    return image.convert(mode)


def refused(words, capsys):
    """Run a command line that is refused, and return its one sentence."""
    capsys.readouterr()
    assert run(["recall", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("memtape: ")
    assert "Traceback" not in error
    return " ".join(error.split())


def test_drawn_digits_are_recalled_by_all_memories_but_that_of_hebbs_rule(folder, capsys):
    assert run(["recall"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["pattern", "corrupted", "hopfield", "projection", "dense", "modern"]
    assert [line.split()[:3] for line in lines[1:6]] == [["digit", str(digit), "75.0%"] for digit in range(5)]
    assert all(line.split()[4:] == ["100.0%"] * 3 for line in lines[1:6])
    assert lines[7].startswith("5 patterns of 28 x 28 pixels; by Hebb's rule about 108 random ones can be stored")
    assert lines[8] == "recall.png"
    assert (folder / "recall.png").read_bytes().startswith(b"\x89PNG")


def test_images_of_any_size_and_mode_become_one_size(folder, capsys):
    halves().save("a.png")
    halves((64, 64), "RGB").rotate(90).save("b.jpg")
    halves((9, 200), "P").rotate(180).save("c.gif")
    Image.new("RGBA", (30, 30), (255, 255, 255, 0)).save("clear.png")
    drawn = Image.new("RGBA", (30, 30), (0, 0, 0, 0))
    drawn.paste((0, 0, 0, 255), (0, 0, 10, 30))
    drawn.save("ink.png")
    words = ["recall", "a.png", "b.jpg", "c.gif", "ink.png", "--size", "12", "--corruption", "cover", "--amount", "0.3"]
    assert run([*words, "--out", "picture.svg"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["a.png", "b.jpg", "c.gif", "ink.png"]
    assert (folder / "picture.svg").read_text().startswith("<?xml")
    assert read_pattern(folder / "a.png", 4).tolist() == [[1] * 4] * 2 + [[-1] * 4] * 2
    assert read_pattern(folder / "ink.png", 3).tolist() == [[-1, 1, 1]] * 3
    with pytest.raises(PictureError, match="has one colour"):
        read_pattern(folder / "clear.png", 4)


def test_files_that_are_no_images_are_one_sentence(folder, capsys):
    (folder / "text.png").write_text("not an image")
    (folder / "empty.png").write_bytes(b"")
    (folder / "folder.png").mkdir()
    Image.new("L", (20, 20), 90).save("grey.png")
    halves().save("good.png")
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:60])
    os.mkfifo(folder / "pipe.png")
    for name, sentence in [
        ("none.png", "none.png cannot be read (No such file or directory); give an image file"),
        ("folder.png", "folder.png cannot be read (Is a directory)"),
        ("pipe.png", "pipe.png cannot be read (not a regular file)"),
        (
            "text.png",
            "text.png is not an image that can be read (cannot identify image file); give a file of PNG, JPEG",
        ),
        ("empty.png", "empty.png is not an image that can be read"),
        ("cut.png", "cut.png is not an image that can be read"),
        ("grey.png", "grey.png has one colour at 28 x 28 pixels, but a pattern needs light and dark pixels"),
    ]:
        assert sentence in refused(["good.png", name], capsys)
    assert not (folder / "recall.png").exists()


def test_images_and_files_that_are_too_large_are_one_sentence(folder, capsys, monkeypatch):
    halves().save("good.png")
    monkeypatch.setattr(image_files, "MOST_PIXELS", 1000)
    assert "good.png has 40 x 30 pixels, but at most 1,000 are read" in refused(["good.png"], capsys)
    monkeypatch.setattr(image_files, "MOST_BYTES", 20)
    assert "good.png has more than 0 MiB, which is too large" in refused(["good.png"], capsys)


def test_wrong_options_are_one_sentence(folder, capsys):
    halves().save("good.png")
    for words, sentence in [
        (["--out", "a.gif"], "--out is a.gif, but the picture is written as .png or .svg"),
        (["--size", "3"], "--size is 3, but it must be in 4..64"),
        (["--digits", "0"], "digits is 0, but it must be at least 1"),
        (["--digits", "11"], "digits is 11, but there are ten digits; give at most 10"),
        (["--amount", "1.5"], "amount is 1.5, but it is a probability; give a number in 0..1"),
        (["--amount", "nan"], "amount is nan, but it is a probability"),
        (["good.png", "--digits", "2"], "--digits was given together with images"),
        (["good.png"] * 41, "41 images were given, but a picture has at most 40"),
    ]:
        assert sentence in refused(words, capsys)
