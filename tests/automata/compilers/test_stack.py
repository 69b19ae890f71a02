import random
from itertools import product

import pytest
import torch

from memtape.automata import PDA, AutomatonError, StackMove, compile
from memtape.core.recurrent import Recurrent

PAIRS = {"(": ")", "[": "]"}
DYCK = PDA(
    alphabet="()[]",
    stack_alphabet="([",
    transitions={
        **{("q", opening, top): StackMove(state="q", push=opening) for opening in PAIRS for top in ("(", "[", None)},
        **{("q", closing, opening): StackMove(state="q", pop=True) for opening, closing in PAIRS.items()},
    },
    start="q",
    accepting={"q"},
)


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dyck_words_of_several_hundred_symbols_are_decided(dtype):
    draw = random.Random(1)
    acceptor = compile(DYCK)
    acceptor.network.to(dtype)
    words = [balanced(draw, draw.randrange(2, 400)) for _ in range(60)]
    words += [damaged(draw, word) for word in words]
    words += ["(" * 200 + ")" * 200, "(" * 200 + ")" * 199, "(" * 199 + ")" * 200]
    expected = [DYCK.accepts(word) for word in words]
    assert 60 < sum(expected) < len(words) - 30
    assert acceptor.accepts(words) == expected


def test_all_short_dyck_words_are_decided():
    words = ["".join(word) for length in range(7) for word in product("()[]", repeat=length)]
    assert compile(DYCK).accepts(words) == [DYCK.accepts(word) for word in words]


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
    draw = random.Random(3)
    for dtype, word in product((torch.float32, torch.float64), (balanced(draw, 120)[:60] for _ in range(4))):
        acceptor = compile(DYCK)
        assert isinstance(acceptor.network, Recurrent)
        acceptor.network.to(dtype)
        _, state = acceptor.network(torch.tensor([["()[]".index(symbol) for symbol in word]]))
        _, stack = DYCK.run(word)[-1]
        expected = torch.zeros(60, 2, dtype=dtype)
        for depth, symbol in enumerate(reversed(stack)):
            expected[depth, "([".index(symbol)] = 1
        assert torch.equal(state.memory.cells[0, 0], expected)


def test_the_certificate_counts_units_and_names_the_dtypes():
    certificate = compile(DYCK, into="stackrnn").certificate
    assert certificate.units == 9
    assert certificate.exact_in == {"float32": None, "float64": None}
    assert str(certificate).endswith("exact in float32 and float64, at any length.")


def test_errors_name_the_networks_and_the_options():
    with pytest.raises(AutomatonError, match="a PDA compiles into 'stackrnn'; choose one of them"):
        compile(DYCK, into="ntm")
    with pytest.raises(AutomatonError, match="a PDA compiled into 'stackrnn' has no options; leave it out"):
        compile(DYCK, cells=4)
    with pytest.raises(AutomatonError, match="'x'"):
        compile(DYCK).accepts(["(x)"])
