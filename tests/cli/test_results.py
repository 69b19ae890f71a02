"""`memtape results`: the printed tables of the ledger."""

import json

from memtape.catalog.registry import RECIPES
from memtape.cli.main import run
from memtape.experiments import ledger
from memtape.experiments.ledger import Result, write_result


def test_every_result_has_a_line(capsys):
    assert run(["results"]) == 0
    printed = capsys.readouterr().out
    assert "ntm/copy " in printed
    assert "treelstm/boolean" in printed
    assert "`memtape results MODEL TASK` prints all scores" in printed


def test_results_of_a_model_on_a_task_have_published_numbers_spread_hardware_commit_and_command(capsys):
    assert run(["results", "ntm", "copy"]) == 0
    printed = capsys.readouterr().out
    assert "lstm/copy" not in printed
    for part in (
        "ntm-lstm 0.1",
        "10 of 10",
        "AMD EPYC, 2 cores",
        "commit f28ea08cf0f9",
        "wrong bits 50: 0 (0 to 1.97)",
    ):
        assert part in printed
    assert "memtape reproduce ntm/copy --seeds 0:10 --jobs 1\n" in printed
    assert "published: Graves, Wayne & Danihelka (2014), arXiv:1410.5401, figure 3" in printed


def test_results_as_json(capsys):
    assert run(["results", "treelstm", "--json"]) == 0
    boolean, sentiment = json.loads(capsys.readouterr().out)
    assert (boolean["recipe"], sentiment["recipe"]) == ("treelstm/boolean", "treelstm/sentiment")
    assert (boolean["solved"], boolean["seeds"], boolean["data"]) == (3, 3, None)
    assert sentiment["published"] == RECIPES["treelstm/sentiment"].published
    assert sentiment["data"] == "real"
    assert sentiment["scores"]["accuracy_test"].keys() == {"median", "low", "high"}
    assert len(sentiment["minutes"]) == 3


def test_results_as_markdown_have_a_table_for_each_task(capsys):
    assert run(["results", "--task", "boolean", "digits", "--markdown"]) == 0
    boolean, digits = capsys.readouterr().out.strip().split("\n\n")
    lengths = " | ".join(f"accuracy {length}" for length in (6, 7, 8, 9))
    assert (
        boolean.splitlines()[0] == f"| recipe | seeds solved | minutes | published | validation accuracy | {lengths} |"
    )
    assert "| `treelstm/boolean` | 3 of 3 | 0.0 |  | 1 (1 to 1) | 1 | 1 | 1 | 1 |" in boolean
    assert digits.splitlines()[0] == "| recipe | seeds | minutes | published | accuracy test |"


def test_the_parts_of_results_as_json_have_the_numbers_of_the_table(tmp_path, monkeypatch, capsys):
    seeds = [
        {"each": value, "seed": seed, "solved": False, "seconds": 1.0, "metrics": {"accuracy_test": accuracy}}
        for value, accuracies in (("1", (1.0, 0.5)), ("2", (0.25, 0.25)))
        for seed, accuracy in enumerate(accuracies)
    ]
    named = {
        "recipe": "memn2n/babi",
        "model": "memn2n",
        "task": "babi",
        "command": "memtape reproduce",
        "commit": "abc",
    }
    monkeypatch.setattr(ledger, "FOLDER", tmp_path)
    write_result(Result(**named, hardware="AMD EPYC", environment={}, each="task.numbers", seeds=seeds))
    assert run(["results", "memn2n", "babi", "--each", "--json"]) == 0
    (parts,) = json.loads(capsys.readouterr().out)
    assert (parts["recipe"], parts["option"]) == ("memn2n/babi", "numbers")
    assert [(part["name"], part["mean"]) for part in parts["parts"]] == [("1", 0.75), ("2", 0.25)]
    assert run(["results", "memn2n", "babi", "--each"]) == 0
    assert "0.75" in capsys.readouterr().out
    assert run(["results", "memn2n", "babi", "--json"]) == 0
    (whole,) = json.loads(capsys.readouterr().out)
    assert (whole["seeds"], whole["each"]) == (2, "task.numbers")


def test_no_results_are_reported_as_such(capsys):
    assert run(["results", "ntm", "adding"]) == 0
    assert capsys.readouterr().out == "the ledger has no result of these; `memtape results` prints all\n"
