"""`memtape generate`: the text of a language model, generated without its training data."""

import json
import shutil

import pytest

from memtape.cli.main import run
from memtape.experiments.run_folder.folder import Run

TINY = ["--train.steps", "1", "--train.batch-size", "2", "--train.validate-every", "1", "--train.device", "cpu"]
TINY += ["--train.validation-sequences", "2", "--model.hidden-size", "4"]


def trained(folder, *words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)
        assert run(["train", *words, *TINY, "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    """Return a run whose text file was in a folder that is deleted."""
    place = tmp_path_factory.mktemp("language")
    (place / "data").mkdir()
    (place / "data" / "own.txt").write_text("to be, or not to be: that is the question\n" * 20)
    words = ["lstm", "char-lm", "--task.file", "own.txt", "--task.window", "8", "--data-dir", str(place / "data")]
    folder = trained(place / "run", *words)
    shutil.rmtree(place / "data")
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("other") / "run", "lstm", "boolean", "--task.max-length", "2")


def generated(capsys, folder, *words):
    capsys.readouterr()
    assert run(["generate", str(folder), *words]) == 0
    return capsys.readouterr().out


def test_it_prints_the_prompt_and_continues_without_the_data(language, capsys):
    text = generated(capsys, language, "--prompt", "to be", "--length", "30")
    assert text.startswith("to be")
    assert len(text) == len("to be") + 30 + len("\n")
    assert set(text) <= set(json.loads((language / "vocabulary.json").read_text()))


def test_the_seed_determines_the_draws_and_temperature_0_draws_nothing(language, capsys):
    drawn = [generated(capsys, language, "--length", "40", "--seed", seed) for seed in ("1", "1", "2")]
    assert drawn[0] == drawn[1] != drawn[2]
    likeliest = [
        generated(capsys, language, "--length", "9", "--temperature", "0", "--seed", seed) for seed in ("1", "2")
    ]
    assert likeliest[0] == likeliest[1]


@pytest.mark.parametrize("temperature", ["1e-320", "5e-324", "1e-40"])
def test_the_smallest_temperatures_take_the_most_likely_character(language, capsys, temperature):
    likeliest = generated(capsys, language, "--length", "9", "--temperature", "0")
    assert generated(capsys, language, "--length", "9", "--temperature", temperature) == likeliest


def test_it_stops_after_the_stop_character(language, capsys):
    text = generated(capsys, language, "--prompt", "b", "--stop", " ", "--length", "400")
    assert text.endswith(" \n")
    assert text.count(" ") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--prompt", "zebra"], "the prompt has the character 'z', which is not one of the 16 in its vocabulary"),
        (["--prompt", "-"], "the prompt has the character '-'"),
        (["--prompt", ""], "the prompt is empty, but a network generates after what it has read"),
        (["--temperature", "-1"], "temperature is -1.0, but it divides logits; give a number of at least 0"),
        (["--temperature", "nan"], "temperature is nan, but it divides logits"),
        (["--temperature", "inf"], "temperature is inf, but it divides logits"),
        (["--length", "0"], "length is 0, but it must be at least 1"),
        (["--seed", "9" * 30], "seed is 999999999999999999999999999999, beyond 4611686018427387904"),
        (["--stop", "z"], "the stop has the character 'z'"),
        (["--stop", "be"], "--stop is 'be', but it must be one character"),
        (["--stop", ""], "--stop is '', but it must be one character"),
    ],
)
def test_invalid_arguments_are_refused_with_one_sentence(language, capsys, words, sentence):
    capsys.readouterr()
    assert run(["generate", str(language), *words]) == 2
    message = capsys.readouterr()
    assert message.out == ""
    assert message.err.count("\n") == 1
    assert sentence in message.err


def test_a_run_that_generates_no_text_is_refused(other, capsys):
    assert run(["generate", str(other)]) == 2
    assert "is a run of lstm on boolean, which does not generate characters" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("vocabulary", "sentence"),
    [
        ({"a": 0}, "vocabulary.json is not a valid file of a run (Input should be a valid list)"),
        ([1, 2], "vocabulary.json is not a valid file of a run (0: Input should be a valid string)"),
        (["to", "be"], "does not generate characters"),
        (["", "b"], "does not generate characters"),
        ([], "does not generate characters"),
        (["\n", "b"], "does not hold the weights of the network in config.json"),
        (["\n"] * 16, "does not hold the weights of the network in config.json"),
    ],
    ids=str,
)
def test_a_vocabulary_of_another_run_is_refused(language, tmp_path, capsys, vocabulary, sentence):
    folder = shutil.copytree(language, tmp_path / "run")
    (folder / "vocabulary.json").write_text(json.dumps(vocabulary))
    Run(folder).finish()
    assert run(["generate", str(folder)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_changed_vocabulary_is_reported_as_damage(language, tmp_path, capsys):
    folder = shutil.copytree(language, tmp_path / "run")
    (folder / "vocabulary.json").write_text("[]")
    assert run(["generate", str(folder)]) == 2
    assert "vocabulary.json" in capsys.readouterr().err


def test_data_with_another_vocabulary_is_not_scored(language, tmp_path, capsys):
    other = "the vocabulary of the data differs from that of the run"
    for text, sentence, place in (
        ("to be, or not to be: that is the answer\n", other, "symbol 11 was 'q' and is 'r'"),
        ("to be, or not to be: that is the question?\n", other, "symbol 4 was 'a' and is '?'"),
        ("to be, or not to be: that is the questionx\n", "the data has 'x'", "not among the 16 symbols of the run"),
    ):
        (tmp_path / "own.txt").write_text(text * 20)
        assert run(["evaluate", str(language), "--data-dir", str(tmp_path)]) == 2
        message = capsys.readouterr().err
        assert sentence in message
        assert place in message


def test_data_with_the_same_vocabulary_is_scored_from_any_folder(language, tmp_path, capsys, monkeypatch):
    (tmp_path / "own.txt").write_text("to be, or not to be: that is the question\n" * 20)
    assert run(["evaluate", str(language)]) == 2
    assert "there is no " in capsys.readouterr().err
    assert run(["evaluate", str(language), "--data-dir", str(tmp_path)]) == 0
    monkeypatch.setenv("MEMTAPE_DATA_DIR", str(tmp_path))
    assert run(["evaluate", str(language)]) == 0
