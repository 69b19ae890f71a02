"""Streaming: the time of a single step of every model, and of stacked LSTM layers against torch's cells.

    python benchmarks/streaming.py

prints the time of `step` in microseconds, and its ratio to a loop over `torch.nn.LSTMCell` with the same sizes; and for
every model with its default sizes the time of `step` beside that of a call with a sequence of one step. The two are
measured in turns, and the fastest turn of each counts.
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from memtape import Recurrent, StackedLSTM
from memtape.catalog.registry import MODELS

INPUT, OUTPUT, LAYERS = 9, 8, 3
Run = Callable[[], object]


class TorchCells(nn.Module):
    """Stacked cells of torch with a linear readout."""

    def __init__(self, hidden: int):
        super().__init__()
        self.cells = nn.ModuleList(nn.LSTMCell(hidden if layer else INPUT, hidden) for layer in range(LAYERS))
        self.to_output = nn.Linear(hidden, OUTPUT)

    def forward(self, x: Tensor, states: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Take one step."""
        after = []
        for cell, state in zip(self.cells, states, strict=True):
            x, memory = cell(x, state)
            after.append((x, memory))
        return self.to_output(x), after


def in_turns(*runs: Run, turns: int, calls: int) -> list[float]:
    """Return the time of one call of each run in microseconds."""
    best = [float("inf")] * len(runs)
    for turn in range(turns + 1):
        for number, run in enumerate(runs):
            start = time.perf_counter()
            for _ in range(calls):
                run()
            if turn:  # the first turn warms up
                best[number] = min(best[number], (time.perf_counter() - start) / calls * 1e6)
    return best


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--calls", type=int, default=50, help="calls in a turn")
    options = vars(parser.parse_args())
    torch.set_num_threads(1)
    print(f"{LAYERS} LSTM layers  torch (us)  step (us)  ratio  symbols (us)  ratio")
    for batch, hidden in ((1, 128), (1, 256), (16, 128), (16, 256)):
        network, cells = StackedLSTM(INPUT, OUTPUT, hidden_size=hidden, layers=LAYERS).eval(), TorchCells(hidden)
        embedded = StackedLSTM(1000, OUTPUT, hidden_size=hidden, layers=LAYERS, embedding_size=INPUT).eval()
        x, symbols, state = torch.randn(batch, INPUT), torch.arange(batch), network.init_state(batch)
        pairs = [(torch.zeros(batch, hidden), torch.zeros(batch, hidden)) for _ in range(LAYERS)]
        theirs, ours, with_symbols = in_turns(
            lambda cells=cells, x=x, pairs=pairs: cells(x, pairs),
            lambda network=network, x=x, state=state: network.step(x, state),
            lambda embedded=embedded, symbols=symbols, state=state: embedded.step(symbols, state),
            **options,
        )
        name = f"{batch} x {hidden}"
        print(
            f"{name:13} {theirs:11.0f} {ours:10.0f} {ours / theirs:6.2f} {with_symbols:13.0f} {with_symbols / theirs:6.2f}"
        )
    print("model          sequence of one step (us)  step (us)")
    for name, entry in MODELS.items():
        if issubclass(entry.load(), Recurrent):
            network = entry.load()(INPUT, OUTPUT).eval()
            x, state = torch.randn(1, INPUT), network.init_state(1)
            whole, step = in_turns(
                lambda network=network, x=x, state=state: network(x[:, None], state),
                lambda network=network, x=x, state=state: network.step(x, state),
                **options,
            )
            print(f"{name:14} {whole:25.0f} {step:10.0f}")


if __name__ == "__main__":
    main()
