"""A report of a run draws its memory, the graph of its query, or where it looked in a story."""

import dataclasses
import re

import pytest

from memtape.catalog.registry import TASKS
from memtape.cli.main import run

TINY = [
    *("--train.batch-size", "2", "--train.steps", "1", "--train.device", "cpu", "--train.validate-every", "1"),
    *("--train.validation-sequences", "2"),
]
MACHINE = ["--model.slots", "6", "--model.width", "4", "--model.controller-size", "8"]


@pytest.fixture
def reported(monkeypatch, tmp_path):
    for name, length in (("copy", 4), ("traversal", 1)):
        card = dataclasses.replace(TASKS[name].card, test_lengths=(min(3, length),), picture_length=length)
        monkeypatch.setitem(vars(TASKS[name]), "card", card)

    def report(model, task, *options):
        folder = tmp_path / "run"
        sizes = () if task == "babi" else MACHINE
        assert run(["train", model, task, *TINY, *sizes, *options, "--out", str(folder)]) == 0
        page = (folder / "report.html").read_text()
        pictures = {path.stem for path in (folder / "figures").iterdir()} - {"learning", "lengths"}
        return pictures, re.findall("<h2[^>]*>([^<]*)", page)[0].strip(), page

    return report


@pytest.mark.parametrize(
    ("model", "options", "listed"),
    [
        (
            "dnc",
            (),
            "adds, reads, write gates, allocation gates, free gates, read modes, write weights, read weights, usage; below",
        ),
        ("ntm", (), "adds, reads, content gates, write weights, read weights; below, after the last step: contents."),
        (
            "sam",
            ("--model.heads", "2"),
            "adds, reads, write gates, rewrite gates, write weights, read weights, last access; ",
        ),
        ("mann", ("--model.heads", "2"), "adds, reads, rewrite gates, write weights, read weights, usage; below"),
        ("dam", ("--model.heads", "2"), "write weights, read weights, usage; below, after the last step: contents."),
        ("sdnc", ("--model.heads", "2"), "last access; below, after the last step: links, contents."),
    ],
)
def test_the_report_of_a_network_with_a_memory_draws_its_views(reported, model, options, listed):
    pictures, heading, page = reported(model, "copy", *options)
    assert (pictures, heading) == ({"memory"}, "The memory")
    assert listed in page


def test_the_report_of_a_task_on_graphs_draws_the_graph(reported):
    pictures, heading, page = reported("dnc", "traversal")
    assert (pictures, heading) == ({"graph"}, "The graph")
    assert "A test graph of lesson 1" in page
    assert "which edges each read head read" in page


@pytest.mark.parametrize(
    ("model", "values"),
    [
        ("memn2n", "the weight of each sentence in each hop; supporting sentences are green."),
        (
            "entnet",
            "the gate of each slot for each sentence; supporting sentences are green; below, the share of each slot",
        ),
    ],
)
def test_the_report_of_a_network_that_reads_stories_draws_where_it_looked(reported, model, values):
    pictures, heading, page = reported(model, "babi")
    assert (pictures, heading) == ({"lookup"}, "Where it looked")
    assert values in page


def test_the_report_of_few_shot_draws_the_score_at_each_presentation(reported):
    pictures, heading, page = reported("mann", "few-shot", "--task.classes", "2", "--task.presentations", "6")
    assert (pictures, heading) == ({"curve"}, "Test")
    assert "Share of correct labels at each presentation of a class, over 100 test sequences, the dotted line" in page
