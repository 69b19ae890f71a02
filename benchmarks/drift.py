"""Drift: does the fused kernel stay as close to the reference during the whole training run as at the start?

    python benchmarks/drift.py --steps 10000 --json drift.json

trains a small Neural Turing Machine on copy with the reference. At every step the fused kernel computes its own
gradient at the same parameters on the same batch. The relative difference is recorded: the norm of the difference of
the gradients divided by the norm of the reference's gradient. It must be rounding error. A trained machine magnifies
rounding more, with either backend. At every tenth step both gradients are therefore compared with the gradient in
float64; the error of the fused kernel must not exceed that of the reference. With `--free` a second network with the
same initial weights is trained with the fused kernel alone; the distance of its parameters from the reference's shows
how fast training itself magnifies rounding.
"""

import argparse
import json
import math
import time
from collections import defaultdict
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from memtape import NTM, use_backend
from memtape.core.batch import SequenceBatch
from memtape.core.compiled_library import kernels
from memtape.tasks.algorithmic.copying import Copy

SIZES: dict[str, Any] = {"slots": 32, "width": 10, "controller_size": 32}

TRUTH_EVERY = 10
"""Steps from one comparison with float64 to the next."""

LIMITS = {"float32": 1e-3, "float64": 1e-10}
"""Largest relative difference of one step's gradients that counts as rounding."""


def gradient(network: nn.Module, task: Copy, batch: SequenceBatch, backend: str) -> tuple[float, list[Tensor]]:
    """Return the loss and the gradient of every parameter on a backend."""
    network.zero_grad()
    with use_backend(backend):
        outputs, _ = network(batch.inputs, lengths=batch.lengths)
    loss = task.loss(outputs, batch)
    loss.backward()
    return loss.item(), [parameter.grad.detach().clone() for parameter in network.parameters()]


def distance(first: list[Tensor], second: list[Tensor]) -> float:
    """Return how far two lists of tensors are apart, relative to the length of the second."""
    apart = math.sqrt(
        sum(float((one - other).double().square().sum()) for one, other in zip(first, second, strict=True))
    )
    length = math.sqrt(sum(float(other.double().square().sum()) for other in second))
    return apart / length if length else (0.0 if apart == 0 else math.inf)


def update(network: nn.Module, optimizer: torch.optim.Optimizer, gradients: list[Tensor]) -> None:
    for parameter, value in zip(network.parameters(), gradients, strict=True):
        parameter.grad = value.clone()
    nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    optimizer.step()


def summary(errors: list[float]) -> dict[str, float]:
    ordered = sorted(errors)
    return {
        "median": ordered[len(ordered) // 2],
        "quantile_99.9": ordered[min(len(ordered) - 1, math.ceil(0.999 * len(ordered)) - 1)],
        "max": ordered[-1],
    }


def in_dtype(batch: SequenceBatch, dtype: torch.dtype) -> SequenceBatch:
    return pytree.tree_map(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor, batch)


class Training:
    """A reference network in training, and the gradients of the fused kernel at the same parameters."""

    def __init__(self, options: argparse.Namespace):
        torch.manual_seed(options.seed)
        self.options, self.dtype = options, getattr(torch, options.dtype)
        self.task = Copy(max_length=10)
        self.network = NTM(self.task.input_size, self.task.output_size, controller=options.controller, **SIZES).to(
            self.dtype
        )
        self.alone = deepcopy(self.network)
        networks = (self.network, self.alone)
        self.optimizer, self.own = (torch.optim.Adam(n.parameters(), lr=options.learning_rate) for n in networks)
        self.loss = self.free_loss = math.nan

    def step(self, number: int) -> dict[str, float]:
        """Take one step, and return the measured differences."""
        batch = self.task.batch(number, 4, seed=self.options.seed)
        exact, batch = in_dtype(batch, torch.float64), in_dtype(batch, self.dtype)
        self.loss, expected = gradient(self.network, self.task, batch, "reference")
        _, actual = gradient(self.network, self.task, batch, "cpu")
        found = {"apart": distance(actual, expected)}
        if number % TRUTH_EVERY == 0 and self.dtype != torch.float64:
            _, truth = gradient(deepcopy(self.network).double(), self.task, exact, "reference")
            found |= {"reference": distance(expected, truth), "fused": distance(actual, truth)}
        update(self.network, self.optimizer, expected)
        if self.options.free:
            self.free_loss, gradients = gradient(self.alone, self.task, batch, "cpu")
            update(self.alone, self.own, gradients)
        return found

    def free_distance(self) -> float:
        """Return the distance of the network trained with the fused kernel from the reference network."""
        first, second = ([p.detach() for p in network.parameters()] for network in (self.alone, self.network))
        return distance(first, second)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--block", type=int, default=1_000, help="steps per line of the table")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", choices=LIMITS, default="float32")
    parser.add_argument("--controller", choices=("lstm", "gru", "rnn", "feedforward"), default="lstm")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--free", action="store_true", help="also train a network with the fused kernel alone")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    if kernels().absent is not None:
        parser.error(f"the fused kernels are absent: {kernels().absent}")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    torch.set_num_threads(1)
    training = Training(options)
    start = time.perf_counter()
    errors: list[float] = []
    found: dict[str, list[float]] = defaultdict(list)
    lines: list[dict[str, Any]] = []
    print(f"kernels {kernels().instructions}, {options.dtype}, seed {options.seed}, {options.controller}, {SIZES}")
    print("               fused and reference apart:      medians of the distance to float64:    trained alone:")
    print("  to step      loss    median     99.9%       max     reference     fused        parameters      loss")
    for step in range(1, options.steps + 1):
        for name, value in training.step(step - 1).items():
            found[name].append(value)
        if step % options.block and step != options.steps:
            continue
        line = {"step": step, "loss": training.loss, **summary(found["apart"])}
        line |= {f"{name}_to_float64": summary(found[name])["median"] for name in ("reference", "fused") if found[name]}
        if options.free:
            line |= {"free_parameters": training.free_distance(), "free_loss": training.free_loss}
        print(
            f"{step:9d} "
            + " ".join(f"{value:9.2e}" + "    " * (index > 2) for index, value in enumerate([*line.values()][1:]))
        )
        errors += found["apart"]
        found.clear()
        lines.append(line)

    whole, seconds = summary(errors), time.perf_counter() - start
    within = whole["max"] <= LIMITS[options.dtype]
    print(
        f"{options.steps} steps in {seconds:.0f} s: 99.9% of them within {whole['quantile_99.9']:.2e}, all within "
        f"{whole['max']:.2e}; the limit of {LIMITS[options.dtype]:.0e} is {'kept' if within else 'BROKEN'}"
    )
    if options.json:
        settings = {name: value for name, value in vars(options).items() if name != "json"}
        written = {"settings": settings, "machine": SIZES, "torch": torch.__version__, "build": kernels().instructions}
        written |= {"seconds": round(seconds, 1), "whole": whole, "blocks": lines}
        options.json.write_text(json.dumps(written, indent=1) + "\n")
    if not within:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
