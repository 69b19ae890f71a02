"""`memtape reproduce`: runs of the same seeds agree with their own ledger, and not with another one."""

import json
from dataclasses import replace

import pytest

from memtape.catalog.registry import RECIPES
from memtape.cli.main import run
from memtape.experiments import ledger

RECIPE = "lstm/copy"
REPRODUCE = ["reproduce", RECIPE, "--seeds", "0:3"]


@pytest.fixture
def own(tmp_path, monkeypatch, fake_training, capsys):
    """Return the file of the recipe in a ledger with the numbers of the fake training."""
    monkeypatch.setattr(ledger, "FOLDER", tmp_path / "results")
    assert run([*REPRODUCE, "--update"]) == 0
    file = tmp_path / "results" / f"{RECIPE}.json"
    assert capsys.readouterr().out.endswith(f"wrote {file}\n")
    return file


def change(file, **metrics):
    result = json.loads(file.read_text())
    for seed in result["seeds"]:
        seed["metrics"] |= metrics
    file.write_text(json.dumps(result))


def test_the_same_numbers_agree(own, capsys):
    assert run(REPRODUCE) == 0
    printed = capsys.readouterr()
    assert "lstm/copy: 3 seeds, 2 at a time; the ledger has about " in printed.err
    assert "solved: 1 of 3 in the ledger, 1 of 3 now; the 95% intervals of these shares overlap" in printed.out
    assert printed.out.endswith("lstm/copy agrees with the ledger\n")


@pytest.mark.parametrize("name", ["validation_cost_bits", "wrong_bits_20"])
def test_other_numbers_do_not_agree(own, capsys, name):
    change(own, **{name: 50.0})
    assert run(REPRODUCE) == 1
    assert capsys.readouterr().out.endswith(f"does not agree with the ledger: {name.replace('_', ' ')}\n")


def test_lengths_beyond_those_of_training_are_printed_and_not_compared(own, capsys):
    result = json.loads(own.read_text())
    for seed in result["seeds"]:
        for name in ("wrong_bits", "cost_bits"):
            seed["metrics"][f"{name}_120"] = seed["metrics"].pop(f"{name}_20")
    own.write_text(json.dumps(result))
    assert run(REPRODUCE) == 0
    change(own, wrong_bits_20=50.0, wrong_bits_120=50.0)
    assert run(REPRODUCE) == 1
    assert capsys.readouterr().out.endswith("does not agree with the ledger: wrong bits 20\n")


def test_another_share_of_solved_seeds_does_not_agree(own, capsys):
    result = json.loads(own.read_text())
    result["seeds"] = [{**seed, "solved": True} for seed in result["seeds"] * 10]
    own.write_text(json.dumps(result))
    assert run(["reproduce", RECIPE, "--seeds", "1:3"]) == 1
    printed = capsys.readouterr().out
    assert "solved: 30 of 30 in the ledger, 0 of 2 now; the 95% intervals of these shares do not overlap" in printed
    assert printed.endswith("lstm/copy does not agree with the ledger: the share of solved seeds\n")


def test_the_result_has_the_format_of_the_ledger(own):
    result = json.loads(own.read_text())
    real = json.loads((ledger.SOURCE_TREE / "results" / "ntm" / "copy.json").read_text())
    assert list(result) == list(real)
    assert result["command"] == "memtape reproduce lstm/copy --seeds 0:3 --jobs 2"
    assert list(result["seeds"][0]) == list(real["seeds"][0])
    assert result["seeds"][1]["metrics"] == {
        "validation_cost_bits": 1.1,
        "validation_wrong_bits": 1.0,
        "wrong_bits_20": 1.0,
        "cost_bits_20": 1.1,
    }


def test_a_saved_sweep_is_not_trained_again(own, tmp_path, capsys):
    words = [*REPRODUCE, "--out", str(tmp_path / "sweep")]
    assert run(words) == 0
    calls = (tmp_path / "sweep" / "configurations" / "0000" / "calls").read_text()
    assert run(words) == 0
    assert (tmp_path / "sweep" / "configurations" / "0000" / "calls").read_text() == calls


def test_an_installed_package_is_not_updated(monkeypatch, capsys):
    monkeypatch.setattr(ledger, "IN_SOURCE_TREE", False)
    assert run([*REPRODUCE, "--update"]) == 2
    assert "--update writes into the source tree, but memtape is installed as a package; use a clone" in (
        capsys.readouterr().err
    )


def test_failed_seeds_are_named_and_do_not_agree(own, monkeypatch, capsys):
    broken = ("/bin/sh", "-c", "echo memtape: it broke >&2; exit 1")
    monkeypatch.setattr("memtape.experiments.sweep.workers.COMMAND", broken)
    assert run(REPRODUCE) == 1
    printed = capsys.readouterr().out
    assert "seed 0 failed: memtape: it broke" in printed
    assert printed.endswith("lstm/copy does not agree with the ledger: no seed was trained to its end\n")


def test_a_run_prints_the_expected_result_of_the_ledger_first(tmp_path, capsys):
    (tmp_path / "mine").write_text("")  # makes the command stop there
    assert run(["train", "treelstm", "boolean", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(
        "the ledger: 3 of 3 seeds solved, about 2 s a seed on AMD EPYC, 2 cores; `memtape results treelstm boolean`\n"
    )


def test_a_recipe_with_several_values_is_trained_with_each(tmp_path, monkeypatch, fake_training, capsys):
    monkeypatch.setattr(ledger, "FOLDER", tmp_path / "results")
    several = replace(RECIPES[RECIPE], each=("train.learning_rate", (0.01, 0.02)))
    monkeypatch.setattr("memtape.cli.reproduce.find", lambda kind, name: several)
    assert run([*REPRODUCE, "--update"]) == 0
    result = json.loads((tmp_path / "results" / f"{RECIPE}.json").read_text())
    rows = [(row["each"], row["seed"], row["metrics"]["validation_cost_bits"]) for row in result["seeds"]]
    assert result["each"] == "train.learning_rate"
    assert rows == [(rate, seed, 100 * rate + seed) for rate in (0.01, 0.02) for seed in (0, 1, 2)]
    assert run(REPRODUCE) == 0
    assert "2.5 (1.5 to 3.5)" in capsys.readouterr().out
    for row in result["seeds"]:
        row["seconds"] = 60.0
    (tmp_path / "results" / f"{RECIPE}.json").write_text(json.dumps(result))
    assert run([*REPRODUCE, "--jobs", "6"]) == 0  # all six training runs at once
    assert "so expect about 1.0 min" in capsys.readouterr().err


@pytest.mark.slow
def test_a_recipe_agrees_with_the_ledger(capsys):
    assert run(["reproduce", "treelstm/boolean", "--seeds", "0"]) == 0
    assert capsys.readouterr().out.endswith("treelstm/boolean agrees with the ledger\n")
