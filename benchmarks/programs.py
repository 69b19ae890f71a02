"""Programs: processor time of a training step of machines with and without stored programs, in turns.

    python benchmarks/programs.py

Prints for each batch size the median time in ms of each machine, and of the reference of a machine with two programs.
"""

import statistics
import time

import torch

from memtape import DNC, NTM, NUTM, use_backend

INPUT, OUTPUT, TIME, TURNS = 9, 8, 40, 15
LIKE_NUTM = {
    "initial_weights": "zeros",
    "initial_reads": "zeros",
    "initial_memory": "random",
    "squash": False,
    "controller_size": 100,
}
MACHINES = {
    "NTM": lambda: NTM(INPUT, OUTPUT, **LIKE_NUTM),
    "NUTM, 2 programs": lambda: NUTM(INPUT, OUTPUT, controller_size=100),
    "NUTM, 4 programs": lambda: NUTM(INPUT, OUTPUT, controller_size=100, programs=4),
    "DNC": lambda: DNC(INPUT, OUTPUT),
    "DNC, 2 programs": lambda: DNC(INPUT, OUTPUT, programs=2),
    "DNC, 4 programs": lambda: DNC(INPUT, OUTPUT, programs=4),
}


def step(network: torch.nn.Module, xs: torch.Tensor, backend: str) -> float:
    """Return the processor time in ms of a forward and a backward pass."""
    begin = time.process_time()
    with use_backend(backend):
        network(xs)[0].square().sum().backward()
    return (time.process_time() - begin) * 1000


def main() -> None:
    """Measure all machines in turns, and print the medians."""
    torch.set_num_threads(1)
    networks = {name: build() for name, build in MACHINES.items()}
    for batch in (1, 16):
        xs = torch.randn(batch, TIME, INPUT)
        times: dict[str, list[float]] = {name: [] for name in networks}
        for turn in range(TURNS + 1):
            for name, network in networks.items():
                taken = step(network, xs, "cpu")
                times[name] += [taken] if turn else []
        shown = ", ".join(f"{name} {statistics.median(values):.1f}" for name, values in times.items())
        reference = step(networks["NUTM, 2 programs"], xs, "reference")
        print(f"batch {batch}: {shown}; reference of NUTM, 2 programs {reference:.0f}")


if __name__ == "__main__":
    main()
