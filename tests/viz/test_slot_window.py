"""A window of slots leaves out only slots without weights, and keeps the ring order."""

import numpy as np
import pytest

from memtape.viz.slot_window import TOUCHED, every_slot, touched_slots


def one_hot(slots: list[int], total: int) -> np.ndarray:
    return np.eye(total)[slots]


def test_the_window_holds_every_touched_slot_in_ring_order() -> None:
    generator = np.random.default_rng(0)
    for _ in range(200):
        total = int(generator.integers(1, 65))
        slots = generator.choice(total, size=int(generator.integers(1, total + 1)), replace=False).tolist()
        order = touched_slots(one_hot(slots, total)).order
        assert set(slots) <= set(order.tolist())
        assert len(set(order.tolist())) == len(order)
        assert ((np.diff(order) - 1) % total == 0).all()


def test_an_arc_in_the_middle_is_shown_with_a_margin_and_labelled() -> None:
    window = touched_slots(one_hot(list(range(30, 60)), 128))
    assert (window.order[0], window.order[-1], window.seam) == (28, 61, None)
    assert window.label() == "slot\n(28\N{EN DASH}61 of 128)"


def test_an_arc_across_slot_0_is_contiguous() -> None:
    window = touched_slots(one_hot([*range(120, 128), *range(10)], 128))
    assert (window.order[0], window.order[-1]) == (118, 11)
    assert window.seam is not None
    assert window.order[window.seam - 1 : window.seam + 1].tolist() == [127, 0]


def test_a_margin_alone_never_crosses_slot_0() -> None:
    assert touched_slots(one_hot([0], 128)).order.tolist() == list(range(16))
    assert touched_slots(one_hot([127], 128)).order.tolist() == list(range(112, 128))


def test_all_slots_are_shown_if_cropping_saves_little_or_all_are_used() -> None:
    for weights in (one_hot(list(range(100)), 120), np.full((3, 128), TOUCHED / 3)):
        window = touched_slots(weights)
        assert (window.order == np.arange(weights.shape[1])).all()
        assert (window.label(), window.seam) == ("slot", None)


@pytest.mark.parametrize("total", [1, 7])
def test_all_slots_can_be_shown(total: int) -> None:
    assert every_slot(total).order.tolist() == list(range(total))


def test_of_scattered_slots_only_these_are_shown() -> None:
    window = touched_slots(one_hot([3, 700, 1_900], 2_000))
    assert window.order.tolist() == [3, 700, 1_900]
    assert not window.arc
    assert window.seam is None
    assert window.label("written slot") == "written slot\n(3 of 2000)"
    assert touched_slots(one_hot([3, 600], 2_000)).arc
