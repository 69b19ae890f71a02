"""Progress is plain lines in a file, and a line that is updated in a terminal and in a notebook."""

import io
import sys

import pytest

from memtape.core.score import Score
from memtape.experiments.progress_lines import ProgressLines

SCORED = (Score(name="accuracy", label="accuracy", short="right", higher_is_better=True),)


class Terminal(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture(autouse=True)
def every_update(monkeypatch):
    monkeypatch.setattr("memtape.experiments.progress_lines.SECONDS", 0.0)


def shown(text):
    """Return the lines that a terminal shows after a text."""
    lines = []
    for line in text.split("\n"):
        row = ""
        for part in line.split("\r"):
            row = part + row[len(part) :]
        lines.append(row.rstrip())
    return lines


def run(lines):
    lines.print("synthetic data")
    lines.on_step(1, {"loss": 0.25})
    lines.on_step(100, {"loss": 0.125})
    lines.on_record({"kind": "train", "step": 100})
    lines.on_record({"kind": "validation", "step": 100, "accuracy": 0.5})
    lines.on_record({"kind": "skip", "step": 101, "place": "the loss"})
    lines.on_record({"kind": "rollback", "step": 102, "place": "the loss", "back_to": 100})
    lines.on_record({"kind": "restart", "step": 103})
    lines.on_step(104, {"loss": 0.5})


EXPECTED = [
    "synthetic data",
    "step    100      0.0 s  validation: 0.500 right",
    "step    101  skipped, as the loss is not finite",
    "step    102  back to step 100, as the loss is not finite",
    "step    103  stuck; restarting with other weights",
]


def test_a_file_gets_plain_lines():
    stream = Terminal(False)
    lines = ProgressLines(SCORED, 200, stream=stream, updated=None)
    run(lines)
    lines.close()
    assert stream.getvalue().split("\n") == [*EXPECTED, ""]


def test_a_terminal_gets_a_line_that_is_updated_and_removed_at_the_end():
    stream = Terminal(True)
    lines = ProgressLines(SCORED, 200, stream=stream)
    run(lines)
    assert shown(stream.getvalue()) == [*EXPECTED, "step 104 of 200  loss 0.5000"]
    lines.close()
    assert shown(stream.getvalue()) == [*EXPECTED, ""]


def test_a_notebook_gets_a_line_that_is_updated(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    assert ProgressLines(SCORED, 200, stream=Terminal(False)).updated


def test_the_line_is_updated_a_few_times_a_second(monkeypatch):
    monkeypatch.setattr("memtape.experiments.progress_lines.SECONDS", 60.0)
    stream = Terminal(True)
    lines = ProgressLines(SCORED, 200, stream=stream)
    lines.shown_at = lines.begun
    for step in range(100):
        lines.on_step(step, {"loss": 1.0})
    assert stream.getvalue() == ""
