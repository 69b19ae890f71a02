"""Product bound: how much faster than the reference a kernel could be whose only work is the matrix products.

    python benchmarks/product_bound.py StackLSTM QueueLSTM DequeLSTM

For each batch the program prints the processor time of a training step with the reference and with the kernel, and that of the
step's matrix products alone, computed by torch: for each weight matrix and each time step one product forward, one for the
gradient of its inputs, and one for that of the weights. The bound is the time of the reference divided by that of the products.
Times are the least of several rounds, in which the three take turns, with one thread.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch

import memtape

INPUT, OUTPUT = 9, 8


def seconds(work: Callable[[], Any]) -> float:
    """Return the processor time of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def training_step(network: torch.nn.Module, xs: torch.Tensor, backend: str) -> None:
    """Run a forward pass and a backward pass."""
    network.zero_grad()
    with memtape.use_backend(backend):
        network(xs)[0].square().mean().backward()


def products(network: torch.nn.Module, batch: int) -> Callable[[], None]:
    """Return a function that computes the matrix products of one time step."""
    weights = [p.detach() for p in network.parameters() if p.dim() == 2 and min(p.shape) > 1]
    factors = [(w, torch.randn(batch, w.shape[1]), torch.randn(batch, w.shape[0])) for w in weights]

    def compute() -> None:
        for weight, inputs, gradient in factors:
            torch.mm(inputs, weight.t())
            torch.mm(gradient, weight)
            torch.mm(gradient.t(), inputs)

    return compute


def main() -> None:
    """Print a line for each network and batch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="names of classes of memtape")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--time", type=int, default=42)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("model       batch  reference ms  kernel ms  products ms  speed-up  bound")
    for name in arguments.models:
        torch.manual_seed(0)
        network = getattr(memtape, name)(INPUT, OUTPUT)
        for batch in arguments.batch:
            xs, step = torch.randn(batch, arguments.time, INPUT), products(network, batch)
            works = (
                lambda xs=xs, network=network: training_step(network, xs, "reference"),
                lambda xs=xs, network=network: training_step(network, xs, "cpu"),
                lambda step=step: [step() for _ in range(arguments.time)],
            )
            rounds = [[seconds(work) for work in works] for _ in range(arguments.rounds)]
            reference, kernel, alone = (min(times) * 1e3 for times in zip(*rounds, strict=True))
            print(
                f"{name:10}  {batch:5}  {reference:12.2f}  {kernel:9.2f}  {alone:11.2f}  {reference / kernel:8.1f}"
                f"  {reference / alone:5.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
