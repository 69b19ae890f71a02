"""The reads of a head are traced back to the steps in which their contents were written."""

import numpy as np
import pytest

from memtape.viz.read_sources import read_sources

TIME, SLOTS = 7, 4


def weights(heads: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(SLOTS), size=(TIME, heads))


def test_a_slot_that_is_written_once_comes_from_that_step() -> None:
    write = np.eye(4)[[0, 1, 2, 3]][:, None]
    read = np.eye(4)[[0, 0, 2, 1]][:, None]
    sources = read_sources(write, read)
    assert [sources[step, 0].argmax() for step in range(4)] == [0, 0, 2, 1]
    np.testing.assert_array_equal(sources.sum(axis=2), 1)


def test_an_overwritten_slot_loses_its_source() -> None:
    write = np.array([[[1.0, 0.0]], [[0.75, 0.0]], [[0.0, 1.0]]])
    read = np.array([[[1.0, 0.0]]] * 3)
    np.testing.assert_allclose(read_sources(write, read)[:, 0], [[1, 0, 0], [0.25, 0.75, 0], [0.25, 0.75, 0]])


def test_the_initial_memory_has_no_source() -> None:
    write = np.full((1, 1, 2), 0.25)
    np.testing.assert_allclose(read_sources(write, np.array([[[0.5, 0.5]]])), [[[0.25]]])


@pytest.mark.parametrize(("writes", "reads"), [(1, 1), (2, 3)])
def test_sources_equal_an_explicit_computation(writes: int, reads: int) -> None:
    write, read = weights(writes, 0), weights(reads, 1)
    sources = read_sources(write, read)
    for now in range(TIME):
        for head in range(reads):
            for then in range(TIME):
                expected = 0.0
                for slot in range(SLOTS):
                    share = 0.0
                    if then <= now:
                        share = 1 - np.prod([1 - write[then, h, slot] for h in range(writes)])
                        for later in range(then + 1, now + 1):
                            share *= np.prod([1 - write[later, h, slot] for h in range(writes)])
                    expected += read[now, head, slot] * share
                assert sources[now, head, then] == pytest.approx(expected, abs=1e-12)
