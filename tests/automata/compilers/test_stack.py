import random
from itertools import product

import pytest
import torch

from memtape.automata import PDA, AutomatonError, StackMove, brackets, compile
from memtape.core.recurrent import Recurrent

PAIRS = {"(": ")", "[": "]"}


def random_machine(seed):
    draw = random.Random(seed)
    transitions = {}
    for state, symbol, top in product("pqr", "ab", ["X", "Y", None]):
        moves = [StackMove(state=draw.choice("pqr"), push=draw.choice("XY")), StackMove(state=draw.choice("pqr"))]
        if top is not None:
            moves += [StackMove(state=draw.choice("pqr"), pop=True)] * 2
        if draw.random() < 0.95:
            transitions[state, symbol, top] = draw.choice(moves)
    transitions["p", "a", None] = StackMove(state="q", push="X")
    transitions["q", "b", "X"] = StackMove(state="r", pop=True)
    transitions["r", "a", None] = StackMove(state="p")
    return PDA(
        alphabet="ab",
        stack_alphabet="XY",
        transitions=transitions,
        start="p",
        accepting={"p", "r"},
        empty_stack=seed % 2 == 0,
    )


def balanced(draw, length):
    word, stack = [], []
    while len(word) + len(stack) < length:
        if stack and draw.random() < 0.48:
            word.append(PAIRS[stack.pop()])
        else:
            stack.append(draw.choice("(["))
            word.append(stack[-1])
    return "".join(word + [PAIRS[one] for one in reversed(stack)])


def damaged(draw, word):
    place = draw.randrange(len(word))
    return word[:place] + draw.choice("()[]") + word[place + 1 :]


def test_thousands_of_words_of_up_to_400_brackets_are_decided():
    draw, machine = random.Random(1), brackets()
    words = [balanced(draw, draw.randrange(2, 400 if n % 8 == 0 else 60)) for n in range(1000)]
    words += [damaged(draw, word) for word in words]
    words += ["(" * 200 + ")" * 200, "(" * 200 + ")" * 199, "(" * 199 + ")" * 200]
    expected = [machine.accepts(word) for word in words]
    assert 1000 < sum(expected) < len(words) - 600
    for dtype in (torch.float32, torch.float64):
        acceptor = compile(machine)
        acceptor.network.to(dtype)
        assert acceptor.accepts(words) == expected


def test_all_short_dyck_words_are_decided():
    words = ["".join(word) for length in range(7) for word in product("()[]", repeat=length)]
    machine = brackets()
    assert compile(machine).accepts(words) == [machine.accepts(word) for word in words]


def test_every_prefix_of_a_thousand_words_has_the_output_of_the_machine():
    draw = random.Random(0)
    words = ["".join(draw.choice("ab") for _ in range(draw.randrange(1, 15))) for _ in range(1000)]
    for seed in range(6):
        machine = random_machine(seed)
        outputs, _ = compile(machine).logits(words)
        for row, word in enumerate(words):
            runs = machine.run(word)
            for step, run in enumerate(runs):
                accepts = run is not None and run[0] in machine.accepting and not (machine.empty_stack and run[1])
                assert bool(outputs[row, step, 0] > 0) == accepts, (seed, word, step)


def test_the_cells_are_exactly_the_one_hot_vectors_of_the_stack_of_the_machine():
    draw, machine = random.Random(3), brackets()
    for dtype, word in product((torch.float32, torch.float64), (balanced(draw, 120)[:60] for _ in range(4))):
        acceptor = compile(machine)
        assert isinstance(acceptor.network, Recurrent)
        acceptor.network.to(dtype)
        _, state = acceptor.network(torch.tensor([["()[]".index(symbol) for symbol in word]]))
        _, stack = machine.run(word)[-1]
        expected = torch.zeros(60, 2, dtype=dtype)
        for depth, symbol in enumerate(reversed(stack)):
            expected[depth, "([".index(symbol)] = 1
        assert torch.equal(state.memory.cells[0, 0], expected)


def test_the_certificate_counts_units_and_names_the_dtypes():
    certificate = compile(brackets(), into="stackrnn").certificate
    assert certificate.units == 9
    assert certificate.exact_in == {"float32": None, "float64": None}
    assert str(certificate).endswith("exact in float32 and float64, at any length.")


def test_errors_name_the_networks_and_the_options():
    with pytest.raises(AutomatonError, match="a PDA compiles into 'stackrnn'; choose one of them"):
        compile(brackets(), into="ntm")
    with pytest.raises(AutomatonError, match="a PDA compiled into 'stackrnn' has no options; leave it out"):
        compile(brackets(), cells=4)
    with pytest.raises(AutomatonError, match="'x'"):
        compile(brackets()).accepts(["(x)"])
