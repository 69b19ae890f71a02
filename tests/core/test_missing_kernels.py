"""Missing kernels: one warning in a process, at the first training call of a network that has a kernel."""

import warnings

import pytest
import torch

from memtape import NTM, BiGRU, EntNet, Stories, use_backend
from memtape.cells import GRUCell
from memtape.core import missing_kernels
from memtape.core.compiled_library import Kernels
from memtape.core.missing_kernels import MissingKernelsWarning
from memtape.core.recurrent import Recurrent

REASON = "no C++ compiler was found when memtape was installed; install g++ or clang++ and install memtape again"
SENTENCE = f"this network is trained without its fused kernel, which is several times as fast, because {REASON}"


@pytest.fixture(autouse=True)
def without_kernels(monkeypatch):
    monkeypatch.delenv("MEMTAPE_BACKEND", raising=False)
    absent = Kernels(library=None, instructions=None, absent=REASON)
    monkeypatch.setattr("memtape.core.backends.kernels", lambda: absent)
    missing_kernels._warn.cache_clear()
    yield
    missing_kernels._warn.cache_clear()


@pytest.fixture
def xs():
    return torch.randn(2, 3, 4)


def warnings_of(*calls):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for call in calls:
            call()
    return [str(each.message) for each in seen if issubclass(each.category, MissingKernelsWarning)]


@pytest.mark.parametrize(
    "build", [lambda: NTM(4, 2, slots=5, width=3), lambda: BiGRU(4, 2), lambda: Recurrent(GRUCell(4, 2))]
)
def test_the_first_training_call_warns_with_the_cure(build, xs):
    network = build()
    assert warnings_of(lambda: network(xs), lambda: network(xs), lambda: NTM(4, 2)(xs)) == [SENTENCE]


def test_a_network_that_reads_stories_warns_too():
    ones = torch.ones(1, 1, dtype=torch.int64)
    stories = Stories(sentences=ones[None], question=ones, supports=ones - 1)
    network = EntNet(3, 3)
    assert warnings_of(lambda: network.eval()(stories), lambda: network.train()(stories)) == [SENTENCE]


class Own(GRUCell):
    """A cell without a kernel."""


def without_gradients(network, xs):
    with torch.no_grad():
        network(xs)


def on_the_reference(network, xs):
    with use_backend("reference"):
        network(xs)


@pytest.mark.parametrize(
    "call",
    [
        lambda network, xs: network.eval()(xs),
        without_gradients,
        on_the_reference,
        lambda network, xs: network(xs, collect=lambda state: state.hidden),
        lambda network, xs: Recurrent(Own(4, 2))(xs),
    ],
    ids=["evaluation", "no gradients", "a chosen backend", "collect", "no kernel"],
)
def test_other_calls_do_not_warn(call, xs):
    network = Recurrent(GRUCell(4, 2))
    assert warnings_of(lambda: call(network, xs)) == []


def test_present_kernels_do_not_warn(monkeypatch, xs):
    present = Kernels(library=None, instructions="portable", absent=None)
    monkeypatch.setattr("memtape.core.backends.kernels", lambda: present)
    assert warnings_of(lambda: missing_kernels.warn_if_missing(GRUCell(4, 2), "cpu")) == []


def test_other_devices_do_not_warn():
    assert warnings_of(lambda: missing_kernels.warn_if_missing(GRUCell(4, 2), "cuda")) == []
