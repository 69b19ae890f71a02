"""Any command line ends in exit code 0, 1 or 2, and every failure in one sentence."""

import os
from io import StringIO

import pytest
from cyclopts import App
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memtape.cli.main import COMMANDS, EXPERIMENTS, TYPED, run
from memtape.experiments.run_folder.environment import environment
from memtape.experiments.run_folder.folder import Run
from memtape.sharing.shared_folder import SharingError
from memtape.training.outcome import Outcome

FLAGS = [
    *("--seed", "--out", "--weights", "--config", "--recipe", "--data-dir", "--plugin", "--seeds", "--jobs", "--space"),
    *("--sampler-seed", "--lengths", "--sequences", "--slots", "--json", "--prompt", "--length", "--temperature"),
    *("--stop", "--push", "--private", "--figure", "--batch", "--time", "--backend", "--mode", "--device", "--threads"),
    *("--seconds", "--plot", "--markdown", "--help", "--version", "--task", "--model", "--train"),
    *("--model.slots", "--model.hidden-size", "--model.clip", "--task.bits", "--task.max-length", "--train.steps"),
    *("--train.solved-score", "--train.learning-rate", "--train.lr", "--train.device", "--", "-", "-x", "---"),
]
VALUES = [
    *("0", "1", "-1", "2", "0:2", "nan", "inf", "-inf", "1e-320", "1e400", "9" * 20, "9" * 5000, "4611686018427387905"),
    *("", ".", "..", "/", "~", "~nobody/x", "$x^{$", "[/red]", "\x1b[31m", "x" * 300, "a" * 5000, "name\udcff", "日本"),
    *(
        "run",
        "pipe",
        "folder",
        "text.txt",
        "bad.toml",
        "good.toml",
        "/dev/null",
        "/dev/full",
        "new.png",
        "none",
        "true",
    ),
]
NAMES = [
    "ntm",
    "lstm",
    "gru",
    "seq2seq",
    "treelstm",
    "copy",
    "char-lm",
    "digits",
    "sentiment",
    "ntm/copy",
    "list",
    "show",
]
COMMAND = st.sampled_from([*EXPERIMENTS, *TYPED, *COMMANDS, "trian", "--install-completion"])
TEXT = st.text(st.characters(exclude_characters="\0"), max_size=20)
WORD = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(FLAGS),
    st.sampled_from(VALUES),
    st.tuples(st.sampled_from(FLAGS), st.sampled_from(VALUES)).map("=".join),
    TEXT,
)
LINES = st.one_of(
    st.tuples(COMMAND, st.lists(WORD, max_size=6)).map(lambda parts: [parts[0], *parts[1]]),
    st.tuples(st.sampled_from(["train", "sweep"]), st.lists(WORD, max_size=5)).map(
        lambda parts: [parts[0], "lstm", "copy", *parts[1]]
    ),
    st.tuples(
        st.sampled_from(["evaluate", "generate", "ask", "report", "share", "resume"]), st.lists(WORD, max_size=4)
    ).map(lambda parts: [parts[0], "run", *parts[1]]),
    st.lists(WORD, max_size=4),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with an unfinished run, a pipe and files, in which nothing is trained and nothing is pushed."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "folder").mkdir()
    (folder / "text.txt").write_text("to be")
    (folder / "bad.toml").write_text("[model")
    (folder / "good.toml").write_text("[train]\nsteps = 3\n")
    os.mkfifo(folder / "pipe")

    def not_trained(experiment, model, task, folder, **_):
        created = Run.create(folder, experiment.config(), environment(), task.vocabulary)
        unfinished = Outcome(
            finished=False, solved=False, solved_step=None, steps=0, sequences=0, seconds=0.0, scores={}
        )
        return created, unfinished

    def not_pushed(*_, **__):
        raise SharingError("the hub is not reached in a test; give a folder")

    scripts, generate = {}, App.generate_completion

    def generated_once(app, *, shell=None, **options):
        if shell not in scripts:
            scripts[shell] = generate(app, shell=shell, **options)
        return scripts[shell]

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(App, "generate_completion", generated_once)
        patch.setenv("HOME", str(folder))  # --install-completion writes there
        patch.setattr("memtape.experiments.train.train_run", not_trained)
        patch.setattr("memtape.experiments.resume.train_to_the_end", lambda *_, **__: None)
        patch.setattr("memtape.experiments.sweep.sweep.run_all", lambda *_, **__: None)
        patch.setattr("memtape.experiments.share.push_run", not_pushed)
        patch.setattr("memtape.experiments.bench.measure.measured", lambda *_, **__: [])
        assert run(["train", "lstm", "copy", "--model.hidden-size", "4", "--out", "run"]) == 0
        yield folder


@example(words=[])
@example(words=["--install-completion"])
@example(words=["--install-completion", "--shell", "bash"])
@example(words=["train", "lstm", "copy", "--out", "."])
@example(words=["train", "lstm", "copy", "--out", ""])
@example(words=["train", "lstm", "copy", "--out", "x" * 300])
@example(words=["train", "lstm", "copy", "--out", "name\udcff"])
@example(words=["train", "lstm", "copy", "--config", "pipe"])
@example(words=["train", "lstm", "copy", "--recipe", "pipe.toml"])
@example(words=["train", "lstm", "copy", "--plugin", "pipe"])
@example(words=["train", "lstm", "copy", "--seed", "4611686018427387905"])
@example(words=["train", "lstm", "copy", "--seed", "9" * 5000])
@example(words=["sweep", "lstm", "copy", "--seeds", "9" * 5000])
@example(words=["sweep", "lstm", "copy", "--space", "pipe"])
@example(words=["train", "lstm", "copy", "--train.solved-score", "nan"])
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(words=LINES)
def test_any_command_line_ends_with_an_exit_code_and_one_sentence(place, words):
    with pytest.MonkeyPatch.context() as patch:
        output = StringIO()
        patch.setattr("sys.stdout", output)
        patch.setattr("sys.stderr", output)
        assert run(words) in (0, 1, 2)
    assert "Traceback" not in output.getvalue()
    assert "\x1b" not in output.getvalue()
