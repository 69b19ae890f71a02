"""Gradient flow: through how many steps do recurrent networks propagate a gradient before training?

    python benchmarks/gradient_flow.py --out flow

gives networks random sequences and a loss at the last step alone, and prints the factor by which the gradient with
respect to the state changes per step backwards, fitted to the logarithm of the median over all sequences. With a factor
below 1 the gradient vanishes, with one above 1 it explodes. With `--out` the figure is written into a folder.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from memtape import Recurrent
from memtape.cells import ElmanCell, GRUCell, LSTMCell
from memtape.training.gradient_flow import gradient_norms
from memtape.viz.figures import gradient_flow_figure, save


def networks(inputs: int, hidden: int) -> dict[str, Any]:
    """Return the compared networks, by their names in the figure."""
    cells = {
        "tanh units, small weights": ElmanCell(inputs, hidden),
        "tanh units, large weights": ElmanCell(inputs, hidden, gain=4.0),
        "GRU": GRUCell(inputs, hidden),
        "GRU, update bias 3": GRUCell(inputs, hidden, update_bias=3.0),
        "LSTM": LSTMCell(inputs, hidden),
        "LSTM, forget bias 3": LSTMCell(inputs, hidden, forget_bias=3.0),
    }
    return {name: Recurrent(cell) for name, cell in cells.items()}


def factor(norms: Tensor) -> float:
    """Return the factor by which the median norm changes per step backwards, over all steps where it is above 0."""
    median = norms.median(dim=0).values.numpy()
    steps = np.flatnonzero(median > 0)
    slope, _ = np.polyfit(steps, np.log(median[steps]), 1)
    return float(np.exp(-slope))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", type=int, default=100)
    parser.add_argument("--sequences", type=int, default=64)
    parser.add_argument("--inputs", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the figure into this folder")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    xs = torch.randn(options.sequences, options.time, options.inputs)
    towards = torch.randn(options.hidden)
    flows = {
        name: gradient_norms(network, xs, lambda ys: (ys[:, -1] @ towards).sum())
        for name, network in networks(options.inputs, options.hidden).items()
    }
    rows = [
        {
            "network": name,
            "factor": factor(norms),
            "first": norms[:, 0].median().item(),
            "last": norms[:, -1].median().item(),
        }
        for name, norms in flows.items()
    ]
    print(f"hidden {options.hidden}, {options.sequences} sequences of {options.time} steps, loss at the last one")
    print("network                       factor a step    at the last step    at the first step")
    for row in rows:
        print(f"{row['network']:28} {row['factor']:14.3f} {row['last']:19.3g} {row['first']:20.3g}")
    if options.out:
        for path in save(gradient_flow_figure(flows), options.out, "gradient_flow"):
            print(path)
    if options.json:
        settings = {name: value for name, value in vars(options).items() if name not in {"json", "out"}}
        written = {"settings": settings, "torch": torch.__version__, "networks": rows}
        options.json.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
