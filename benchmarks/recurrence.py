"""Recurrence: time per training step of each form of the recurrent cells, of torch's networks, and of single steps.

    python benchmarks/recurrence.py
    python benchmarks/recurrence.py --hidden 256 --batch 8 --time 400 --threads 2 --json found.json

runs the forward and backward pass (the loss is a mean of squares) of every cell with a fused kernel over the same
inputs, in turn with the network of `torch.nn` of its family and with single steps. It prints milliseconds per training
step, the ratio to torch's network, and the speedup over single steps. First, outputs and gradients of the fused kernel
are compared with those of single steps.
"""

import argparse
import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from memtape import unroll, use_backend
from memtape.cells import ElmanCell, GRUCell, JordanCell, LeakyCell, LSTMCell
from memtape.core.cell import AnyCell
from memtape.core.compiled_library import kernels
from memtape.experiments.bench.measure import middle, ratio, side_by_side, surroundings

CLOSE = 1e-9
"""How far outputs and gradients may differ, as a share of the largest, in float64."""

CELLS: Mapping[str, tuple[str, Callable[[int, int], AnyCell]]] = {
    "lstm": ("LSTM", LSTMCell),
    "lstm, peepholes": ("LSTM", lambda inputs, hidden: LSTMCell(inputs, hidden, peepholes=True)),
    "lstm, sigmoid candidate": ("LSTM", lambda inputs, hidden: LSTMCell(inputs, hidden, candidate="sigmoid")),
    "lstm, layer norm": ("LSTM", lambda inputs, hidden: LSTMCell(inputs, hidden, layer_norm=True)),
    "gru": ("GRU", GRUCell),
    "gru, layer norm": ("GRU", lambda inputs, hidden: GRUCell(inputs, hidden, layer_norm=True)),
    "gru, reset before": ("GRU", lambda inputs, hidden: GRUCell(inputs, hidden, variant="reset_before")),
    "elman": ("RNN", ElmanCell),
    "leaky": ("RNN", LeakyCell),
    "leaky, learned": ("RNN", lambda inputs, hidden: LeakyCell(inputs, hidden, time_constants="learned")),
    "jordan": ("RNN", lambda inputs, hidden: JordanCell(inputs, hidden, hidden // 4)),
}
"""The cells, each with the most similar network of torch."""


def training_step(network: nn.Module, outputs: Callable[[], Tensor]) -> Callable[[], None]:
    """Return a training step of a network, without the optimiser."""

    def step() -> None:
        network.zero_grad()
        outputs().square().mean().backward()

    return step


def on(backend: str, cell: AnyCell, xs: Tensor) -> Callable[[], Tensor]:
    """Return a function that runs a cell on a backend."""

    def outputs() -> Tensor:
        with use_backend(backend):
            return unroll(cell, xs)[0]

    return outputs


def difference(cell: AnyCell, xs: Tensor) -> float:
    """Return the difference of the fused kernel from single steps, relative to the largest entry."""
    found = []
    for backend in ("cpu", "reference"):
        ys = on(backend, cell, xs)()
        found.append([ys, *torch.autograd.grad(ys.square().mean(), list(cell.parameters()), allow_unused=True)])
    pairs = [pair for pair in zip(*found, strict=True) if pair[1] is not None]
    return max(float(((fused - stepped).abs().max() / stepped.abs().max()).detach()) for fused, stepped in pairs)


def measure(name: str, xs: Tensor, hidden: int, seconds: float) -> dict[str, Any]:
    """Return one row."""
    torch.manual_seed(0)
    kind, build = CELLS[name]
    cell, torchs = build(xs.shape[2], hidden), getattr(nn, kind)(xs.shape[2], hidden, batch_first=True)
    apart = difference(copy.deepcopy(cell).double(), xs.double())
    if not apart <= CLOSE:
        raise SystemExit(f"{name}: the fused kernel and single steps differ by {apart:.1e}")
    times = side_by_side(
        {
            "fused": training_step(cell, on("cpu", cell, xs)),
            "torch": training_step(torchs, lambda: torchs(xs)[0]),
            "stepped": training_step(cell, on("reference", cell, xs)),
        },
        seconds=seconds,
    )
    of_torch, of_torch_spread = ratio(times["torch"], times["fused"])
    times_as_fast, spread = ratio(times["fused"], times["stepped"])
    row = {"cell": name, "torch": kind, "apart": apart, "rounds": len(times["fused"])}
    row |= {f"{who}_ms": 1000 * middle(lengths)[0] for who, lengths in times.items()}
    row |= {f"{who}_least_ms": 1000 * min(lengths) for who, lengths in times.items()}
    row |= {"of_torch": of_torch, "of_torch_spread": of_torch_spread}
    return row | {"times_as_fast": times_as_fast, "times_as_fast_spread": spread}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", default=list(CELLS), choices=list(CELLS), metavar="CELL")
    parser.add_argument("--inputs", type=int, default=128)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--time", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=6.0, help="about how long to measure each cell")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    options = parser.parse_args()
    if kernels().absent is not None:
        parser.error(f"the fused recurrence is absent: {kernels().absent}")
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    xs = torch.randn(options.batch, options.time, options.inputs)
    print(
        f"batch {options.batch}, time {options.time}, {options.inputs} inputs, {options.hidden} hidden units, float32"
    )
    print(f"{'cell':24} {'fused ms':>9} {'torch ms':>9} {'of torch':>9} {'stepped ms':>11} {'times as fast':>14}")
    rows = []
    for name in options.cells:
        row = measure(name, xs, options.hidden, options.seconds)
        rows.append(row)
        print(
            f"{name:24} {row['fused_ms']:9.2f} {row['torch_ms']:9.2f} {row['of_torch']:9.2f} {row['stepped_ms']:11.1f} "
            f"{row['times_as_fast']:14.1f}",
            flush=True,
        )
    if options.json:
        sizes = {name: getattr(options, name) for name in ("inputs", "hidden", "batch", "time")}
        found = {"surroundings": surroundings(options.threads), "sizes": sizes, "rows": rows}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
