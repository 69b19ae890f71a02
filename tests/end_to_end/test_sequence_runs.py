"""Complete runs of networks that read symbols, pairs or trees, or read in both directions, with every command."""

import json
import shutil

import pytest

import memtape
from memtape.cli.main import run
from memtape.core.manifest import verify
from memtape.experiments.run_folder.folder import Run

TINY = ["--train.steps", "2", "--train.batch-size", "4", "--train.validate-every", "1", "--train.device", "cpu"]
TINY += ["--train.validation-sequences", "4", "--model.hidden-size", "8"]
RUNS = {
    "bilstm": ("bilstm", "copy", "--task.max-length", "3"),
    "treelstm": ("treelstm", "sentiment"),
    "seq2seq": ("seq2seq", "scan"),
    "lstm": ("lstm", "char-lm", "--task.window", "12", "--model.dropout", "0.5", "--model.layers", "2"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    for name, words in RUNS.items():
        assert run(["train", *words, *TINY, "--out", str(place / name)]) == 0
    return place


@pytest.mark.parametrize("name", RUNS)
def test_the_report_is_drawn_and_can_be_drawn_again(runs, name):
    folder = runs / name
    figures = {path.stem for path in (folder / "figures").iterdir()}
    assert figures == {"learning", *(["lengths"] if name == "bilstm" else [])}
    before = (folder / "report.html").read_text()
    assert run(["report", str(folder)]) == 0
    assert (folder / "report.html").read_text() == before


@pytest.mark.parametrize("name", RUNS)
def test_the_evaluation_is_reproduced(runs, capsys, name):
    assert run(["evaluate", str(runs / name), "--json"]) == 0
    results = json.loads(capsys.readouterr().out.splitlines()[-1])["results"]
    assert results == json.loads((runs / name / "evaluation.json").read_text())


def test_a_number_of_slots_is_refused_for_a_network_without_slots(runs, capsys):
    assert run(["evaluate", str(runs / "bilstm"), "--slots", "9"]) == 2
    assert "slots is 9, but bilstm has no number of slots to change; leave it out" in capsys.readouterr().err


def test_a_test_split_is_scored_to_its_end(runs, capsys):
    counts = []
    for requested in ("3", "1000000"):
        capsys.readouterr()
        assert run(["evaluate", str(runs / "treelstm"), "--sequences", requested, "--json"]) == 0
        counts.append(json.loads(capsys.readouterr().out)["results"][0]["sequences"])
    assert counts == [3, 250]


@pytest.mark.parametrize(("name", "call"), [("bilstm", "xs: shape"), ("treelstm", "Trees"), ("seq2seq", "Pairs")])
def test_a_shared_network_is_loaded_with_the_code_on_its_card(runs, tmp_path, monkeypatch, name, call):
    monkeypatch.chdir(tmp_path)
    assert run(["share", str(runs / name), "shared"]) == 0
    card = (tmp_path / "shared" / "README.md").read_text()
    loading = next(line for line in card.splitlines() if "from_pretrained" in line)
    namespace = {"memtape": memtape}
    exec(loading, namespace)
    assert namespace["network"].configuration["hidden_size"] == 8
    assert call in card
    assert set(verify(tmp_path / "shared")) == {"config.json", "model.safetensors"}
    known = tmp_path / "shared" / "vocabulary.json"
    assert known.exists() == (runs / name / "vocabulary.json").exists()
    if known.exists():
        assert known.read_bytes() == (runs / name / "vocabulary.json").read_bytes()
        assert "`vocabulary.json` lists the meaning of each symbol" in card


def test_runs_with_other_scores_are_listed_and_compared(runs, capsys, tmp_path):
    assert run(["runs", "list", str(runs)]) == 0
    head = " ".join(capsys.readouterr().out.splitlines()[0].split())
    for score in ("cost bits", "accuracy", "exact", "bits per character", "seconds"):
        assert score in head
    figure = tmp_path / "figure.png"
    assert run(["runs", "compare", *(str(runs / name) for name in RUNS), "--figure", str(figure)]) == 0
    assert "the runs have different scores, so there is no figure" in capsys.readouterr().out
    assert not figure.exists()


def test_a_card_names_the_score_and_the_kind_of_data(runs, tmp_path):
    for name, text in (
        ("bilstm", "![Wrong bits per sequence by length, in vectors"),
        (
            "treelstm",
            "| task | sentiment (data synthetic Boolean expressions as sentences, least_count 1, phrases False) |",
        ),
    ):
        assert run(["share", str(runs / name), str(tmp_path / name)]) == 0
        assert text in (tmp_path / name / "README.md").read_text()


def without_score(records, name):
    return [{key: value for key, value in record.items() if key != name} for record in records]


def lines(records):
    return "".join(f"{json.dumps(record)}\n" for record in records)


INCONSISTENT = {
    "metrics without scores": (
        "metrics.jsonl",
        lambda old: lines(without_score(old, "accuracy")),
        "lacks the scores",
    ),
    "metrics of nothing": ("metrics.jsonl", lambda _: "", "cannot be drawn (records contain 0 lines"),
    "a result without scores": ("result.json", lambda old: json.dumps(old | {"scores": {}}), "lacks the scores of"),
    "a result solved nowhere": (
        "result.json",
        lambda old: json.dumps(old | {"solved": True}),
        "solved is True, but solved_step is None",
    ),
    "a result solved beyond its end": (
        "result.json",
        lambda old: json.dumps(old | {"solved": True, "solved_step": 99}),
        "cannot be drawn (solved_step is 99, but the records end at step 2",
    ),
    "an evaluation of nothing": ("evaluation.json", lambda _: "[]", "(there is no record)"),
    "an evaluation of other scores": ("evaluation.json", lambda _: '[{"bits": 1}]', "lacks the scores of sentiment"),
    "records unlike one another": ("evaluation.json", lambda old: json.dumps([*old, {"a": 1}]), "have different names"),
    "records without lengths": ("evaluation.json", lambda old: json.dumps(old * 2), "but they have no length"),
    "another vocabulary": (
        "vocabulary.json",
        lambda old: json.dumps(old[::-1]),
        "the vocabulary of the data differs from that of the run",
    ),
    "no vocabulary": ("vocabulary.json", lambda _: '{"a": 1}', "vocabulary.json is not a valid file of a run"),
}


@pytest.mark.parametrize("case", INCONSISTENT)
def test_a_run_with_inconsistent_records_is_refused(runs, tmp_path, capsys, case):
    name, change, sentence = INCONSISTENT[case]
    folder = shutil.copytree(runs / "treelstm", tmp_path / "run")
    old = (folder / name).read_text()
    read = [json.loads(line) for line in old.splitlines()] if name == "metrics.jsonl" else json.loads(old)
    (folder / name).write_text(change(read))
    Run(folder).finish()
    capsys.readouterr()
    assert run(["report", str(folder)]) == 2
    message = capsys.readouterr().err
    assert sentence in message
    assert message.count("\n") == 1
