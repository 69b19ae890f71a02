"""The backend that a thread or a task chooses, alone, in blocks and for the backward pass."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from weakref import ref

import pytest
import torch

from memtape import use_backend
from memtape.core.backends import backend_for
from memtape.core.recompute import recomputed


@pytest.fixture(autouse=True)
def no_choice(monkeypatch):
    """Start each test without a chosen backend."""
    monkeypatch.delenv("MEMTAPE_BACKEND", raising=False)
    monkeypatch.setattr("memtape.core.backends._THREAD.name", None)


def in_thread(function):
    """Return the result of a function that runs in a thread of its own."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(function).result(timeout=10)


def test_overlapping_blocks_in_threads_do_not_change_each_other():
    """An earlier version restored what the other thread had chosen, and left it on for good."""
    entered, left = Event(), Event()

    def other():
        with use_backend("compile"):
            entered.set()
            assert left.wait(10)
            inside = backend_for("cpu")
        return inside, backend_for("cpu")

    before = backend_for("cpu")
    with ThreadPoolExecutor(max_workers=1) as pool:
        with use_backend("reference"):
            running = pool.submit(other)
            assert entered.wait(10)
            assert backend_for("cpu") == "reference"
        assert backend_for("cpu") == before
        left.set()
        assert running.result(timeout=10) == ("compile", before)
    assert backend_for("cpu") == before


def test_a_choice_is_that_of_its_thread(monkeypatch):
    monkeypatch.setenv("MEMTAPE_BACKEND", "scan")
    use_backend("reference")
    assert in_thread(lambda: backend_for("cpu")) == "scan"
    assert in_thread(lambda: use_backend("compile") and backend_for("cpu")) == "compile"
    assert backend_for("cpu") == "reference"


def test_the_object_of_a_block_is_never_the_choice_of_another_thread(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "memtape.core.backends._note_change", lambda: seen.append(in_thread(lambda: backend_for("cpu")))
    )
    before = backend_for("cpu")
    with use_backend("reference"):
        pass
    assert set(seen) == {before}
    assert len(seen) == 4


def test_a_call_in_a_block_ends_with_the_block():
    use_backend("compile")
    with use_backend("reference"):
        use_backend("scan")
        assert backend_for("cpu") == "scan"
    assert backend_for("cpu") == "compile"


def test_a_kept_object_can_be_entered_again_and_nested():
    choice = use_backend("reference")
    use_backend("compile")
    for _ in range(2):
        with choice:
            with choice:
                assert backend_for("cpu") == "reference"
            assert backend_for("cpu") == "reference"
        assert backend_for("cpu") == "compile"


def test_calls_accumulate_nothing():
    objects = [ref(use_backend("reference")) for _ in range(10)]
    assert sum(each() is not None for each in objects) == 1


def test_a_block_of_an_asynchronous_task_is_that_of_the_task():
    async def run(name, others):
        with use_backend(name):
            others.append(backend_for("cpu"))
            await asyncio.sleep(0)
            others.append(backend_for("cpu"))
            return await asyncio.create_task(child())

    async def child():
        return backend_for("cpu")

    async def together():
        first, second = [], []
        found = await asyncio.gather(run("reference", first), run("compile", second))
        return first, second, found, backend_for("cpu")

    before = backend_for("cpu")
    first, second, found, after = asyncio.run(together())
    assert (first, second) == (["reference"] * 2, ["compile"] * 2)
    assert found == ["reference", "compile"]
    assert after == before


def test_blocks_of_generators_may_end_in_any_order():
    def block(name):
        with use_backend(name):
            yield

    before = backend_for("cpu")
    first, second = block("reference"), block("compile")
    next(first)
    next(second)
    first.close()
    assert backend_for("cpu") == "compile"
    second.close()
    assert backend_for("cpu") == before


class Inner(torch.nn.Module):
    """A module that notes the backend in use."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))
        self.seen = []

    def run(self, xs):
        self.seen.append(backend_for("cpu"))
        return self.scale * xs


def test_recomputation_uses_the_backend_of_the_forward_pass_also_in_another_thread():
    inner = Inner()
    with use_backend("reference"):
        ys = recomputed(inner.run, inner, torch.ones(2))
    in_thread(ys.sum().backward)
    assert inner.seen == ["reference"] * 2
    assert inner.scale.grad == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_function_follows_the_choice():
    compiled_function = torch.compile(
        lambda xs: xs + (backend_for("cpu") == "reference"), fullgraph=True, backend="eager"
    )
    for _ in range(10):
        assert compiled_function(torch.zeros(1)) == 0
        with use_backend("reference"):
            assert compiled_function(torch.zeros(1)) == 1
