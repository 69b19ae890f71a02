"""Parts: a result with several values of an option, or of one network on several tasks, is summarised part by part."""

from dataclasses import replace

import pytest

from memtape.catalog.registry import RECIPES
from memtape.core.data_record import DataFile, DataRecord, joined_records
from memtape.experiments import ledger
from memtape.experiments.expectation import expectation
from memtape.experiments.experiment import Experiment
from memtape.experiments.ledger import Result, read_result, write_result
from memtape.experiments.parts import parts_of
from memtape.experiments.reproduction import changed_options, experiment_of
from memtape.tasks.stories.babi_splits import numbers_of

RECIPE = replace(
    RECIPES["memn2n/babi"],
    each=("task.numbers", ("1", "2")),
    published={"accuracy_test": {"memn2n": 0.9}},
    published_each={"memn2n": (1.0, 0.8)},
)


def row(value, seed, accuracy, loss, **more):
    metrics = {"validation_accuracy": 0.5, "accuracy_test": accuracy, **more}
    kept = {"seed": seed, "solved": False, "seconds": 60.0, "training_loss": loss, "metrics": metrics}
    return {"each": value, **kept} if value else kept


def result(*rows, each="task.numbers", recipe="memn2n/babi"):
    named = {"recipe": recipe, "model": "memn2n", "task": "babi", "command": "memtape reproduce", "commit": "abc"}
    machine = {"hardware": "AMD EPYC, 2 cores, 1 at a time, 1 thread each", "environment": {"torch": "2.13.0"}}
    return Result(**named, **machine, each=each, seeds=list(rows))


FOUR = (row("1", 0, 1.0, 0.3), row("1", 1, 0.9, 0.2), row("2", 0, 0.6, 0.5), row("2", 1, 0.8, 0.7))


def test_a_seed_of_several_values_has_their_mean_scores_and_the_sum_of_their_times():
    both = result(*FOUR)
    assert [seed["metrics"]["accuracy_test"] for seed in both.finished] == pytest.approx([0.8, 0.85])
    assert (both.trained, both.minutes, both.values) == (2, 2.0, ["1", "2"])
    spread = both.spread("accuracy_test")
    assert (spread.low, spread.median, spread.high) == pytest.approx((0.8, 0.825, 0.85))


def test_a_seed_that_failed_with_one_value_is_left_out_of_the_means():
    failed = {"each": "2", "seed": 1, "solved": False, "error": "out of memory"}
    most = result(*FOUR[:3], failed)
    assert [seed["seed"] for seed in most.finished] == [0]
    assert most.trained == 2
    first, second = parts_of(RECIPE, most).parts
    assert (first.mean, second.mean) == pytest.approx((0.95, 0.6))


def test_a_part_has_the_mean_over_seeds_and_the_seed_with_the_lowest_training_loss():
    parts = parts_of(RECIPE, result(*FOUR))
    assert parts.title == "`memn2n/babi`, accuracy test, 2 seeds:"
    first, second, mean, passed = parts.rows()
    expected = {"lowest training loss": 0.9, "mean of seeds": 0.95, "sd of seeds": 0.0707107, "published memn2n": 1.0}
    assert first.pop("numbers") == "1"
    assert first == pytest.approx(expected)
    assert (second["lowest training loss"], second["mean of seeds"]) == pytest.approx((0.6, 0.7))
    assert (mean["numbers"], mean["lowest training loss"], mean["published memn2n"]) == ("mean", 0.75, 0.9)
    assert passed == {
        "numbers": "at least 0.95",
        "lowest training loss": 0,
        "mean of seeds": 1,
        "published memn2n": 1,
    }


def test_published_numbers_belong_to_the_value_and_not_to_the_place():
    only_second = result(*FOUR[2:])
    second, *_ = parts_of(RECIPE, only_second).rows()
    assert (second["numbers"], second["published memn2n"]) == ("2", 0.8)


def test_the_parts_of_one_network_are_those_of_its_test():
    joint = replace(RECIPE, each=None)
    rows = [row(None, seed, 0.7, loss, accuracy_1=one, accuracy_16=0.5) for seed, loss, one in ((0, 1, 0.8), (1, 0, 1))]
    first, second, mean, _ = parts_of(joint, result(*rows, each=None)).rows()
    assert (first["task"], first["lowest training loss"], first["mean of seeds"]) == ("1", 1.0, pytest.approx(0.9))
    assert (second["task"], second["published memn2n"]) == ("16", 0.8)
    assert mean["lowest training loss"] == 0.75
    assert parts_of(joint, result(row(None, 0, 0.7, 1.0), each=None)) is None


def test_parts_whose_first_score_is_that_of_validation_are_counted_as_shares():
    rows = [row(value, 0, 0.0, 0.1) for value in ("1", "2")]
    for one, accuracy in zip(rows, (1.0, 0.5), strict=True):
        one["metrics"] = {"validation_accuracy": accuracy, "accuracy_6": 0.0}
    *_, passed = parts_of(replace(RECIPE, published={}), result(*rows)).rows()
    assert (passed["numbers"], passed["mean of seeds"]) == ("at least 0.95", 1)


def test_each_shipped_recipe_of_one_network_has_a_published_number_for_each_task():
    joint = [recipe for recipe in RECIPES.values() if recipe.published_each and recipe.each is None]
    assert joint
    for recipe in joint:
        tasks = numbers_of(recipe.task_options["numbers"])
        assert {len(numbers) for numbers in recipe.published_each.values()} == {len(tasks)}, recipe.name


def test_a_result_of_several_values_is_read_as_it_was_written(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "FOLDER", tmp_path)
    write_result(result(*FOUR))
    assert read_result("memn2n/babi") == result(*FOUR)


def test_a_training_run_expects_the_result_of_its_own_value(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "FOLDER", tmp_path)
    write_result(replace(result(*FOUR), data="synthetic"))
    base = experiment_of(RECIPES["memn2n/babi"])

    def expected(number):
        task = {**base.config()["task_options"], "numbers": number}
        experiment = Experiment.from_config({**base.config(), "task_options": task})
        assert changed_options(experiment, RECIPES["memn2n/babi"]) == []
        return expectation(experiment)

    assert "accuracy test 0.95 (median of 2 seeds)" in expected("1")
    assert "accuracy test 0.7 (median of 2 seeds)" in expected("2")
    assert expected("3") is None


def test_the_data_of_several_parts_is_every_file_once_and_all_examples():
    one, two = (DataFile.of(name, name.encode()) for name in ("one", "two"))
    parts = [
        DataRecord(kind="files", name="bAbI", files=(one,), examples={"train": 3, "test": 1}),
        DataRecord(kind="files", name="bAbI", files=(one, two), examples={"train": 4}),
    ]
    joined = joined_records(parts)
    assert (joined.files, joined.examples) == ((one, two), {"train": 7, "test": 1})
