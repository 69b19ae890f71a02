"""Entity network: time of a training step on generated stories, with the reference and the fused kernel.

Both alternate on the same batches. It prints the median in milliseconds of the time of the processor, the speed-up, and the
share of matrix products in the time of the reference.

    python benchmarks/entity_network.py --numbers 1
    python benchmarks/entity_network.py --numbers 3 --memory-size 150
"""

import argparse
import time
from statistics import median
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

import memtape

PRODUCTS = ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--numbers", default="1", help="tasks, whose stories are generated")
    options.add_argument("--memory-size", type=int, default=70)
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    task = memtape.Babi(numbers=given.numbers)
    network = memtape.EntNet(task.input_size, task.output_size, memory_size=given.memory_size)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-6)
    batches = [task.batch(number, batch_size=given.batch) for number in range(8)]

    def step(batch: Any, backend: str) -> float:
        start = time.thread_time()
        with memtape.use_backend(backend):
            loss = task.loss(network(batch.inputs)[0], batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return 1000 * (time.thread_time() - start)

    times: dict[str, list[float]] = {"reference": [], "cpu": []}
    for number in range(given.rounds + 1):
        for batch in batches:
            for backend, found in times.items():
                spent = step(batch, backend)
                if number:  # the first round warms up
                    found.append(spent)
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        for batch in batches:
            step(batch, "reference")
    events = recorded.key_averages()
    share = sum(e.self_cpu_time_total for e in events if e.key in PRODUCTS) / sum(e.self_cpu_time_total for e in events)
    reference, fused = (median(found) for found in times.values())
    print(f"reference {reference:.1f} ms, cpu {fused:.1f} ms, speed-up {reference / fused:.2f}, products {share:.0%}")


if __name__ == "__main__":
    main()
