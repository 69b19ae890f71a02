"""A cell with a concatenated input outputs the input and its own output, step by step and for whole sequences."""

import torch

from memtape import unroll, use_backend
from memtape.cells import ConcatenatedInput, GRUCell


def test_the_output_is_the_input_followed_by_the_cell_s_output():
    torch.manual_seed(0)
    cell, xs = GRUCell(2, 4).double(), torch.randn(3, 5, 2, dtype=torch.float64)
    lengths = torch.tensor([5, 3, 0])
    own, _, _ = unroll(cell, xs, lengths=lengths)
    for backend in ("reference", "auto"):
        with use_backend(backend):
            ys, _, _ = unroll(ConcatenatedInput(cell), xs, lengths=lengths)
        alive = torch.arange(5) < lengths[:, None]
        torch.testing.assert_close(ys, torch.cat([xs * alive[..., None], own], dim=-1), rtol=1e-12, atol=1e-12)
