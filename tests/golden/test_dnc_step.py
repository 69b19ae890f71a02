"""The worked example of the Differentiable Neural Computer, computed independently in float64 and printed to all
digits.
"""

import torch

from memtape import ops

F64 = torch.float64


def numbers(*rows):
    return torch.tensor(rows, dtype=F64)


def assert_printed(actual, digits, within=0.51e-8):
    torch.testing.assert_close(actual, torch.tensor(digits, dtype=F64), rtol=0, atol=within)


def test_usage_and_allocation():
    retained = ops.retention(numbers(0.5, 0.25)[None], numbers([0.1, 0.6, 0.2, 0.1], [0, 0.8, 0.1, 0])[None])
    assert_printed(retained[0], [0.95, 0.56, 0.8775, 0.95], 1e-15)
    before, wrote = numbers([0.3, 0.9, 0.3, 0.1]), numbers([0.5, 0.2, 0, 0.1])[None]
    assert_printed(ops.usage_after(before, wrote, torch.ones_like(before))[0], [0.65, 0.92, 0.3, 0.19], 1e-15)
    usage = ops.usage_after(before, wrote, retained)
    assert_printed(usage[0], [0.6175, 0.5152, 0.26325, 0.1805], 1e-15)
    free = ops.allocation_weights(usage)
    assert_printed(free[0], [0.00936382, 0.02303606, 0.13298337, 0.8195])
    assert_printed(free.sum(), 0.984883250989, 0.51e-11)
    assert_printed(1 - usage.prod(), 0.984883250989, 0.51e-12)


def test_allocation_of_equal_usages():
    assert_printed(ops.allocation_weights(numbers([0.5, 0.2, 0.2, 1]))[0], [0.02, 0.8, 0.16, 0], 1e-15)


def test_links():
    links, precedence = torch.zeros(1, 1, 4, 4, dtype=F64), torch.zeros(1, 1, 4, dtype=F64)
    for write in ([0, 0.9, 0, 0.1], [0.8, 0, 0.1, 0], [0, 0, 0.5, 0.5]):
        weights = numbers(write)[None]
        links, precedence = ops.links_after(links, precedence, weights), ops.precedence_after(precedence, weights)
    rows = [[0, 0.72, 0, 0.04], [0, 0, 0, 0], [0.4, 0.09, 0, 0.005], [0.4, 0.045, 0.05, 0]]
    assert_printed(links[0, 0], rows, 1e-15)
    assert_printed(precedence[0, 0], [0, 0, 0.5, 0.5], 1e-15)
    backward, forward = ops.follow_links(links, numbers([0.7, 0.1, 0.2, 0])[None])
    assert_printed(forward[0, 0, 0], [0.072, 0, 0.289, 0.2945], 1e-15)
    assert_printed(backward[0, 0, 0], [0.08, 0.522, 0, 0.029], 1e-15)


def test_two_writers():
    after = ops.usage_after(numbers([0, 0]), numbers([0.5, 0.2], [0.5, 0])[None], numbers([1, 1]))
    assert_printed(after[0], [0.75, 0.2], 1e-15)


def test_sharpened_links():
    sharp = ops.sharpen(numbers([0.1, 0.4, 0, 0.2])[None], numbers([2.5]), epsilon=1e-6)
    assert_printed(sharp[0, 0], [0.02586908, 0.82779512, 0, 0.1463358])


def test_masked_cosine():
    rows, keys = numbers([1, 0, 0], [0, 1, 0], [0.5, 0.5, 0], [0, 0, 1], [-1, 0, 0])[None], numbers([1, 0.2, 0])[None]
    masks, strengths = numbers([1, 0.1, 0])[None], numbers([2.0])
    weights = ops.content_weights(rows, keys, strengths, masks=masks, product_epsilon=1e-6)[0, 0]
    cosines = torch.log(weights) / 2
    assert_printed(cosines - cosines[3], [0.99979906, 0.0199958, 0.99682594, 0, -0.99979906])
