"""Recall: how patterns are corrupted, and what the memories recall."""

import torch

from memtape.experiments.recall import corrupt, drawn_digits, recall_patterns


def test_noise_flips_a_fixed_number_of_pixels_and_cover_darkens_the_lower_rows():
    _, patterns = drawn_digits(3)
    noisy = corrupt(patterns, "noise", 0.1)
    assert (noisy != patterns).sum((1, 2)).tolist() == [78] * 3
    assert torch.equal(noisy, corrupt(patterns, "noise", 0.1))
    assert not torch.equal(noisy, corrupt(patterns, "noise", 0.1, seed=1))
    covered = corrupt(patterns, "cover", 0.5)
    assert torch.equal(covered[:, :14], patterns[:, :14])
    assert covered[:, 14:].eq(-1).all()


def test_without_corruption_the_exact_memories_return_what_they_store():
    names, patterns = drawn_digits(4)
    found = recall_patterns(names, patterns, amount=0.0)
    shares = found.right()
    assert shares["corrupted"] == shares["projection"] == shares["dense"] == shares["modern"] == [1.0] * 4
    for one in found.found.values():
        assert (one.energies.diff(dim=0) <= 1e-3 * one.energies.abs().max()).all()
