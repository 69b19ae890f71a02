"""Golden values of two steps of a stable Hadamard memory, computed by an independent implementation."""

import pytest
import torch

from memtape import unroll, use_backend
from memtape.cells import StableHadamardCell
from memtape.core.backends import backends

F64 = torch.float64

KEYS = [[1.0, 3.0], [2.0, 0.0]]
QUERIES = [[1.0, 1.0], [0.0, 2.0]]
VALUES = [[0.5, -1.0], [1.0, 2.0]]
GATES = [[0.2, 0.4], [-0.6, 1.0]]
STRENGTHS = [[0.3], [-0.2]]

MEMORIES = [
    [[0.07180514, 0.21541541], [-0.14361027, -0.43083081]],
    [[0.50105115, 0.31496256], [0.6795914, -0.10271258]],
]
OUTPUTS = [[0.14360955, -0.2872191], [0.31496099, -0.10271207]]


@pytest.mark.parametrize("backend", ["reference", "scan", "cpu"])
def test_two_steps_have_the_recorded_values(backend):
    if backends()[backend]:
        pytest.skip(backends()[backend])
    cell = StableHadamardCell(4, 2, row="first").double()
    xs = torch.randn(1, 2, 4, dtype=F64)
    maps = {"to_key": KEYS, "to_query": QUERIES, "to_value": VALUES, "to_gate": GATES, "to_strength": STRENGTHS}
    with torch.no_grad():
        inverse = torch.linalg.pinv(cell.norm(xs[0]))
        for name, rows in maps.items():
            getattr(cell, name).weight.copy_((inverse @ torch.tensor(rows, dtype=F64)).T)
        cell.table[0] = torch.tensor([0.5, -1.0], dtype=F64)
    with use_backend(backend):
        ys, last, _ = unroll(cell, xs)
        _, after_one, _ = unroll(cell, xs[:, :1])
    for memory, expected in zip((after_one.memory, last.memory), MEMORIES, strict=True):
        torch.testing.assert_close(memory[0], torch.tensor(expected, dtype=F64), rtol=0, atol=6e-9)
    torch.testing.assert_close(ys[0], torch.tensor(OUTPUTS, dtype=F64), rtol=0, atol=6e-9)
