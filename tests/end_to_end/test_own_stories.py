"""Own stories: a network that was trained on a task of bAbI continues on twenty lines of a user, and answers with new words."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch

from memtape import Babi, MemN2N, fit, load
from memtape.cli.main import run
from memtape.experiments.experiment import Experiment, ExperimentError
from memtape.experiments.initial_weights import initial_weights
from memtape.training.settings import TrainSettings

ROOT = Path(__file__).parents[2]
OWN = (ROOT / "examples" / "stories" / "mine.txt").read_text()
FAST = ["--train.linear-start-steps", "0", "--train.validate-every", "100", "--train.device", "cpu"]
TINY = [
    "--train.steps",
    "1",
    "--train.batch-size",
    "2",
    "--train.validate-every",
    "1",
    "--train.validation-sequences",
    "2",
]
TINY += ["--train.device", "cpu"]
SMALL = ["--model.embedding-size", "4"]
NEW = ["anna", "library"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a file of own stories, a trained run, and runs that hardly were trained."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.txt").write_text(OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)
        assert run(["train", "memn2n", "babi", *FAST, "--train.steps", "300", "--out", str(folder / "trained")]) == 0
        for name, words in (
            ("memn2n", ["memn2n", "babi", *SMALL]),
            ("entnet", ["entnet", "babi", *SMALL]),
            ("copy", ["ntm", "copy"]),
            ("characters", ["elman", "char-lm"]),
        ):
            assert run(["train", *words, *TINY, "--out", str(folder / name)]) == 0
    return folder


@pytest.fixture
def train(folder, monkeypatch, capsys):
    """Return a function that trains in the folder, and returns the exit code and the printed error."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)

    def train(*words):
        capsys.readouterr()
        return run(["train", *words]), capsys.readouterr().err

    return train


def continued(**values):
    defaults = {"model": "memn2n", "task": "babi", "model_options": {"embedding_size": 4}, "train": TrainSettings()}
    return Experiment(**{**defaults, "task_options": {"numbers": "none", "stories": "mine.txt"}, **values})


def words_of(folder):
    return json.loads((folder / "vocabulary.json").read_text())


def test_a_network_continues_on_own_stories_and_answers_with_new_words(folder, train, capsys):
    own = ["--task.stories", "mine.txt", "--train.steps", "200"]
    assert train("memn2n", "babi", *FAST, *own, "--weights", "trained", "--out", "then")[0] == 0
    known = words_of(folder / "trained")
    assert words_of(folder / "then") == [*known, *NEW]
    shutil.move(folder / "trained", folder / "elsewhere")  # the new run does not need the old one
    try:
        assert run(["ask", "then", "--story", "mine.txt", "--json"]) == 0
        answers = [json.loads(line)["answer"] for line in capsys.readouterr().out.splitlines()]
        assert answers == [line.split("\t")[1] for line in OWN.splitlines() if "?" in line]
        assert run(["evaluate", "then", "--lengths", "0", "1", "--json"]) == 0
        own_stories, old_task = json.loads(capsys.readouterr().out)["results"]
        assert (own_stories["length"], own_stories["sequences"], own_stories["accuracy"]) == (0, 8, 1.0)
        assert (old_task["length"], old_task["sequences"]) == (1, 1_000)
        assert old_task["accuracy"] > 0.4
    finally:
        shutil.move(folder / "elsewhere", folder / "trained")
    assert json.loads((folder / "then" / "config.json").read_text())["task_options"]["stories"] == str(
        folder / "mine.txt"
    )


def test_the_readme_has_the_twenty_lines():
    assert len(OWN.splitlines()) == 20
    assert OWN.replace("\t", "<TAB>") in (ROOT / "README.md").read_text()


def test_before_training_old_answers_stay_the_same(folder, monkeypatch, equal_up_to_rounding):
    monkeypatch.chdir(folder)
    initial = initial_weights("memn2n")
    network, task = continued(weights="memn2n", task_options={"stories": "mine.txt"}).build(initial)
    for name, tensor in initial.tensors.items():
        assert torch.equal(network.state_dict()[name][: len(tensor)], tensor)
    before = load("memn2n")
    assert task.vocabulary == (*before.task.vocabulary, *NEW)
    stories = before.task.batch(0, 16, split="test").inputs
    with torch.no_grad():
        more, known = network.eval()(stories)[0], before.model(stories)[0]
    equal_up_to_rounding(more[..., : known.shape[-1]], known)


def test_new_rows_depend_on_the_seed_alone(folder, monkeypatch):
    monkeypatch.chdir(folder)
    initial = initial_weights("memn2n")
    one, same, other = (continued(weights="memn2n", seed=seed).build(initial)[0].words[0] for seed in (1, 1, 2))
    known = len(initial.vocabulary)
    assert torch.equal(one, same)
    assert torch.equal(one[:known], other[:known])
    assert not torch.equal(one[known:], other[known:])


def test_words_of_the_old_run_that_the_new_task_lacks_are_kept(folder, train):
    assert (
        train("memn2n", "babi", *SMALL, *TINY, "--task.numbers", "15", "--weights", "memn2n", "--out", "other")[0] == 0
    )
    known, words = words_of(folder / "memn2n"), words_of(folder / "other")
    assert words[: len(known)] == known
    assert "wolf" in words[len(known) :]


def test_a_run_is_continued_twice_and_resumed(folder, train):
    own = [*SMALL, *TINY, "--task.numbers", "none", "--task.stories", "mine.txt"]
    assert train("memn2n", "babi", *own, "--weights", "memn2n", "--out", "second")[0] == 0
    (folder / "more.txt").write_text("1 Zoe slept.\n2 Who slept?\tZoe\n")
    more = [*own[:-1], "more.txt", "--weights", "second", "--out", "third"]
    assert train("memn2n", "babi", *more)[0] == 0
    assert words_of(folder / "third") == [*words_of(folder / "memn2n"), *NEW, "slept", "who", "zoe"]
    assert run(["share", "third", "card"]) == 0
    card = (folder / "card" / "README.md").read_text()
    assert "stories of the user" in card
    assert str(folder) not in card
    for name in ("manifest.json", "weights.safetensors", "result.json", "evaluation.json"):
        (folder / "third" / name).unlink()
    shutil.rmtree(folder / "third" / "checkpoints")
    assert run(["resume", "third"]) == 0
    assert len(initial_weights("third").tensors["words.0"]) == len(words_of(folder / "third"))


def test_from_python_a_network_and_a_task_are_continued_and_recorded(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(folder)
    before = load("memn2n")
    task = Babi(numbers="none", stories="mine.txt").with_vocabulary(before.task.vocabulary)
    network = before.model.with_symbols(len(task.vocabulary))
    assert isinstance(network, MemN2N)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)
        fit(network, task, steps=1, batch_size=2, validate_every=1, run_folder=tmp_path / "run", progress=False)
    monkeypatch.chdir(tmp_path)
    again = load("run")
    assert again.task.vocabulary == task.vocabulary
    assert [file.name for file in again.data.files] == ["mine.txt"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["memn2n", "--weights", "copy"], "the weights of .*copy belong to another network"),
        (
            ["memn2n", "--weights", "characters"],
            "the known vocabulary starts with .* give that of a run that reads stories",
        ),
        (["memn2n", "--weights", "entnet"], "the weights of .*entnet belong to another network"),
        (["memn2n", "--weights", "memn2n", "--task.stories", "bad.txt"], "bad.txt, line 2 has number '3'"),
        (["memn2n", "--weights", "memn2n", "--task.stories", "none.txt"], "none.txt cannot be read"),
        (
            ["entnet", "--weights", "entnet", "--task.stories", "long.txt"],
            "a sentence of Babi has 21 words, but EntNet reads",
        ),
    ],
)
def test_what_cannot_be_continued_is_refused_in_one_sentence(folder, train, tmp_path, words, sentence):
    (folder / "bad.txt").write_text("1 Anna slept.\n3 Who slept?\tAnna\n")
    (folder / "long.txt").write_text(f"1 {'very ' * 20}long.\n2 Who slept?\tAnna\n")
    own = [] if "--task.stories" in words else ["--task.stories", "mine.txt"]
    model, *rest = words
    code, error = train(model, "babi", *SMALL, *TINY, *own, *rest, "--out", str(tmp_path / "run"))
    assert code == 2
    assert error.count("\n") == 1
    assert re.search(sentence, error), error
    assert not (tmp_path / "run").exists()


def test_data_with_words_that_a_run_lacks_is_refused(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert run(["evaluate", "memn2n", "--task.stories", "mine.txt"]) == 2
    error = capsys.readouterr().err
    assert "the data has 'anna', which is not among the" in error
    assert error.count("\n") == 1


def test_a_vocabulary_of_another_kind_is_refused(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(ExperimentError, match="the known vocabulary starts with"):
        continued().build_task(["a", "b"])
