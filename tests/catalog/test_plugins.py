"""Plugins are found in files and packages without being run; an invalid one is refused with one sentence."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from memtape.catalog.entry import PluginError
from memtape.catalog.plugins import VARIABLE, plugins, with_plugins
from memtape.catalog.registry import MODELS, TASKS
from memtape.cli.main import run

EXAMPLES = Path(__file__).parents[2] / "examples/plugins"
MGU, REVERSAL = EXAMPLES / "mgu.py", EXAMPLES / "reversal.py"
CARD = 'CARD = ModelCard(name="mine", summary="It is mine.")\n'


@pytest.fixture
def plugin(tmp_path):
    """Return a function that writes a plugin file."""

    def write(text, name="mine.py"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def refused(capsys, *words):
    assert run([str(word) for word in words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_a_plugin_is_registered_while_it_is_named_and_is_not_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "mgu", raising=False)
    assert "mgu" not in MODELS
    with with_plugins([str(MGU), str(REVERSAL), str(MGU)]):
        assert [entry.name for entry in plugins()] == ["mgu", "reversal"]
        assert MODELS["mgu"].summary == "Minimal gated units: recurrent units with one gate."
        assert [option.name for option in MODELS["mgu"].options] == ["hidden_size"]
        assert list(TASKS)[-1] == "reversal"
        assert TASKS["reversal"].test_lengths == (5, 10)
        assert "mgu" not in sys.modules
    assert "mgu" not in MODELS
    assert VARIABLE not in os.environ


def test_plugin_files_are_added_to_those_of_the_environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, str(MGU))
    with with_plugins([str(REVERSAL)]):
        assert os.environ[VARIABLE] == f"{MGU}{os.pathsep}{REVERSAL}"
        assert {"mgu"} == set(MODELS) & {"mgu"}
    assert os.environ[VARIABLE] == str(MGU)


@pytest.mark.parametrize(
    "words",
    [["--plugin", MGU, "models"], ["models", "--plugin", MGU], ["models", f"--plugin={MGU}", "--json"]],
    ids=["before", "after", "with an equals sign"],
)
def test_a_plugin_may_be_named_anywhere_in_a_command(capsys, words):
    assert run([str(word) for word in words]) == 0
    assert "mgu" in capsys.readouterr().out
    assert run(["models"]) == 0
    assert "mgu" not in capsys.readouterr().out


def test_help_and_completion_include_a_plugin_without_loading_torch():
    code = (
        "import sys; from memtape.cli.main import run, build\n"
        f"assert run(['train', 'mgu', 'reversal', '--help', '--plugin', {str(MGU)!r}, '--plugin', {str(REVERSAL)!r}]) == 0\n"
        "assert 'torch' not in sys.modules and 'mgu' not in sys.modules"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "--model.hidden-size" in finished.stdout
    assert "--task.bits" in finished.stdout


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("class Mine:\n    def (", "the plugin mine.py cannot be used: it has a syntax error in line 2"),
        (
            "raise SystemExit\n\n\nclass Mine: ...\n",
            "the plugin mine.py cannot be used: it has no card; end it in CARD",
        ),
        (f"raise SystemExit\n\n{CARD}", "the plugin mine.py cannot be used: there is no public class above its card"),
        (
            f"class Mine: ...\n\n{CARD.replace('mine', 'ntm')}",
            'has the name "ntm", which memtape itself has; give its CARD',
        ),
        (f"class Mine: ...\n\n{CARD}print(1)\n", "its card must be the last statement"),
        (f"class Mine: ...\n\n{CARD.replace('mine', '../mine')}", "its card cannot be used: name is '../mine'"),
        ("\0", "the plugin mine.py cannot be used: it"),
        (f"{'(' * 5000}\n", "the plugin mine.py cannot be used: it"),
    ],
    ids=range(8),
)
def test_an_invalid_plugin_is_refused_and_not_run(capsys, plugin, text, sentence):
    assert sentence in refused(capsys, "models", "--plugin", plugin(text))


def test_a_plugin_may_begin_with_a_byte_order_mark(plugin):
    file = plugin("")
    file.write_bytes(f"\ufeffclass Mine: ...\r\n\r\n{CARD}".encode())
    with with_plugins([str(file)]):
        assert [entry.name for entry in plugins()] == ["mine"]


@pytest.mark.parametrize("name", ["nothing.py", "folder.py", "mine.txt"])
def test_a_path_without_a_python_file_is_refused(capsys, tmp_path, name):
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "mine.txt").write_text(CARD)
    sentence = refused(capsys, "models", "--plugin", tmp_path / name)
    assert f"there is no Python file {tmp_path / name}; give --plugin a file whose name ends in .py" in sentence


def test_a_plugin_without_a_file_is_refused(capsys):
    assert "--plugin names no file; give a Python file that ends in a CARD" in refused(capsys, "models", "--plugin")
    assert "--plugin names no file" in refused(capsys, "models", "--plugin=")


def test_a_binary_file_is_refused(capsys, tmp_path):
    (tmp_path / "mine.py").write_bytes(b"\xff\xfe")
    assert "the plugin mine.py cannot be used: it is not Python" in refused(
        capsys, "models", "--plugin", tmp_path / "mine.py"
    )


@pytest.mark.parametrize("name", ["my-cell.py", "json.py", "torch.py", "memtape.py", "__main__.py"])
def test_a_file_with_the_name_of_another_module_is_refused(capsys, plugin, name):
    file = plugin(f"class Mine: ...\n\n{CARD}", name)
    assert f"the plugin {name} cannot be imported as {file.stem}, which is" in refused(
        capsys, "models", "--plugin", file
    )


def test_two_plugins_of_one_name_are_refused(capsys, plugin, tmp_path):
    first = plugin(f"class Mine: ...\n\n{CARD}")
    other = plugin(f"class Mine: ...\n\n{CARD}", "other.py")
    words = ("models", "--plugin", first, "--plugin", other)
    assert 'the plugin other.py has the name "mine", which the plugin mine.py has' in refused(capsys, *words)
    (tmp_path / "below").mkdir()
    below = plugin(f"class Mine: ...\n\n{CARD.replace('mine', 'yours')}", "below/mine.py")
    words = ("models", "--plugin", first, "--plugin", below)
    assert "are plugins with the same name; rename one of the files" in refused(capsys, *words)


def test_a_path_that_the_environment_cannot_hold_is_refused(capsys):
    sentence = refused(capsys, "models", "--plugin", f"a{os.pathsep}b.py")
    assert f"has a {os.pathsep!r}, which separates paths in MEMTAPE_PLUGINS; rename" in sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            f"import nothing_like_it\n\n\nclass Mine: ...\n\n\n{CARD}",
            "cannot be imported (ModuleNotFoundError: No module",
        ),
        (
            f"1 / 0\n\n\nclass Mine: ...\n\n\n{CARD}",
            "cannot be imported (ZeroDivisionError: division by zero); correct it",
        ),
    ],
    ids=["missing module", "error"],
)
def test_a_plugin_with_an_import_error_is_named(plugin, text, sentence):
    with (
        with_plugins([str(plugin(text))]),
        pytest.raises(PluginError, match=re.escape(f"the plugin mine.py {sentence}")),
    ):
        MODELS["mine"].load()
    assert "mine" not in sys.modules


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("class Mine: ...", "Mine of mine.py has no __init__ of its own; write one"),
        (
            "class Mine:\n    def __init__(self, *, x: object = 1): ...",
            "x of Mine needs a plain type, a default and a line",
        ),
        (
            "from mine import Net\n\n\nclass Mine:\n    __init__ = runs(Net)",
            "Net is neither a class nor a function of mine.py",
        ),
    ],
    ids=["no constructor", "no plain type", "a name from nowhere"],
)
def test_unreadable_options_are_named(plugin, source, sentence):
    with with_plugins([str(plugin(f"{source}\n\n\n{CARD}"))]), pytest.raises(PluginError, match=re.escape(sentence)):
        _ = MODELS["mine"].options


# Installed packages


def package(place, name="mine_package", points="", **modules):
    """Install a package of modules, with the files of an installed wheel."""
    information = place / f"{name}-1.5.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (information / "entry_points.txt").write_text(points)
    for module, text in modules.items():
        (place / f"{module}.py").write_text(text)


def listed(place, kind="models"):
    """List the models or tasks with a folder on the path, in a new process."""
    paths = os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "memtape", kind, "--json"]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False)


def test_the_models_and_tasks_of_an_installed_package_are_registered(tmp_path):
    points = "[memtape.models]\nmgu = mgu:MGU\n\n[memtape.tasks]\nreversal = reversal\n"
    package(tmp_path, points=points, mgu=MGU.read_text(), reversal=REVERSAL.read_text())
    for kind, name in (("models", "mgu"), ("tasks", "reversal")):
        finished = listed(tmp_path, kind)
        assert finished.returncode == 0, finished.stderr
        assert f'"name": "{name}"' in finished.stdout
        assert '"plugin": "mine_package 1.5"' in finished.stdout


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        ("[memtape.models]\na = nowhere\n", "the plugin mine_package 1.5 has no module nowhere; install it again"),
        (
            "[memtape.models]\na = nowhere.below:A\n",
            "the plugin mine_package 1.5 cannot be imported (ModuleNotFoundError",
        ),
        (
            "[memtape.tasks]\na = mgu\n",
            "mgu of the plugin mine_package 1.5 does not end in a TaskCard; correct its entry",
        ),
        (
            "[memtape.models]\na = mgu:MGUCell\n",
            "the CARD of mgu in the plugin mine_package 1.5 describes MGU, not MGUCell",
        ),
        ("[memtape.models]\na = broken\n", "the plugin mine_package 1.5 cannot be used: it has no card"),
    ],
    ids=range(5),
)
def test_a_package_with_wrong_entry_points_is_named(tmp_path, points, sentence):
    package(tmp_path, points=points, mgu=MGU.read_text(), broken="raise SystemExit")
    finished = listed(tmp_path)
    assert finished.returncode == 2
    assert finished.stderr.startswith(f"memtape: {sentence}")
