"""A run on several tasks of bAbI: the scores of the whole test split and of each task, in every command that shows them."""

import json
import re

import pytest

from memtape.cli.main import run
from memtape.experiments.run_folder.folder import Run, RunError

TINY = [
    *("--model.embedding-size", "4", "--task.numbers", "1,15", "--train.steps", "1", "--train.batch-size", "2"),
    *("--train.device", "cpu", "--train.validate-every", "1", "--train.validation-sequences", "2"),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several") / "run"
    assert run(["train", "memn2n", "babi", *TINY, "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def scores(finished):
    """The accuracy of the whole test split, and those of its two tasks."""
    results = Run(finished).read("evaluation.json")
    assert [(result.get("length"), result["sequences"]) for result in results] == [(None, 2000), (1, 1000), (15, 1000)]
    return [result["accuracy"] for result in results]


def test_the_whole_is_the_mean_of_its_tasks(scores):
    whole, *each = scores
    assert each[0] != each[1]
    assert whole == pytest.approx(sum(each) / 2)


def test_an_evaluation_repeats_the_records_of_training(finished, scores, capsys):
    capsys.readouterr()
    assert run(["evaluate", str(finished), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["results"]
    assert found == Run(finished).read("evaluation.json")
    assert [result["accuracy"] for result in found] == scores


def test_a_run_is_shown_with_a_dash_for_the_length_of_the_whole(finished, scores, capsys):
    assert run(["runs", "show", str(finished)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["\N{EN DASH}", "2000", f"{scores[0]:.4g}"] in rows
    assert ["15", "1000", f"{scores[2]:.4g}"] in rows


def test_the_report_has_a_row_for_all_and_for_each_task_and_no_curve_over_lengths(finished):
    page = (finished / "report.html").read_text()
    rows = re.findall(r'<th scope="row">(all|1|15)</th>\s*<td[^>]*>([0-9]+)</td>', page)
    assert rows == [("all", "2000"), ("1", "1000"), ("15", "1000")]
    assert not (finished / "figures" / "lengths.png").exists()


def test_a_shared_network_has_a_row_for_all_and_for_each_task(finished, scores, tmp_path):
    assert run(["share", str(finished), str(tmp_path / "card")]) == 0
    card = (tmp_path / "card" / "README.md").read_text()
    assert "| length (task) | sequences | accuracy |" in card
    for name, count, accuracy in zip(("all", 1, 15), (2000, 1000, 1000), scores, strict=True):
        assert f"| {name} | {count} | {accuracy:.4g} |" in card


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"length": 1, "sequences": 2, "accuracy": 0.5}, {"sequences": 2, "accuracy": 0.5}]', "have no length"),
        ('[{"sequences": 2, "accuracy": 0.5}, {"length": 1, "accuracy": 0.5}]', "different names"),
    ],
)
def test_only_the_first_record_may_lack_a_length_and_no_other_number(tmp_path, text, reason):
    (tmp_path / "evaluation.json").write_text(text)
    with pytest.raises(RunError, match=reason):
        Run(tmp_path).read("evaluation.json")
