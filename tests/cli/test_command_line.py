"""The command line: its output, its speed, and the arguments that it refuses."""

import json
import shutil
import subprocess
import sys

import pytest

import memtape
from memtape.catalog.registry import MODELS, RECIPES, TASKS
from memtape.cli.main import build, run

TINY = [
    *("--task.bits", "2", "--task.max-length", "3", "--model.slots", "6", "--model.width", "4"),
    *("--model.controller-size", "8", "--train.batch-size", "2", "--train.steps", "2", "--train.device", "cpu"),
    *("--train.validate-every", "2", "--train.validation-sequences", "2"),
]


def words(*parts):
    return [str(part) for part in parts]


def refused(capsys, *parts, code=2):
    """Return the sentence with which a command line is refused."""
    assert run(words(*parts)) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("memtape: ")
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    return printed.err


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["train"],
        ["train", "ntm"],
        ["evaluate"],
        ["report"],
        ["share"],
        ["doctor"],
        ["recipes"],
        ["results"],
        ["reproduce"],
    ],
)
def test_help_does_not_load_torch(command):
    code = (
        "import sys; from memtape.cli.main import run\n"
        f"assert run({[*command, '--help']!r}) == 0\n"
        "assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "Usage: memtape" in finished.stdout


def test_help_on_the_options_of_a_model_and_a_task_does_not_load_torch():
    code = (
        "import sys; from memtape.cli.main import run\n"
        "assert run(['train', 'ntm', 'copy', '--help']) == 0; assert 'torch' not in sys.modules"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    for option in ("--model.slots", "--task.max-length", "--train.learning-rate", "--config", "--out", "--seed"):
        assert option in finished.stdout


def test_help_shows_the_values_of_the_recipe(capsys):
    for model, optimizer in (("ntm", "rmsprop"), ("lstm", "adam")):
        run(["train", model, "copy", "--help"])
        assert f"[default: {optimizer}]" in " ".join(capsys.readouterr().out.replace("│", "").split())


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == memtape.__version__


def test_the_module_runs_the_command():
    finished = subprocess.run(
        [sys.executable, "-m", "memtape", "--version"], capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == memtape.__version__


@pytest.mark.parametrize(("kind", "known"), [("models", MODELS), ("tasks", TASKS)])
def test_lists_are_complete(capsys, kind, known):
    assert run([kind]) == 0
    assert all(name in capsys.readouterr().out for name in list(known)[:1])
    assert run([kind, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in listed] == list(known)
    assert all(entry["options"] for entry in listed)


def test_recipes_are_listed_and_shown(capsys):
    assert run(["recipes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {(recipe["model"], recipe["task"]) for recipe in listed} == {(r.model, r.task) for r in RECIPES.values()}
    assert run(["recipes", "ntm-copy"]) == 0
    shown = capsys.readouterr().out
    assert "--train.optimizer" in shown
    assert "published validation_cost_bits: ntm-lstm 0.1" in shown
    assert "source: Graves, Wayne & Danihelka (2014), arXiv:1410.5401, figure 3" in shown


def test_doctor_reports_why_a_backend_is_absent(capsys):
    assert run(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["backends"]["reference"] is None
    assert "no kernels for accelerators" in report["backends"]["triton"]
    assert run(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "backend reference" in shown
    assert "absent: this version" in shown


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["trian"], 'Did you mean "train"?'),
        (["train", "nmt", "copy"], 'Unknown command "nmt". Did you mean "ntm"?'),
        (["train", "ntm", "coppy"], 'Unknown command "coppy". Did you mean "copy"?'),
        (["train", "ntm", "copy", "--model.slotz", "4"], "Unknown option: --model.slotz. Did you mean --model.slots?"),
        (["train", "ntn", "copy"], 'Unknown command "ntn". Did you mean "ntm"?'),
        (
            ["train", "ntm", "copy", "--train.lr", "1"],
            "Unknown option: --train.lr. Did you mean --train.learning-rate?",
        ),
        (["train", "ntm", "copy", "--lr", "1"], "Unknown option: --lr. Did you mean --train.learning-rate?"),
        (["train", "ntm", "copy", "--slots", "1"], "Unknown option: --slots. Did you mean --model.slots?"),
        (
            ["train", "lstm", "copy", "--train.solved-score", "nan"],
            "solved_score is nan, Input should be a finite number",
        ),
        (
            ["train", "lstm", "copy", "--train.weight-decay", "inf"],
            "weight_decay is inf, Input should be a finite number",
        ),
        (["train", "ntm", "copy", "--model.read-stay-bias", "inf"], "read_stay_bias is inf, but it must be finite"),
        (["train", "lstm", "copy", "--seed", "4611686018427387905"], "seed is 4611686018427387905, beyond 4611686"),
        (["train", "lstm", "copy", "--seed", "-9" + "9" * 30], "; give a smaller one"),
        (
            ["sweep", "lstm", "copy", "--seeds", "9" * 5000],
            "--seeds has a number of more than 18 digits; give a smaller",
        ),
        (
            ["train", "lstm", "copy", "--train.steps", "1", "--out", "."],
            "the run folder . is the current folder; give the name of a new",
        ),
        (
            ["train", "lstm", "copy", "--train.steps", "1", "--out", ""],
            "the run folder . is the current folder; give the name of a new",
        ),
        (
            ["train", "lstm", "copy", "--train.steps", "1", "--out", "x" * 256],
            "cannot be created (File name too long); give a writable folder",
        ),
        (["train", "lstm", "copy", "--config", "/dev/zero"], "the file /dev/zero cannot be read (not a regular file)"),
        (["sweep", "lstm", "copy", "--space", "/dev/zero"], "the file /dev/zero cannot be read (not a regular file)"),
        (["sweep", "ntm", "copy", "--seeds", "1", "2", "3"], "no option takes the words '2 3'; leave them out"),
        (["train", "ntm", "copy", "--train.stepps", "4"], "Did you mean --train.steps?"),
        (
            ["train", "ntm", "copy", "--model.slots", "many"],
            'Invalid value for --model.slots: unable to convert "many"',
        ),
        (["train", "ntm", "copy", "--model.controller", "cnn"], 'Invalid value "cnn" for --model.controller. Choose'),
        (["train", "ntm", "copy", "--model.slots", "0"], "slots of NTMCell is 0, but it must be at least 1"),
        (["train", "ntm", "copy", "--task.bits", "0"], "bits is 0, but it must be at least 1"),
        (["train", "ntm", "copy", "--task.min-length", "30"], "max_length of Copy is 20, but min_length is 30"),
        (["train", "ntm", "copy", "--model.clip", "-1"], "clip is -1.0, but it is a bound and must be positive"),
        (["train", "ntm", "copy", "--train.steps", "0"], "steps is 0, Input should be greater than or equal to 1"),
        (["train", "ntm", "copy", "--train.learning-rate", "nan"], "learning_rate is nan"),
        (["train", "ntm", "copy", "--recipe", "ntm/copi"], 'there is no recipe "ntm/copi"; did you mean "ntm/copy"?'),
        (["train", "lstm", "copy", "--recipe", "ntm-copy"], "the recipe ntm/copy is for ntm on copy, not for lstm"),
        (["train", "ntm", "copy", "--recipe", "mine.toml"], "the recipe "),
        (["recipes", "ntm"], 'there is no recipe "ntm"; '),
        (["results", "nmt"], 'there is no model "nmt"; did you mean "ntm"?'),
        (["results", "ntm", "coppy"], 'there is no task "coppy"; did you mean "copy"?'),
        (["reproduce", "ntm/copi"], 'there is no recipe "ntm/copi"; did you mean "ntm/copy"?'),
        (
            ["reproduce", "ntm/copy-gru"],
            "the ledger has no result of ntm/copy-gru to agree with; give --update to add one",
        ),
        (["reproduce", "ntm/copy", "--jobs", "0"], "--jobs is 0, but it must be at least 1; give 1 or more"),
        (["reproduce", "ntm/copy", "--seeds", "x"], "--seeds is 'x', but it must be FIRST:END or a single seed"),
        (
            ["reproduce", "ntm/copy", "--data-dir", "data"],
            "the data folder is data, but copy reads no data; leave it out",
        ),
        (
            ["reproduce", "lstm/sentiment"],
            "the result of lstm/sentiment in the ledger is on real data, not synthetic data; give --data-dir",
        ),
        (["evaluate", "nowhere"], "there is no run folder nowhere; give a folder that"),
        (["report", "nowhere"], "there is no run folder nowhere; give a folder that"),
        (["share", "nowhere", "new"], "there is no run folder nowhere; give a folder that"),
        (["train", "ntm", "copy", "--config", "nothing.toml"], "the file nothing.toml cannot be read (No such file"),
        (
            ["train", "ntm", "copy", "--model.slots", "9" * 400],
            "slots is an integer of about 401 digits, but it must fit in",
        ),
        (
            ["train", "ntm", "copy", "--task.bits", "9" * 400],
            "bits is an integer of about 401 digits, but it must fit in",
        ),
        (
            ["train", "ntm", "copy", "--train.steps", "9" * 400],
            "steps is an integer of about 401 digits, Input should be less",
        ),
        (["train", "ntm", "copy", "--train.batch-size", "9" * 6000], "Invalid value for --train.batch-size"),
    ],
)
def test_an_invalid_request_is_refused_with_one_sentence(
    capsys, shapes_unchecked, tmp_path, monkeypatch, command, sentence
):
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(capsys, *command)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[model\n", "bad.toml is not TOML"),
        (f"x = {'[' * 10_000}", "bad.toml is not TOML"),
        ("[model]\nslotz = 3\n", "slotz"),
        ("\ufeff[model]\r\nslotz = 3\r\n\r\n", "slotz"),
        ("[model]\nslots = 'many'\n", "slots"),
        ("[trian]\nsteps = 3\n", "trian"),
        ("model = 3\n", "model"),
        ("recipe = 3\n", "recipe in bad.toml is 3, but it must be a name"),
        ("recipe = 'ntm/copi'\n", 'there is no recipe "ntm/copi"; did you mean "ntm/copy"?'),
    ],
)
def test_an_invalid_configuration_file_is_refused_with_one_sentence(capsys, tmp_path, monkeypatch, text, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text(text)
    assert sentence in refused(capsys, "train", "ntm", "copy", "--config", "bad.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.toml"]


def test_an_unwritable_path_is_refused_before_training(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    sentence = refused(capsys, "train", "ntm", "copy", *TINY, "--out", tmp_path / "file" / "run")
    assert "cannot be created" in sentence
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_in_use_is_refused(capsys, tmp_path):
    (tmp_path / "mine").write_text("")
    assert "is not an empty folder" in refused(capsys, "train", "ntm", "copy", *TINY, "--out", tmp_path)


@pytest.fixture(scope="module")
def completion():
    return build(["--install-completion"]).generate_completion(shell="bash")


def test_completion_includes_models_tasks_and_options(completion):
    for word in ("priority-sort", "--model.slots", "--train.learning-rate"):
        assert word in completion


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("train nt", {"ntm"}),
        ("train ntm pri", {"priority-sort"}),
        ("sweep dnc copy --model.wi", {"--model.width"}),
        ("train lstm copy --model.slo", set()),
        ("train ntm copy --task.max-le", {"--task.max-length", "--task.max-lesson"}),
        ("train ntm copy --train.optimizer r", {"rmsprop", "ridge"}),
        ("sweep ntm copy --see", {"--seeds"}),
        ("train ntm copy --see", {"--seed"}),
    ],
)
def test_a_shell_completes_a_word(completion, tmp_path, line, offered):
    (tmp_path / "script").write_text(completion)
    count = len(line.split())
    code = f"source ./script; COMP_WORDS=(memtape {line}); COMP_CWORD={count}; _memtape; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    answer = subprocess.run(["bash", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(answer.stdout.split()) == offered


def test_the_completion_script_is_small(completion):
    """Its size is that of all models and all tasks; with a separate command for every pair of them it had 9 MB."""
    assert len(completion) < 30_000 * (len(MODELS) + len(TASKS))
