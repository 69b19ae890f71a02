"""Torch layers: time of `memtape.nn.LSTM`, `GRU` and `RNN` beside the layers of `torch.nn` that they replace.

    python benchmarks/torch_layers.py
    python benchmarks/torch_layers.py --hidden 256 --batch 8 --time 400 --threads 2 --json found.json

runs both over the same inputs in turn, with the same weights, and prints milliseconds and the ratio of the times, torch's
divided by memtape's: training steps (the loss is a mean of squares) and forward passes, over sequences of one length, over
packed sequences of different lengths, and over one step. First, outputs and gradients are compared.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import memtape
from memtape.core.compiled_library import kernels
from memtape.experiments.bench.measure import middle, ratio, side_by_side, surroundings

CLOSE = 1e-9
"""How far outputs and gradients may differ, as a share of the largest, in float64."""

KINDS = ("LSTM", "GRU", "RNN")
LAYERS: dict[str, dict[str, Any]] = {"": {}, ", 2 layers, both ways": {"num_layers": 2, "bidirectional": True}}

Inputs = Tensor | PackedSequence


def outputs(layers: nn.Module, xs: Inputs) -> Tensor:
    """Return the outputs of layers as one tensor."""
    ys = layers(xs)[0]
    return ys.data if isinstance(ys, PackedSequence) else ys


def training(layers: nn.Module, xs: Inputs) -> Callable[[], None]:
    """Return a training step of layers, without the optimiser."""

    def step() -> None:
        layers.zero_grad()
        outputs(layers, xs).square().mean().backward()

    return step


def inference(layers: nn.Module, xs: Inputs) -> Callable[[], None]:
    """Return a forward pass of layers."""

    def step() -> None:
        with torch.no_grad():
            outputs(layers, xs)

    return step


def compare(mine: nn.Module, torchs: nn.Module, xs: Inputs) -> None:
    """Raise an error if outputs or gradients differ."""
    found = []
    for layers in (mine, torchs):
        ys = outputs(layers, xs)
        found.append([ys, *torch.autograd.grad(ys.square().mean(), list(layers.parameters()))])
    apart = max(
        float(((first - other).abs().max() / other.abs().max()).detach()) for first, other in zip(*found, strict=True)
    )
    if not apart <= CLOSE:
        raise SystemExit(f"{mine} and {torchs} differ by {apart:.1e}")


def inputs(options: argparse.Namespace) -> dict[str, Inputs]:
    """Return the inputs of all measurements by their names."""
    xs = torch.randn(options.batch, options.time, options.inputs)
    lengths = torch.linspace(options.time, options.time // 4, options.batch).long()
    return {"one length": xs, "packed": pack_padded_sequence(xs, lengths, batch_first=True), "one step": xs[:, :1]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--inputs", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--time", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0, help="about how long to measure each case")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    options = parser.parse_args()
    if kernels().absent is not None:
        parser.error(f"the kernels are absent: {kernels().absent}")
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    print(
        f"batch {options.batch}, time {options.time}, {options.inputs} inputs, {options.hidden} hidden units, float32"
    )
    print(f"{'layers':26} {'inputs':12} {'pass':10} {'memtape ms':>10} {'torch ms':>9} {'times as fast':>14}")
    rows = []
    for kind in options.kinds:
        for words, arguments in LAYERS.items():
            torchs = getattr(nn, kind)(options.inputs, options.hidden, batch_first=True, **arguments)
            mine = getattr(memtape.nn, kind)(options.inputs, options.hidden, batch_first=True, **arguments)
            mine.load_state_dict(torchs.state_dict())
            for shape, xs in inputs(options).items():
                compare(mine.double(), torchs.double(), xs.to(torch.float64))
                mine.float(), torchs.float()
                for way, step in (("training", training), ("inference", inference)):
                    times = side_by_side(
                        {"memtape": step(mine, xs), "torch": step(torchs, xs)}, seconds=options.seconds
                    )
                    faster, spread = ratio(times["memtape"], times["torch"])
                    row = {"layers": kind + words, "inputs": shape, "pass": way}
                    row |= {f"{name}_ms": 1000 * middle(times[name])[0] for name in times}
                    row |= {"times_as_fast": faster, "spread": spread}
                    rows.append(row)
                    memtape_ms, torch_ms = row["memtape_ms"], row["torch_ms"]
                    print(
                        f"{kind + words:26} {shape:12} {way:10} {memtape_ms:10.3f} {torch_ms:9.3f} {faster:14.2f}",
                        flush=True,
                    )
    if options.json:
        sizes = {name: getattr(options, name) for name in ("inputs", "hidden", "batch", "time")}
        found = {"surroundings": surroundings(options.threads), "sizes": sizes, "rows": rows}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
