"""A report of a run shows what its memory did, or the graph that it was asked about."""

import dataclasses
import re

import pytest

from memtape.catalog.registry import TASKS
from memtape.cli.main import run

TINY = [
    *("--train.batch-size", "2", "--train.steps", "1", "--train.device", "cpu", "--train.validate-every", "1"),
    *("--train.validation-sequences", "2", "--model.slots", "6", "--model.width", "4", "--model.controller-size", "8"),
]


@pytest.fixture
def reported(monkeypatch, tmp_path):
    for name, length in (("copy", 4), ("traversal", 1)):
        card = dataclasses.replace(TASKS[name].card, test_lengths=(min(3, length),), picture_length=length)
        monkeypatch.setitem(vars(TASKS[name]), "card", card)

    def report(model, task, *options):
        folder = tmp_path / "run"
        assert run(["train", model, task, *TINY, *options, "--out", str(folder)]) == 0
        page = (folder / "report.html").read_text()
        pictures = {path.stem for path in (folder / "figures").iterdir()} - {"learning", "lengths"}
        return pictures, re.findall("<h2[^>]*>([^<]*)", page)[0].strip(), page

    return report


def test_that_of_a_dnc_shows_its_memory(reported):
    pictures, heading, page = reported("dnc", "copy")
    assert (pictures, heading) == ({"memory"}, "The memory")
    assert "which slots were written one after another" in page


def test_that_of_a_task_of_graphs_shows_the_graph(reported):
    pictures, heading, page = reported("dnc", "traversal")
    assert (pictures, heading) == ({"graph"}, "The graph")
    assert "A test graph of lessons 1" in page
    assert "at which edges each read head looked" in page
