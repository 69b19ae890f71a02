"""Tape pictures: compile two Turing machines into tape machines, and draw their tapes.

    python benchmarks/tape_pictures.py docs/images

It writes `tape-increment.png` and `tape-palindrome.png`; nothing is trained.
"""

import sys
from pathlib import Path

import torch

from memtape.automata import TuringMachine, compile, parse

INCREMENT = """turing machine
alphabet: _ 0 1
start: carry
accept: done
carry 1 -> carry 0 right
carry 0 -> done 1 stay
carry _ -> done 1 stay
"""

PALINDROME = """turing machine
alphabet: _ a b
start: first
accept: yes
first _ -> yes _ stay
first a -> find_a _ right
first b -> find_b _ right
find_a a -> find_a a right
find_a b -> find_a b right
find_a _ -> last_a _ left
find_b a -> find_b a right
find_b b -> find_b b right
find_b _ -> last_b _ left
last_a a -> back _ left
last_a b -> no b stay
last_a _ -> yes _ stay
last_b b -> back _ left
last_b a -> no a stay
last_b _ -> yes _ stay
back a -> back a left
back b -> back b left
back _ -> first _ right
"""

PICTURES = (
    ("tape-increment.png", INCREMENT, "111", "A tape machine increments 7"),
    ("tape-palindrome.png", PALINDROME, "abba", "A tape machine reads the palindrome abba"),
)

if __name__ == "__main__":
    for name, text, word, title in PICTURES:
        machine = parse(text)
        assert isinstance(machine, TuringMachine)
        program = compile(machine, into="taperrnn", cells=2 * len(word) + 4)
        (run,) = program.run([word], steps=100)
        xs = torch.zeros(1, len(run) - 1, 1)
        figure = program.network.trace(xs, program.initial_state([word])).figure(title=title, crop_slots=False)
        figure.savefig(Path(sys.argv[1]) / name)
        print(f"{name}: {len(run) - 1} steps, state {run[-1].state}")
