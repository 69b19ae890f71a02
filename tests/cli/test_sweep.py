"""`memtape sweep`: its report, how it stops and continues after a signal or a kill, and the arguments that it refuses."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from memtape.cli.main import run

TINY = ["--task.bits", "2", "--task.max-length", "3", "--model.hidden-size", "4", "--train.learning-rate", "0.01"]
SWEEP = ["sweep", "lstm", "copy", *TINY]
SPACE = "trials = 4\n[train]\nlearning_rate = { low = 1e-4, high = 1e-1, log = true }\n"


@pytest.fixture
def space(tmp_path):
    file = tmp_path / "space.toml"
    file.write_text(SPACE)
    return str(file)


def start(fake_training, words, **environment):
    """Start a sweep in a new process, with the fake training command."""
    code = (
        f"import memtape.experiments.sweep.workers as workers; workers.COMMAND = {fake_training!r}\n"
        f"from memtape.cli.main import main; main({words!r})"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(folder, pattern, number):
    until = time.monotonic() + 60
    while len(list(folder.glob(pattern))) < number:
        assert time.monotonic() < until
        time.sleep(0.02)


def without_times(folder):
    """Return a report without the times, which differ between sweeps."""
    report = json.loads((folder / "report.json").read_text())
    for configuration in report["configurations"]:
        del configuration["seconds"]
        for row in configuration["rows"]:
            row.pop("seconds", None)
    return report


def calls(folder):
    return sorted(
        f"{file.parent.name} {line}"
        for file in folder.glob("configurations/*/calls")
        for line in file.read_text().splitlines()
    )


def test_help_is_given_without_loading_torch_or_optuna():
    code = (
        "import sys; from memtape.cli.main import run\n"
        "assert run(['sweep', 'ntm', 'copy', '--help']) == 0\n"
        "assert not {'torch', 'matplotlib', 'optuna'} & set(sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    for option in (
        "--seeds",
        "--jobs",
        "--space",
        "--sampler-seed",
        "--model.slots",
        "--train.learning-rate",
        "--config",
    ):
        assert option in finished.stdout


def test_seeds_are_reported_with_their_interval(fake_training, capsys, tmp_path):
    assert run([*SWEEP, "--seeds", "0:3", "--out", str(tmp_path / "sweep")]) == 0
    printed = capsys.readouterr()
    assert "1 of 3  6% to 79%" in printed.out
    assert "2 (2 to 2)" in printed.out
    assert f"wrote {tmp_path / 'sweep' / 'best.toml'}" in printed.out
    assert "no. 0 seed 0: solved after 2 steps, 1.000 bits" in printed.err
    assert "no. 0 seed 2: not solved, 3.000 bits" in printed.err


def test_a_space_is_searched_and_reported_from_the_best(fake_training, capsys, tmp_path, space):
    assert run([*SWEEP, "--seeds", "0:2", "--space", space, "--out", str(tmp_path / "sweep")]) == 0
    printed = capsys.readouterr().out
    assert "train.learning_rate" in printed
    configurations = json.loads((tmp_path / "sweep" / "report.json").read_text())["configurations"]
    assert len(configurations) == 4
    assert [one["value"] for one in configurations] == sorted(one["value"] for one in configurations)
    assert f"seeds of no. {configurations[0]['number']}:" in printed


def test_the_sampler_s_seed_can_be_chosen(fake_training, tmp_path, space):
    rates = []
    for name, seed in (("one", "0"), ("two", "0"), ("three", "5")):
        words = ["--seeds", "0", "--space", space, "--sampler-seed", seed, "--out", str(tmp_path / name)]
        assert run([*SWEEP, *words]) == 0
        rates.append([one["values"] for one in without_times(tmp_path / name)["configurations"]])
    assert rates[0] == rates[1] != rates[2]


def test_a_failure_is_reported_and_counted(fake_training, capsys, tmp_path):
    assert run([*SWEEP[:-1], "0.5", "--seeds", "0:2", "--out", str(tmp_path / "sweep")]) == 0
    printed = capsys.readouterr()
    for text in (printed.out, printed.err):
        assert "no. 0 seed 1 failed, exit code 1: memtape: the loss at update 2 is not finite" in text
    assert "0 of 2" in printed.out


@pytest.mark.slow
def test_a_killed_sweep_continues_to_the_same_report(fake_training, tmp_path, space):
    def words(name):
        return [*SWEEP, "--seeds", "0:2", "--jobs", "1", "--space", space, "--out", str(tmp_path / name)]

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for number in (1, 4):
        sweep = start(fake_training, words("killed"), FAKE_TRAINING_SECONDS="0.4")
        wait_for(killed, "configurations/*/*/result.json", number)
        wait_for(killed, "configurations/*/*/config.json", number + 1)
        sweep.kill()
        sweep.communicate()
    last = start(fake_training, words("killed"))
    assert "wrote" in last.communicate()[0]
    assert last.returncode == 0
    assert run(words("whole")) == 0
    assert without_times(killed) == without_times(whole)
    assert calls(killed) == calls(whole)
    for name in ("best.toml", "learning_curves.png", "learning_curves.svg"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_stops_the_training_runs_and_prints_how_to_continue(fake_training, tmp_path, number):
    folder = tmp_path / "sweep"
    words = [*SWEEP, "--seeds", "0:3", "--out", str(folder)]
    sweep = start(fake_training, words, FAKE_TRAINING_SECONDS="60")
    wait_for(folder, "configurations/0000/seed*/config.json", 2)
    sweep.send_signal(number)
    printed, messages = sweep.communicate(timeout=30)
    assert sweep.returncode == 0
    assert printed == f"stopped; the same command with --out {folder} continues\n"
    assert "stopping; training runs write a checkpoint and end" in messages
    assert not (folder / "report.json").exists()
    assert run(words) == 0
    assert [line for line in calls(folder) if "resume" in line] == ["0000 resume seed0 1", "0000 resume seed1 1"]
    assert without_times(folder)["configurations"][0]["trained"] == 3


def refused(capsys, *words):
    """Return the sentence with which a sweep is refused."""
    assert run(list(map(str, words))) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    sentence = printed.err.splitlines()[-1]
    assert sentence.startswith("memtape: ")
    return sentence


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sweep", "nmt", "copy"], 'Unknown command "nmt". Did you mean "ntm"?'),
        (["sweep", "lstm", "copy", "--model.hidden-sizes", "4"], "Did you mean --model.hidden-size?"),
        (["sweep", "lstm", "copy", "--seed", "4"], "Did you mean --seeds?"),
        (["sweep", "lstm", "copy", "--model.layers", "0"], "layers of StackedLSTMCell is 0, but it must be at least 1"),
        (["sweep", "lstm", "copy", "--seeds", "4:4"], "--seeds is '4:4', which is empty, as the end is not included"),
        (["sweep", "lstm", "copy", "--seeds", "0:9999999999"], "is '0:9999999999', but a sweep has at most 10000"),
        (["sweep", "lstm", "copy", "--seeds", "0-9"], "--seeds is '0-9', but it must be FIRST:END or a single seed"),
        (["sweep", "lstm", "copy", "--seeds", "0:"], "--seeds is '0:', but it must be FIRST:END or a single seed"),
        (["sweep", "lstm", "copy", "--jobs", "0"], "--jobs is 0, but it must be at least 1"),
        (["sweep", "lstm", "copy", "--sampler-seed", "-1"], "--sampler-seed is -1, but it must be at least 0"),
        (["sweep", "lstm", "copy", "--space", "nothing.toml"], "the file nothing.toml cannot be read"),
        (
            ["sweep", "lstm", "copy", "--space", "bad.toml"],
            'no option "slots" for [model] in bad.toml; the options are',
        ),
        (["sweep", "lstm", "copy", "--config", "seed.toml"], "seed"),
    ],
)
def test_an_invalid_request_is_refused_with_one_sentence(
    capsys, shapes_unchecked, tmp_path, monkeypatch, words, sentence
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text("trials = 2\n[model]\nslots = [4]\n")
    (tmp_path / "seed.toml").write_text("seed = 4\n")
    assert sentence in refused(capsys, *words)
    assert {path.name for path in tmp_path.iterdir()} == {"bad.toml", "seed.toml"}


def test_an_unwritable_path_is_named(fake_training, capsys, tmp_path):
    log = tmp_path / "sweep" / "configurations" / "0000" / "seed0.log"
    words = [*SWEEP, "--seeds", "0", "--out", str(tmp_path / "sweep")]
    assert run(words) == 0
    for name in ("report.json", "configurations/0000/seed0/report.html"):
        (tmp_path / "sweep" / name).unlink()
    log.unlink()
    log.mkdir()
    capsys.readouterr()
    assert f"{log} cannot be written (Is a directory); free disk space, and the same command" in refused(capsys, *words)


def test_another_sweep_in_the_same_folder_is_refused(fake_training, capsys, tmp_path):
    words = [*SWEEP, "--out", str(tmp_path / "sweep")]
    assert run([*words, "--seeds", "0"]) == 0
    capsys.readouterr()
    assert "was started with seeds [0], but it is [1] now" in refused(capsys, *words, "--seeds", "1")
