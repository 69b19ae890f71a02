"""The sections of docs/guides/torch.md on other libraries for training run, where these libraries are installed."""

import re
from pathlib import Path

import pytest

DOCUMENT = (Path(__file__).parents[2] / "docs" / "guides" / "torch.md").read_text()

pytestmark = pytest.mark.filterwarnings("ignore")  # those of the libraries


def run(heading):
    """Run the code of a section, and return its names."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    names = {"__name__": "section"}
    for code in re.findall(r"```py\n(.*?)```", section, re.DOTALL):
        exec(compile(code, heading, "exec"), names)
    return names


def test_lightning(tmp_path, monkeypatch):
    pytest.importorskip("lightning")
    monkeypatch.chdir(tmp_path)
    names = run("Lightning")
    assert names["trainer"].global_step == 8


def test_skorch():
    pytest.importorskip("skorch")
    names = run("skorch")
    assert names["predictions"].shape == (20,)
    assert len(names["model"].history) == 2
