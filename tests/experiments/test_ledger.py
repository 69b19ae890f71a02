"""Ledger: the results of recipes are read and written, and each is summarised over its seeds."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from memtape.catalog.registry import RECIPES
from memtape.experiments import ledger
from memtape.experiments.expectation import expectation
from memtape.experiments.ledger import Result, headlines, read_result, results, write_result
from memtape.experiments.reproduction import changed_options, experiment_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "FOLDER", tmp_path)
    return tmp_path


def seed(number, cost, *, solved=True, seconds=30.0):
    metrics = {"validation_cost_bits": cost, "validation_wrong_bits": 0.0, "wrong_bits_10": 0.0}
    return {"seed": number, "solved": solved, "seconds": seconds, "metrics": metrics}


def result(*seeds, recipe="ntm/copy", data=None):
    model, task = RECIPES[recipe].model, RECIPES[recipe].task
    return Result(
        recipe=recipe,
        model=model,
        task=task,
        command=f"memtape reproduce {recipe} --seeds 0:{len(seeds)} --jobs 1",
        data=data,
        commit="abc",
        hardware="AMD EPYC, 2 cores, 1 at a time, 1 thread each",
        environment={"torch": "2.13.0"},
        seeds=list(seeds),
    )


FAILED = {"seed": 9, "solved": False, "error": "out of memory"}


def test_a_result_is_read_as_it_was_written(folder):
    before = result(seed(0, 1.0), FAILED)
    assert write_result(before) == folder / "ntm" / "copy.json"
    assert read_result("ntm/copy") == before
    assert "data" not in json.loads((folder / "ntm" / "copy.json").read_text())
    assert read_result("ntm/ngrams") is None


def test_a_result_is_summarised_over_its_seeds():
    summary = result(
        seed(0, 1.0, seconds=60), seed(1, 5.0, seconds=120), seed(2, 2.0, solved=False, seconds=600), FAILED
    )
    spread = summary.spread("validation_cost_bits")
    assert (spread.median, spread.low, spread.high) == (2.0, 1.0, 5.0)
    assert (summary.solved, len(summary.finished), summary.minutes) == (2, 3, 2.0)
    assert summary.machine == "AMD EPYC, 2 cores"
    low, high = summary.interval
    assert low < 0.5 < high


def test_results_are_chosen_by_model_and_by_tasks(folder):
    for name in ("ntm/copy", "ntm/copy-feedforward", "ntm/ngrams", "lstm/copy"):
        write_result(result(seed(0, 1.0), recipe=name))
    names = [recipe.name for recipe, _ in results()]
    assert names == ["lstm/copy", "ntm/copy", "ntm/copy-feedforward", "ntm/ngrams"]
    assert [recipe.name for recipe, _ in results("ntm", ["ngrams", "copy"])] == [
        *("ntm/ngrams", "ntm/copy", "ntm/copy-feedforward")
    ]
    assert results("ntm", ["adding"]) == []


def test_headlines_are_the_metrics_that_the_paper_reports_or_the_first_score():
    metrics = ["validation_cost_bits", "validation_wrong_bits", "cost_bits_10"]
    assert headlines(RECIPES["ntm/copy"], metrics) == ["validation_cost_bits"]
    assert headlines(RECIPES["dnc/copy"], metrics) == ["validation_cost_bits"]
    assert headlines(RECIPES["dnc/traversal"], ["validation_right", "right_14", "right_15"]) == ["right_15", "right_14"]
    assert headlines(RECIPES["gru/digits"], ["validation_accuracy", "accuracy_test"]) == ["accuracy_test"]


def test_the_ledger_reports_the_expected_result_before_training(folder):
    experiment = experiment_of(RECIPES["ntm/copy"])
    assert expectation(experiment) is None
    write_result(result(seed(0, 1.0), seed(1, 2.0)))
    assert expectation(experiment) == (
        "the ledger: 2 of 2 seeds solved, about 30 s a seed on AMD EPYC, 2 cores; `memtape results ntm copy`"
    )
    write_result(result(seed(0, 1.0, solved=False, seconds=600), seed(1, 2.0, solved=False, seconds=600)))
    assert "the ledger: validation cost bits 1.5 (median of 2 seeds), about 10 min a seed" in expectation(experiment)


def changed(part, **options):
    config = experiment_of(RECIPES["ntm/copy"]).config()
    return type(experiment_of(RECIPES["ntm/copy"])).from_config({**config, part: {**config[part], **options}})


@pytest.mark.parametrize(
    ("experiment", "names"),
    [
        (changed("model_options", slots=7), ["model.slots"]),
        (changed("task_options", bits=7), ["task.bits"]),
        (changed("train", steps=7), ["train.steps"]),
        (changed("train", keep=7, threads=1, device="cpu", tracker="tensorboard"), []),
    ],
)
def test_options_that_change_the_numbers_make_a_run_incomparable(folder, experiment, names):
    write_result(result(seed(0, 1.0)))
    assert changed_options(experiment, RECIPES["ntm/copy"]) == names
    assert (expectation(experiment) is None) == bool(names)


def test_a_run_on_other_data_is_not_comparable(folder):
    summary = result(seed(0, 1.0), recipe="lstm/sentiment", data="real")
    write_result(summary)
    assert expectation(experiment_of(RECIPES["lstm/sentiment"])) == (
        "the ledger has lstm/sentiment on real data, which is not comparable; `memtape results lstm sentiment`"
    )


@pytest.mark.slow
def test_a_wheel_has_every_recipe_and_every_result(tmp_path):
    """The wheel is built in a copy of the tree from the source distribution, without kernels, which take a minute."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ledger.SOURCE_TREE / name, tree)
    for name in ("src", "results", "csrc"):
        shutil.copytree(ledger.SOURCE_TREE / name, tree / name)
    environment = {**os.environ, "CXX": "/bin/false"}
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path), "-t"]
    subprocess.run([*build, "sdist"], cwd=tree, env=environment, check=True, capture_output=True)
    shutil.unpack_archive(next(tmp_path.glob("*.tar.gz")), tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    subprocess.run([*build, "wheel"], cwd=unpacked, env=environment, check=True, capture_output=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert {f"memtape/recipes/{name}.toml" for name in RECIPES} <= set(names)
    kept = {str(path.relative_to(ledger.SOURCE_TREE)) for path in (ledger.SOURCE_TREE / "results").rglob("*.json")}
    assert {f"memtape/{name}" for name in kept} <= set(names)
