"""Leaving: the exit code of every process, alone or among several."""

import os

import pytest
import torch

from memtape.cli import main
from memtape.tasks.data_folder import DataError


@pytest.mark.parametrize("code", [0, 1, 2])
def test_one_of_several_processes_leaves_at_once_and_one_alone_as_usual(monkeypatch, code):
    """Torch takes leave of the other processes when Python ends, and aborts where they went first."""
    left = []
    monkeypatch.setattr(main, "run", lambda _: code)
    monkeypatch.setattr(os, "_exit", left.append)
    for several, wanted in ((False, []), (True, [code])):
        monkeypatch.setattr(torch.distributed, "is_initialized", lambda several=several: several)
        with pytest.raises(SystemExit) as leaving:
            main.main(["doctor"])
        assert leaving.value.code == code
        assert left == wanted


def test_data_that_cannot_be_read_is_a_wrong_request_wherever_it_comes_up(monkeypatch, capsys):
    def fail(_):
        raise DataError("there is no such file")

    monkeypatch.setattr(main, "build", fail)
    assert main.run(["train"]) == 2
    assert capsys.readouterr().err == "memtape: there is no such file\n"
