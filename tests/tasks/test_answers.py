"""Answers of several steps: which of them are correct at each step."""

import torch

from memtape.tasks.answers import answer_sums


def steps(*rows):
    return torch.tensor([[mark == "#" for mark in row] for row in rows])


def test_an_answer_is_right_if_no_step_of_it_is_wrong():
    mask = steps("##.#.###", ".##...#.", "........")
    wrong = steps("#....#..", "...#..#.", "#######.")
    assert answer_sums(wrong, mask) == {"right": 2, "answers": 5}
    assert answer_sums(steps(*["." * 8] * 3), mask) == {"right": 5, "answers": 5}
    assert answer_sums(mask, mask) == {"right": 0, "answers": 5}


def test_the_sums_of_parts_add_up():
    generator = torch.Generator().manual_seed(0)
    mask, wrong = (torch.rand(6, 30, generator=generator) < share for share in (0.6, 0.3))
    whole = answer_sums(wrong, mask)
    parts = [answer_sums(wrong[rows], mask[rows]) for rows in (slice(0, 1), slice(1, 6))]
    assert whole == {name: sum(part[name] for part in parts) for name in whole}
    assert 0 < whole["right"] < whole["answers"]
