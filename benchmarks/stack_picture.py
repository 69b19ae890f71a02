"""Stack picture: train a stack RNN on reversal, and draw what it stores.

    python benchmarks/stack_picture.py docs/images/stacks.png

The network is trained for half a minute on strings of up to eight symbols; the picture shows one of eight.
"""

import sys
from pathlib import Path

import torch
from torch.nn import functional

from memtape import StackRNN

SYMBOLS, LONGEST, SHOWN, STEPS = 2, 8, 8, 900


def strings(count: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return strings followed by blanks, and the reversals of the strings, the targets at the blanks."""
    given = torch.randint(SYMBOLS, (count, length))
    return torch.cat([given, torch.full_like(given, SYMBOLS)], dim=1), given.flip(1)


def trained() -> StackRNN:
    """Return a stack RNN, in the form of Delétang et al., that reverses strings."""
    network = StackRNN(
        SYMBOLS + 1,
        SYMBOLS,
        stacks=1,
        visible=1,
        no_op=True,
        push_activation="tanh",
        empty=0.0,
        controller="rnn",
        controller_size=32,
        activation="relu",
        biases=True,
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(STEPS):
        length = int(torch.randint(1, LONGEST + 1, ()))
        xs, targets = strings(32, length)
        loss = functional.cross_entropy(network(xs)[0][:, length:].flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    xs, targets = strings(200, SHOWN)
    right = (network(xs)[0][:, SHOWN:].argmax(-1) == targets).double().mean().item()
    print(f"{right:.1%} of the symbols right at length {SHOWN}")
    return network.eval()


if __name__ == "__main__":
    torch.manual_seed(0)
    network = trained()
    xs, _ = strings(1, SHOWN)
    figure = network.trace(xs).figure(title="A stack RNN reverses eight symbols")
    figure.savefig(Path(sys.argv[1]))
