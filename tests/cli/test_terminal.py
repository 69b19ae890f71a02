"""The terminal: closed, full and ASCII outputs, its width, and names with control characters."""

import os
import subprocess
import sys

import pytest

from memtape.cli.main import run
from memtape.cli.table import print_table
from memtape.cli.terminal import print_visible, visible

ESCAPE = "\x1b[31mred"


def memtape(*words, shell=None, **environment):
    """Run the command in a process of its own, or in a shell as the word $MEMTAPE."""
    command = [sys.executable, "-m", "memtape", *words] if shell is None else ["bash", "-c", shell]
    variables = {**os.environ, "MEMTAPE": f"{sys.executable} -m memtape", **environment}
    return subprocess.run(command, capture_output=True, text=True, env=variables, timeout=120, check=False)


def test_a_reader_that_has_seen_enough_ends_the_command_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        command = [sys.executable, "-m", "memtape", "models", "--json"]
        ended = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, timeout=120, check=False)
    assert ended.returncode == 1
    assert ended.stderr == b""


@pytest.mark.parametrize("command", ["models --json", "recipes", "--help"])
def test_a_full_disk_behind_the_output_is_reported_in_one_sentence(command):
    ended = memtape(shell=f"$MEMTAPE {command} > /dev/full")
    assert ended.returncode == 1
    assert ended.stderr == (
        "memtape: the output cannot be read or written (No space left on device); free disk space, or give another place\n"
    )


@pytest.mark.parametrize("command", ["models", "doctor"])
def test_closed_outputs_are_no_failure(command):
    assert memtape(shell=f"$MEMTAPE {command} >&- 2>&-").returncode == 0


@pytest.mark.parametrize("command", [["models"], ["results"], ["train", "ntm", "copy", "--help"], ["cite", "ntm"]])
def test_an_ascii_terminal_receives_replaced_characters(command):
    ended = memtape(*command, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert ended.returncode == 0
    assert ended.stdout.isascii()
    assert ended.stderr == ""


@pytest.mark.parametrize("name", ["COLUMNS", "LINES"])
@pytest.mark.parametrize("size", ["0", "1", "-5", "many", "²", "9" * 30, ""])
def test_an_impossible_size_of_the_terminal_is_ignored(monkeypatch, capsys, name, size):
    monkeypatch.setenv(name, size)
    assert run(["--help"]) == 0
    assert "train" in capsys.readouterr().out


def test_control_characters_are_visible():
    assert visible("a\x1b[31m\r\x07\x9b\u202e\udcff\tb\n") == "a\\x1b[31m\\r\\x07\\x9b\\u202e\\udcff\tb\n"
    assert visible("naïve 日本語 🙂") == "naïve 日本語 🙂"


def test_printed_lines_and_tables_have_no_control_characters(capsys):
    print_visible(ESCAPE)
    print_visible(ESCAPE, error=True)
    print_table([{f"name{ESCAPE}": ESCAPE}])
    output = capsys.readouterr()
    assert "\x1b" not in output.out + output.err
    assert output.out.count("\\x1b[31mred") == 3


def test_markup_in_a_table_is_text(capsys):
    print_table([{"[bold]name": "[/red] [link=x]"}])
    assert capsys.readouterr().out.split("\n")[:2] == ["[bold]name     ", "[/red] [link=x]"]


@pytest.mark.parametrize(
    "words", [["runs", "show", ESCAPE], ["evaluate", ESCAPE], [ESCAPE], ["train", ESCAPE], ["recipes", ESCAPE]]
)
def test_a_name_with_a_terminal_escape_is_not_printed_raw(capsys, words):
    assert run(words) == 2
    output = capsys.readouterr()
    assert "\x1b" not in output.out + output.err
    assert "\\x1b[31mred" in output.err
    assert output.err.count("\n") == 1


def test_a_name_that_is_not_utf_8_is_reported_in_one_sentence(tmp_path):
    ended = memtape("runs", "show", b"name\xff")
    assert ended.returncode == 2
    assert ended.stderr.startswith("memtape: name\\udcff has no config.json")
    assert ended.stderr.count("\n") == 1


def test_without_words_the_help_is_printed(capsys):
    assert run([]) == 0
    assert "Usage: memtape COMMAND" in capsys.readouterr().out


def test_the_help_does_not_need_docstrings():
    ended = memtape("train", "ntm", "copy", "--help", PYTHONOPTIMIZE="2")
    assert ended.returncode == 0
    assert "maximal number of steps of the optimiser" in " ".join(ended.stdout.split())


@pytest.mark.parametrize(
    "backend",
    [
        "module://matplotlib_inline.backend_inline",
        *(pytest.param(name, marks=pytest.mark.every_form) for name in ("none", "agg")),
    ],
)
def test_figures_do_not_depend_on_the_backend_of_a_notebook(tmp_path, backend):
    code = (
        "import memtape.viz.figures as figures\nfrom matplotlib.figure import Figure\nfigures.save(Figure(), 'drawn', 'a')"
        "; import os; print(os.environ['MPLBACKEND'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": backend},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.stdout == f"{backend}\n"
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["a.png", "a.svg"]
