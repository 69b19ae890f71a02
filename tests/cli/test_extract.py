"""`memtape extract`: the automaton of a trained network, printed and drawn."""

import pytest

from memtape.cli.main import run

TINY = ["--train.steps", "1", "--train.batch-size", "2", "--train.validate-every", "1", "--train.device", "cpu"]
TINY += ["--train.validation-sequences", "2", "--model.hidden-size", "4"]


def trained(folder, *words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)
        assert run(["train", *words, *TINY, "--out", str(folder)]) == 0
    return str(folder)


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    words = ["gru", "tomita", "--task.number", "4", "--task.max-length", "4"]
    return trained(tmp_path_factory.mktemp("language") / "run", *words)


def test_the_automaton_is_printed_and_drawn(language, tmp_path, capsys):
    words = ["extract", language, "--longest", "6", "--most-states", "3"]
    capsys.readouterr()
    assert run([*words, "--out", str(tmp_path / "a.dot")]) == 0
    printed = capsys.readouterr().out
    assert printed.split("\n")[0].split() == ["state", "0", "1", "accepting"]
    assert "length  agreement\n" in printed
    assert "words asked" in printed
    assert (tmp_path / "a.dot").read_text().startswith("digraph {")
    assert run([*words, "--out", str(tmp_path / "a.png"), "--method", "clusters"]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_task_without_words_and_wrong_options_are_one_sentence(language, tmp_path, capsys):
    other = trained(tmp_path / "other", "gru", "chomsky", "--task.problem", "bucket-sort", "--task.max-length", "3")
    capsys.readouterr()
    for words, sentence in [
        (["extract", other], "is a run of gru on chomsky, from which no automaton is extracted; give one of a"),
        (["extract", language, "--out", "a.gif"], "--out is a.gif, but a graph is written as .png, .svg or .dot"),
        (["extract", language, "--longest", "0"], "longest is 0, but it must be at least 1"),
        (["extract", str(tmp_path / "none")], "none"),
    ]:
        assert run(words) == 2 or words[1].endswith("none")
        error = capsys.readouterr().err
        assert sentence in " ".join(error.split())
        assert "Traceback" not in error
