import random
from itertools import product

import pytest
import torch

from memtape.automata import AutomatonError, TwoStackMachine, compile, parse
from memtape.automata.compilers.rational_stacks import rational, stack_of

MOVER = parse("two-stack machine\nstart: m\nm 0 * -> m pop push0\nm 1 * -> m pop push1")


def random_machine(seed):
    draw = random.Random(seed)
    tops = ("0", "1", "empty")
    transitions = {}
    for state, first, second in product("abcd", tops, tops):
        if draw.random() < 0.9:
            changes = [
                draw.choice([one for one in ("keep", "pop", "push0", "push1", "pop") if (top, one) != ("empty", "pop")])
                for top in (first, second)
            ]
            transitions[state, first, second] = draw.choice("abcd"), *changes
    transitions["a", "0", "0"] = "b", "pop", "keep"
    return TwoStackMachine(transitions=transitions, start="a")


def random_stacks(draw, longest):
    return tuple("".join(draw.choice("01") for _ in range(draw.randrange(longest + 1))) for _ in range(2))


def test_the_numbers_of_stacks_are_the_published_ones():
    assert rational("101") == 0.859375
    found = [tuple(map(rational, one.stacks)) for one in compile(MOVER).run([("101", "")], steps=9)[0]]
    assert found == [(0.859375, 0), (0.4375, 0.75), (0.75, 0.4375), (0, 0.859375)]


def test_a_number_that_is_no_stack_is_refused():
    assert stack_of(rational("0110")) == "0110"
    with pytest.raises(ValueError, match=r"0.5 represents no stack of bits"):
        stack_of(0.5)


def test_every_step_of_random_machines_is_exact():
    draw = random.Random(0)
    for seed in range(25):
        machine = random_machine(seed)
        program = compile(machine)
        program.network.double()
        pairs = [random_stacks(draw, 8) for _ in range(20)]
        expected = [machine.run(*pair, steps=15) for pair in pairs]
        assert program.run(pairs, steps=15) == expected


@pytest.mark.parametrize(("dtype", "depth"), [(torch.float32, 11), (torch.float64, 26)])
def test_stacks_are_exact_to_their_depth_and_refused_beyond(dtype, depth):
    draw = random.Random(1)
    program = compile(MOVER)
    program.network.to(dtype)
    assert program.certificate.exact_in[str(dtype).removeprefix("torch.")] == depth
    pairs = [("".join(draw.choice("01") for _ in range(depth)), "") for _ in range(20)]
    assert program.run(pairs, steps=30) == [MOVER.run(*pair, steps=30) for pair in pairs]
    with pytest.raises(AutomatonError, match=rf"a stack has {depth + 1} bits, but .* at most {depth} bits exactly; "):
        program.run([("1" * depth, "0")], steps=30)
    with pytest.raises(AutomatonError, match=rf"a stack has {depth + 2} bits"):
        program.run([("1" * (depth + 2), "")], steps=30)


def test_bad_stacks_are_refused():
    with pytest.raises(AutomatonError, match=r"the stack is '12', but it holds bits"):
        compile(MOVER).run([("12", "")], steps=3)
