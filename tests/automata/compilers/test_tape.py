import random

import pytest
import torch

import memtape
from memtape.automata import TapeMove, TuringMachine, compile, parse

BUSY_BEAVER = parse("""turing machine
alphabet: 0 1
start: A
accept: H
A 0 -> B 1 right
A 1 -> H 1 right
B 0 -> C 0 right
B 1 -> B 1 right
C 0 -> C 1 left
C 1 -> A 1 left
""")

INCREMENT = parse("""turing machine
alphabet: _ 0 1
start: carry
accept: done
carry 1 -> carry 0 right
carry 0 -> done 1 stay
carry _ -> done 1 stay
""")

PALINDROME = parse("""turing machine
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
""")


def random_machine(seed, states="pqrs", symbols="_ab"):
    draw = random.Random(seed)
    transitions = {
        (state, symbol): TapeMove(
            state=draw.choice(states), write=draw.choice(symbols), move=draw.choice(["left", "stay", "right"])
        )
        for state in states
        for symbol in symbols
        if draw.random() < 0.95
    }
    transitions["p", "_"] = TapeMove(state="q", write="a", move="right")
    return TuringMachine(alphabet=symbols, transitions=transitions, start="p")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_busy_beaver_halts_after_14_steps_with_six_ones(dtype):
    program = compile(BUSY_BEAVER, into="taperrnn")
    program.network.to(dtype)
    (run,) = program.run([""], steps=40)
    assert run == BUSY_BEAVER.run("", steps=40)
    assert len(run) - 1 == 14
    assert sorted(run[-1].tape.values()) == ["1"] * 6
    assert program.certificate.units == 9
    assert str(program.certificate).endswith("at any number of steps, as long as the head stays within 32 cells.")


def test_numbers_are_incremented():
    program = compile(INCREMENT, into="taperrnn", cells=40)
    numbers = [random.Random(0).randrange(2**15) for _ in range(1000)] + [2**15 - 1]
    runs = program.run([f"{number:b}"[::-1] for number in numbers], steps=40)
    for number, run in zip(numbers, runs, strict=True):
        assert "".join(run[-1].tape[place] for place in range(len(run[-1].tape))) == f"{number + 1:b}"[::-1]
        assert run[-1].halted


def test_palindromes_are_recognised():
    draw = random.Random(1)
    halves = ["".join(draw.choice("ab") for _ in range(draw.randrange(5))) for _ in range(100)]
    words = [half + draw.choice(["", "a", "b"]) + half[::-1] for half in halves]
    words += ["".join(draw.choice("ab") for _ in range(draw.randrange(9))) for _ in range(300)]
    runs = compile(PALINDROME, into="taperrnn").run(words, steps=80)
    assert all(run[-1].halted for run in runs)
    assert [run[-1].state == "yes" for run in runs] == [word == word[::-1] for word in words]


@pytest.mark.parametrize("seed", range(12))
def test_every_step_of_random_machines_is_exact(seed):
    machine = random_machine(seed)
    draw = random.Random(seed)
    words = ["".join(draw.choice("ab") for _ in range(draw.randrange(6))) for _ in range(40)]
    program = compile(machine, into="taperrnn", cells=48)
    assert program.run(words, steps=18) == [machine.run(word, steps=18) for word in words]


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_the_state_of_the_network_is_exactly_zero_or_one(backend):
    machine = random_machine(3)
    program = compile(machine, into="taperrnn", cells=64)
    with memtape.use_backend(backend):
        _, state = program.network(torch.zeros(2, 25, 1), program.initial_state(["ab", "ba"]))
    for leaf in (state.memory.memory, state.memory.head_weights, state.reads):
        assert set(leaf.unique().tolist()) <= {0.0, 1.0}
    for row, word in enumerate(["ab", "ba"]):
        assert int(state.memory.head_weights[row, 0].argmax()) == machine.run(word, steps=25)[-1].head % 64


def test_the_initial_state_of_the_network_is_the_empty_tape():
    program = compile(BUSY_BEAVER, into="taperrnn")
    outputs, _ = program.network(torch.zeros(1, 14, 1))
    expected, _ = program.network(torch.zeros(1, 14, 1), program.initial_state([""]))
    assert torch.equal(outputs, expected)


def test_a_tape_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match=r"cells is 2, but it must be at least 3"):
        compile(INCREMENT, into="taperrnn", cells=2)
    with pytest.raises(ValueError, match=r"the head leaves the tape of 6 cells after 3 steps; compile the machine"):
        compile(INCREMENT, into="taperrnn", cells=6).run(["111"], steps=9)
