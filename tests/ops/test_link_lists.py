"""Link lists: added entries, dropped entries, and unused places."""

import torch

from memtape import ops

F64 = torch.float64


def numbers(*rows):
    return torch.tensor(rows, dtype=F64)


def test_weights_are_added_to_slots_in_the_list_and_the_weakest_are_dropped():
    slots, weights = ops.add_to_lists(
        numbers([4, 2, 7]), numbers([0.5, 0.3, 0.1]), numbers([2, 5]), numbers([0.4, 0.2])
    )
    torch.testing.assert_close(slots, numbers([2, 4, 5]))
    torch.testing.assert_close(weights, numbers([0.7, 0.5, 0.2]))


def test_of_equal_entries_the_old_ones_are_kept():
    slots, _ = ops.add_to_lists(numbers([4, 2]), numbers([0.5, 0.3]), numbers([5, 6]), numbers([0.3, 0.5]))
    assert slots.tolist() == [[4, 6]]


def test_a_place_of_weight_0_is_unused():
    slots, weights = ops.add_to_lists(numbers([0, 0, 0]), numbers([0, 0, 0]), numbers([0, 3]), numbers([0.25, 0.5]))
    assert slots.tolist() == [[3, 0, 0]]
    assert weights.tolist() == [[0.5, 0.25, 0]]


def test_only_lists_of_slots_written_now_or_last_change():
    torch.manual_seed(0)
    places = torch.stack([torch.randperm(9)[:3] for _ in range(9)])[None].to(F64)
    weights = torch.rand(1, 9, 3, dtype=F64).sort(-1, descending=True).values / 3
    now, then = (numbers([2, 6]), numbers([0.5, 0.25])), (numbers([8, 1, 1]), numbers([0.5, 0.25, 0]))
    parts = {"precedence_slots": then[0], "precedence_weights": then[1]}
    before = ops.predecessor_lists(places, weights, *now, **parts)
    after = ops.successor_lists(places, weights, *now, **parts)
    changed = [{i for i in range(9) if not torch.equal(x[0, i], places[0, i])} for x in (before[0], after[0])]
    assert changed == [{2, 6}, {8, 1}]
    factors = torch.ones(9, dtype=F64)
    factors[[2, 6]] = numbers([0.5, 0.75])[0]
    faded = weights * factors[places.long()]
    torch.testing.assert_close(after[1][0, [0, 3, 4, 5, 7]], faded[0, [0, 3, 4, 5, 7]])


def test_links_are_followed_from_every_slot_that_was_read():
    slots, weights = numbers([[1, 2], [2, 0], [0, 1]]), numbers([[0.5, 0.25], [1, 0], [0.75, 0]])
    reached = ops.linked(slots, weights, torch.tensor([[[0, 2]]]), numbers([[0.5, 1.0]]))
    torch.testing.assert_close(reached, numbers([[0.75, 0.25, 0.125]]))
