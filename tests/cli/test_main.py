"""The command: no module imports it, and each error of user input has its own exit code."""

import importlib
import inspect
import os
import pkgutil
from pathlib import Path

import pytest
import torch

import memtape
from memtape.cli import main
from memtape.core.errors import ReportedError, RequestError, WorkError
from memtape.tasks.data_folder import DataError

CLI = Path(main.__file__).parent
HANDLED_INTERNALLY = {"MisfitError", "BracketedError", "CardError"}
"""Errors that are replaced by others before they reach the command."""


@pytest.mark.parametrize("file", sorted(CLI.glob("*.py")), ids=lambda file: file.stem)
def test_only_its_own_module_names_the_command(file):
    """The import linter finds neither names in strings nor cycles through them."""
    text = file.read_text()
    assert file.name == "main.py" or ("cli.main" not in text and "import main" not in text)


def errors_of_the_library():
    for module in pkgutil.walk_packages(memtape.__path__, "memtape."):
        if module.name != "memtape.__main__":
            found = vars(importlib.import_module(module.name)).values()
            yield from (
                kind
                for kind in found
                if inspect.isclass(kind)
                and issubclass(kind, Exception)
                and not issubclass(kind, Warning)
                and kind.__module__ == module.name
                and not kind.__name__.startswith("_")
            )


def test_every_error_of_the_library_has_an_exit_code():
    kinds = {kind.__name__: kind for kind in errors_of_the_library()}
    assert len(kinds) > 12
    for name, kind in kinds.items():
        assert name in HANDLED_INTERNALLY or issubclass(kind, ReportedError), name
        assert issubclass(kind, ValueError) == (issubclass(kind, RequestError) or name in HANDLED_INTERNALLY), name


@pytest.mark.parametrize(("base", "code"), [(RequestError, 2), (WorkError, 1)])
def test_an_error_of_an_unknown_module_is_reported_with_its_code(monkeypatch, capsys, base, code):
    class PluginError(base):
        """An error of a user's own module."""

    def fail(_):
        raise PluginError("the plugin\nis broken")

    monkeypatch.setattr(main, "build", fail)
    assert main.run(["train"]) == code
    assert capsys.readouterr().err == "memtape: the plugin is broken\n"


def test_an_internal_error_of_the_library_is_not_hidden(monkeypatch):
    def fail(_):
        raise ValueError("shapes differ")

    monkeypatch.setattr(main, "build", fail)
    with pytest.raises(ValueError, match="shapes differ"):
        main.run(["train"])


@pytest.mark.parametrize("code", [0, 1, 2])
def test_one_of_several_processes_exits_at_once_and_a_single_one_as_usual(monkeypatch, code):
    """Torch contacts the other processes when Python exits, and aborts if they exited first."""
    left = []
    monkeypatch.setattr(main, "run", lambda _: code)
    monkeypatch.setattr(os, "_exit", left.append)
    for several, wanted in ((False, []), (True, [code])):
        monkeypatch.setattr(torch.distributed, "is_initialized", lambda several=several: several)
        with pytest.raises(SystemExit) as leaving:
            main.main(["doctor"])
        assert leaving.value.code == code
        assert left == wanted


def test_unreadable_data_is_an_invalid_request_in_every_command(monkeypatch, capsys):
    def fail(_):
        raise DataError("there is no such file")

    monkeypatch.setattr(main, "build", fail)
    assert main.run(["train"]) == 2
    assert capsys.readouterr().err == "memtape: there is no such file\n"
