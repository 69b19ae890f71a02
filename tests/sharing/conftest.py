"""A small network in a shared folder, and functions that compare networks and check refusals."""

import json
import re

import pytest
import torch

import memtape
from memtape.sharing.shared_folder import SharingError


@pytest.fixture
def ntm():
    return memtape.NTM(3, 2, slots=4, width=3, controller_size=5)


@pytest.fixture
def folder(ntm, tmp_path):
    ntm.save_pretrained(tmp_path / "ntm")
    return tmp_path / "ntm"


@pytest.fixture
def bare(folder):
    """A folder from another source, without a manifest."""
    (folder / "manifest.json").unlink()
    return folder


@pytest.fixture(scope="session")
def same():
    """Return a check that two networks have the same weights and bitwise equal outputs."""

    def check(first, second):
        assert type(first) is type(second)
        assert first.configuration == second.configuration
        weights, others = first.state_dict(), second.state_dict()
        assert list(weights) == list(others)
        assert all(torch.equal(weights[name], others[name]) for name in weights)
        dtype = next(first.parameters()).dtype
        xs = torch.randn(2, 4, first.input_size, dtype=dtype)
        assert torch.equal(first(xs)[0], second(xs)[0])

    return check


@pytest.fixture(scope="session")
def change():
    """Return a function that changes arguments in the configuration of a folder."""

    def rewrite(folder, **arguments):
        config = json.loads((folder / "config.json").read_text())
        config["arguments"].update(arguments)
        (folder / "config.json").write_text(json.dumps(config))

    return rewrite


@pytest.fixture(scope="session")
def refused():
    """Return a check that a folder is refused with one sentence."""

    def check(folder, sentence, kind=memtape.NTM, error=SharingError):
        with pytest.raises(error, match=re.escape(sentence)) as caught:
            kind.from_pretrained(folder)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 600 + 2 * len(str(folder))

    return check
