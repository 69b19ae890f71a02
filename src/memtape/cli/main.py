"""`memtape`: the command, its help, and its reports of errors. No other module of the command line imports this one."""

import importlib
import os
import sys
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from cyclopts import App, CycloptsError, UnusedCliTokensError
from cyclopts.config import Dict

from memtape.catalog.plugins import with_plugins
from memtape.catalog.registry import MODELS, TASKS
from memtape.cli.errors import UsageError
from memtape.cli.suggestion import with_suggestion
from memtape.cli.terminal import print_visible
from memtape.core.errors import ReportedError
from memtape.core.given_path import given_path, read_given
from memtape.core.text_file import decoded
from memtape.version import __version__

HELP = """Train, evaluate and inspect neural networks with memory.

`memtape train ntm copy` trains a Neural Turing Machine to copy, and writes a run folder with weights, figures and a
report. With `--plugin FILE.py`, once or several times, a command also knows the model or the task of that file.
"""

EXPERIMENTS = {
    "train": "Train a model on a task, until it is solved.",
    "sweep": "Train many seeds, of one configuration or of those that a search proposes.",
}
"""Commands that have the options of a model and a task; each has a module of its name."""

TYPED = {
    "evaluate": "Score a trained run at given lengths.",
    "bench": "Measure time and memory of models on each backend.",
}
"""Commands whose options depend on the run or the models that they name; each has a module of its name."""

COMMANDS = {
    "resume": ("memtape.cli.resume:resume", "Continue an interrupted training run exactly."),
    "generate": ("memtape.cli.generate:generate", "Let a trained language model continue a prompt."),
    "recall": ("memtape.cli.recall:recall", "Store images in associative memories, corrupt them, and recall them."),
    "ask": ("memtape.cli.ask:ask", "Ask a network questions about a story, and print where it looked."),
    "extract": ("memtape.cli.extract:extract", "Extract the finite automaton that a trained network has learned."),
    "report": ("memtape.cli.report:report", "Redraw the figures and the report of a run."),
    "share": ("memtape.cli.share:share", "Save a trained run as a folder to share, or push it to the hub."),
    "runs": ("memtape.cli.runs:runs", "List run folders, show one, or compare several."),
    "models": ("memtape.cli.lists:models", "List the models."),
    "tasks": ("memtape.cli.lists:tasks", "List the tasks."),
    "recipes": ("memtape.cli.lists:recipes", "List the recipes, or show one."),
    "results": ("memtape.cli.results:results", "Print the ledger: published numbers and ours, for each recipe."),
    "reproduce": ("memtape.cli.reproduce:reproduce", "Train a recipe again and compare with the ledger."),
    "cite": ("memtape.cli.lists:cite", "Print the papers of models, tasks and recipes as BibTeX."),
    "doctor": ("memtape.cli.doctor:doctor", "Show versions, hardware and backends, and what is missing."),
}


INSTALL_COMPLETION = "--install-completion"

SIZES = {"COLUMNS": (20, 10_000), "LINES": (1, 10_000)}
"""Environment variables with the size of the terminal, and the sizes in which text can be drawn."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit: 0 on success, 2 on a wrong request, 1 on a failure, 130 on an interrupt."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    code = _flushed(run(list(sys.argv[1:] if argv is None else argv)))
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.distributed.is_initialized():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # torch's clean-up may abort if another process ended first
    sys.exit(code)


def run(words: list[str]) -> int:
    """Run a command line and return its exit code; `--plugin FILE.py` may appear anywhere in it."""
    try:
        return _run(words)
    except UnusedCliTokensError as error:
        extra = " ".join(error.unused_tokens or ())
        sentence = f"no option takes the words {extra!r}; leave them out, or read --help for options that take several"
        code = 2
    except CycloptsError as error:
        sentence, code = with_suggestion(error), 2
    except KeyboardInterrupt:
        sentence = "stopped by the keyboard; `memtape resume RUN` continues from the last checkpoint of a training run"
        code = 130
    except ReportedError as error:
        sentence, code = str(error), error.exit_code
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        return 1
    except SystemExit as error:  # the command that installs completion has reported its failure
        return error.code if isinstance(error.code, int) else 1
    except OSError as error:
        sentence, code = _output_error(error), 1
    return _report(sentence, code)


def _run(words: list[str]) -> int:
    words, plugins = _without_plugins(words)
    with with_plugins(plugins):
        _ignore_impossible_sizes()
        command, bound, _ = build(words).parse_args(words, exit_on_error=False, print_error=False)
        for name, value in bound.arguments.items():
            bound.arguments[name] = _given(value)
        result = command(*bound.args, **bound.kwargs)
    return result if isinstance(result, int) else 0


def build(words: Sequence[str] = ()) -> App:
    """Return the command for a command line; `--config` and `--recipe` set the defaults of the other options.

    Raises:
        UsageError: a file is missing or not TOML.
        UnknownNameError: the recipe does not exist.
        RecipeError: the file is not a recipe.
    """
    app = App(name="memtape", help=HELP, version=__version__, version_flags=["--version"])
    file = _value_of("--config", words)
    values = {} if file is None else _read_toml(given_path(file))
    recipe = _value_of("--recipe", words) or values.get("recipe")
    for name, text in EXPERIMENTS.items():
        app.command(_experiments(name, text, recipe, words))
    for name, text in TYPED.items():
        app.command(_module(name).app(words[1:]) if _is_needed(name, words) else App(name=name, help=text))
    for name, (path, text) in COMMANDS.items():
        app.command(path, name=name, help=text)
    app.register_install_completion_command(help="Install completion for this shell.")
    if file is not None:
        commands = {model: dict.fromkeys(TASKS, values) for model in MODELS}
        app.config = (Dict(dict.fromkeys(EXPERIMENTS, commands), source=file),)
    return app


def _without_plugins(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the other words of a command line, and the files that it names as plugins."""
    others, files, rest = [], [], iter(words)
    for word in rest:
        flag, equals, value = word.partition("=")
        if flag != "--plugin":
            others.append(word)
            continue
        file = value if equals else next(rest, "")
        if not file:
            raise UsageError("--plugin names no file; give a Python file that ends in a CARD")
        files.append(file)
    return others, files


def _experiments(name: str, text: str, recipe: str | None, words: Sequence[str]) -> App:
    """Return a command, with those models, tasks and options that the command line or a completion script needs."""
    if not _is_needed(name, words):
        return App(name=name, help=text)
    if words[0] == name:
        return _module(name).app(recipe, words)
    from memtape.cli.completion import add_completion

    return add_completion(App(name=name, help=text), _module(name).OWN)


def _is_needed(name: str, words: Sequence[str]) -> bool:
    return words[:1] in ([name], [INSTALL_COMPLETION])


def _module(command: str) -> Any:
    return importlib.import_module(f"memtape.cli.{command}")


def _value_of(flag: str, words: Sequence[str]) -> str | None:
    for place, word in enumerate(words):
        if word == flag:
            return next(iter(words[place + 1 :]), "")
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return None


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(decoded(read_given(file)))
    except OSError as error:
        raise UsageError(f"the file {file} cannot be read ({error.strerror}); give --config a TOML file") from None
    except (ValueError, RecursionError) as error:  # tomllib raises these for too many digits or brackets
        raise UsageError(f"the file {file} is not TOML ({error}); correct it there") from None
    for name in ("model", "task", "train"):
        if not isinstance(values.get(name, {}), dict):
            raise UsageError(
                f"{name} in {file} is {values[name]!r}, but it must be a table; write [{name}] and its options"
            )
    if not isinstance(values.get("recipe", ""), str):
        raise UsageError(f"recipe in {file} is {values['recipe']!r}, but it must be a name; write it in quotes")
    return values


def _given(value: Any) -> Any:
    """Return an argument of a command, with the home folder in paths."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(_given, value))
    return given_path(value) if isinstance(value, Path) else value


def _ignore_impossible_sizes() -> None:
    """Remove sizes of the terminal from the environment in which no text can be drawn."""
    for name, (least, most) in SIZES.items():
        text = os.environ.get(name)
        if text is not None and not (text.isascii() and text.isdecimal() and least <= int(text[:9]) <= most):
            del os.environ[name]


def _flushed(code: int) -> int:
    """Write the rest of the output, and return the exit code; Python itself would report a failure at its exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            if not code and not isinstance(error, BrokenPipeError):
                _report(_output_error(error), 1)
            code = code or 1
    return code


def _output_error(error: OSError) -> str:
    place = "the output" if error.filename is None else f"the file {error.filename}"
    return f"{place} cannot be read or written ({error.strerror or error}); free disk space, or give another place"


def _report(message: str, code: int) -> int:
    with suppress(OSError):
        print_visible(f"memtape: {' '.join(message.split())}", error=True)
    return code
