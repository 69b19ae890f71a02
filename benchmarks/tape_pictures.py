"""Tape pictures: compile two Turing machines into tape machines, and draw their tapes.

    python benchmarks/tape_pictures.py docs/images

It writes `tape-increment.png` and `tape-palindrome.png`; nothing is trained.
"""

import sys
from pathlib import Path

import torch

from memtape.automata import compile, increment, palindromes

PICTURES = (
    ("tape-increment.png", increment(), "111", "A tape machine increments 7"),
    ("tape-palindrome.png", palindromes(), "abba", "A tape machine reads the palindrome abba"),
)

if __name__ == "__main__":
    for name, machine, word, title in PICTURES:
        program = compile(machine, into="taperrnn", cells=2 * len(word) + 4)
        (run,) = program.run([word], steps=100)
        xs = torch.zeros(1, len(run) - 1, 1)
        figure = program.network.trace(xs, program.initial_state([word])).figure(title=title, crop_slots=False)
        figure.savefig(Path(sys.argv[1]) / name)
        print(f"{name}: {len(run) - 1} steps, state {run[-1].state}")
