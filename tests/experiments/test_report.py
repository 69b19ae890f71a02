"""A report of a run shows what its memory did, or the graph that it was asked about."""

import dataclasses
import re

import pytest

from memtape.catalog.registry import MODELS, TASKS, Entry, TaskEntry
from memtape.cli.main import run

DNC = Entry(
    name="dnc",
    summary="Differentiable Neural Computer.",
    paper="Graves et al. (2016)",
    path="memtape.models.dnc.dnc:DNC",
    constructor="memtape.models.dnc.dnc:DNCCell",
)
TRAVERSAL = TaskEntry(
    name="traversal",
    summary="Walk through a graph.",
    paper="Graves et al. (2016)",
    path="memtape.tasks.graph.traversal:Traversal",
    constructor="memtape.tasks.graph.traversal:Traversal",
    unit="lesson",
    test_lengths=(1,),
    picture_length=1,
)
TINY = [
    *("--train.batch-size", "2", "--train.steps", "1", "--train.device", "cpu", "--train.validate-every", "1"),
    *("--train.validation-sequences", "2", "--model.slots", "6", "--model.width", "4", "--model.controller-size", "8"),
]


@pytest.fixture
def reported(monkeypatch, tmp_path):
    monkeypatch.setitem(MODELS, "dnc", DNC)
    monkeypatch.setitem(TASKS, "copy", dataclasses.replace(TASKS["copy"], test_lengths=(3,), picture_length=4))
    monkeypatch.setitem(TASKS, "traversal", TRAVERSAL)

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
    assert "A test graph of lesson 1" in page
    assert "at which edges each read head looked" in page
