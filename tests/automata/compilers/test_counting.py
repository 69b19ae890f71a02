import random
from itertools import product

import torch

from memtape.automata import CounterMachine, compile, equal_counts


def random_machine(seed, counters):
    draw = random.Random(seed)
    transitions = {}
    for state, symbol, tests in product("pqr", "ab", product([False, True], repeat=counters)):
        if draw.random() < 0.9:
            changes = tuple(draw.choice([-1, 0, 1] if positive else [0, 1]) for positive in tests)
            transitions[state, symbol, tests] = draw.choice("pqr"), changes
    transitions["p", "a", (False,) * counters] = "q", (1,) * counters
    transitions["q", "b", (True,) * counters] = "p", (-1,) * counters
    return CounterMachine(
        alphabet="ab",
        counters=counters,
        transitions=transitions,
        start="p",
        accepting={"p"},
        zero_counters=seed % 2 == 0,
    )


def test_a_n_b_n_c_n_is_decided_for_all_short_words_and_for_n_of_400():
    machine = equal_counts()
    acceptor = compile(machine)
    words = ["".join(word) for length in range(8) for word in product("abc", repeat=length)]
    assert acceptor.accepts(words) == [machine.accepts(word) for word in words]
    long = ["a" * one + "b" * two + "c" * three for one, two, three in product((399, 400), repeat=3)]
    assert acceptor.accepts(long) == [True, *[False] * 6, True]


def test_every_prefix_has_the_output_of_the_machine():
    draw = random.Random(0)
    words = ["".join(draw.choice("ab") for _ in range(draw.randrange(1, 15))) for _ in range(200)]
    for seed in range(12):
        machine = random_machine(seed, counters=1 + seed % 3)
        outputs, _ = compile(machine).logits(words)
        for row, word in enumerate(words):
            for step in range(len(word)):
                assert bool(outputs[row, step, 0] > 0) == machine.accepts(word[: step + 1]), (seed, word, step)


def test_the_states_are_integers():
    acceptor = compile(equal_counts())
    _, state = acceptor.network(torch.tensor([[0] * 300 + [1] * 200]))
    assert torch.equal(state.hidden, state.hidden.round())
    assert 300 in state.hidden
    assert acceptor.certificate.exact_in == {"float32": 2**24, "float64": 2**53}
    assert acceptor.certificate.units == 23
