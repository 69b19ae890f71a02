"""The worked example of one step of a Neural Turing Machine, computed independently in float64 and printed to eight
digits.
"""

import pytest
import torch

from memtape import ops
from memtape.memory import TuringControl, TuringMemory, TuringState

F64 = torch.float64
MEMORY = torch.tensor([[[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0], [0, 0, 1], [-1, 0, 0]]], dtype=F64)
KEY = torch.tensor([[[1, 0.2, 0]]], dtype=F64)
STRENGTH, GATE, EXPONENT = (torch.tensor([[value]], dtype=F64) for value in (2.0, 0.75, 3.0))
KERNEL = torch.tensor([[[0.1, 0.2, 0.7]]], dtype=F64)
PREVIOUS = torch.tensor([[[0.6, 0.1, 0.1, 0.1, 0.1]]], dtype=F64)
ERASE = torch.tensor([[[0.9, 0.1, 0.5]]], dtype=F64)
ADD = torch.tensor([[[0.3, -0.2, 1]]], dtype=F64)

COSINES = [0.98058068, 0.19611614, 0.83205029, 0, -0.98058068]
CONTENT = [0.47353934, 0.09862314, 0.35183919, 0.06662458, 0.00937374]
BLENDED = [0.50515451, 0.09896735, 0.28887939, 0.07496844, 0.03203031]
SHIFTED = [0.13334885, 0.40228956, 0.13454987, 0.22041229, 0.10939942]
SHARPENED = [0.02894189, 0.79464891, 0.02973095, 0.13069725, 0.01598100]
WRITTEN = [
    [0.98263487, -0.00578838, 0.02894189],
    [0.23839467, 0.76160533, 0.79464891],
    [0.49554036, 0.49256726, 0.02973095],
    [0.03920917, -0.02613945, 1.06534862],
    [-0.9808228, -0.0031962, 0.015981],
]
READ_OLD = [0.02782636, 0.80951439, 0.13069725]
READ_NEW = [0.22206226, 0.61621838, 0.77268198]


def assert_printed(actual, digits):
    torch.testing.assert_close(actual, torch.tensor(digits, dtype=F64), rtol=0, atol=0.51e-8)


def test_content_weights():
    weights = ops.content_weights(MEMORY, KEY, STRENGTH)[0, 0]
    assert_printed(weights, CONTENT)
    cosines = torch.log(weights) / 2
    assert_printed(cosines - cosines[3], COSINES)


def test_interpolated():
    assert_printed(ops.interpolate(ops.content_weights(MEMORY, KEY, STRENGTH), PREVIOUS, GATE)[0, 0], BLENDED)


def test_shifted():
    blended = ops.interpolate(ops.content_weights(MEMORY, KEY, STRENGTH), PREVIOUS, GATE)
    assert_printed(ops.shift(blended, KERNEL)[0, 0], SHIFTED)


def test_sharpened():
    blended = ops.interpolate(ops.content_weights(MEMORY, KEY, STRENGTH), PREVIOUS, GATE)
    assert_printed(ops.sharpen(ops.shift(blended, KERNEL), EXPONENT)[0, 0], SHARPENED)


@pytest.mark.parametrize("sequential_heads", [False, True])
@pytest.mark.parametrize(("read_first", "expected"), [(True, READ_OLD), (False, READ_NEW)])
def test_the_whole_step(read_first, expected, sequential_heads):
    memory = TuringMemory(5, 3, read_first=read_first, sequential_heads=sequential_heads)
    control = TuringControl(
        keys=KEY.expand(1, 2, 3),
        strengths=STRENGTH.expand(1, 2),
        gates=GATE.expand(1, 2),
        kernel=KERNEL.expand(1, 2, 3),
        exponents=EXPONENT.expand(1, 2),
        erase=ERASE,
        add=ADD,
    )
    reads, after = memory(control, TuringState(memory=MEMORY, read_weights=PREVIOUS, write_weights=PREVIOUS))
    assert_printed(after.memory[0], WRITTEN)
    assert_printed(after.write_weights[0, 0], SHARPENED)
    if not (sequential_heads and not read_first):
        assert_printed(after.read_weights[0, 0], SHARPENED)
        assert_printed(reads[0], expected)
