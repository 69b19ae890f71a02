import random

import pytest
import torch

import memtape
from memtape.automata import busy_beaver, compile, increment, palindromes


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_busy_beaver_halts_after_14_steps_with_six_ones(dtype):
    program = compile(busy_beaver(), into="taperrnn")
    program.network.to(dtype)
    (run,) = program.run([""], steps=40)
    assert run == busy_beaver().run("", steps=40)
    assert len(run) - 1 == 14
    assert sorted(run[-1].tape.values()) == ["1"] * 6
    assert program.certificate.units == 9
    assert str(program.certificate).endswith("at any number of steps, as long as the head stays within 32 cells.")


def test_numbers_are_incremented():
    program = compile(increment(), into="taperrnn", cells=40)
    draw = random.Random(0)
    numbers = [draw.randrange(2**15) for _ in range(1000)] + [2**15 - 1]
    runs = program.run([f"{number:b}"[::-1] for number in numbers], steps=40)
    for number, run in zip(numbers, runs, strict=True):
        assert "".join(run[-1].tape[place] for place in range(len(run[-1].tape))) == f"{number + 1:b}"[::-1]
        assert run[-1].halted


def test_palindromes_are_recognised():
    draw = random.Random(1)
    halves = ["".join(draw.choice("ab") for _ in range(draw.randrange(5))) for _ in range(100)]
    words = [half + draw.choice(["", "a", "b"]) + half[::-1] for half in halves]
    words += ["".join(draw.choice("ab") for _ in range(draw.randrange(9))) for _ in range(300)]
    runs = compile(palindromes(), into="taperrnn").run(words, steps=80)
    assert all(run[-1].halted for run in runs)
    assert [run[-1].state == "yes" for run in runs] == [word == word[::-1] for word in words]


@pytest.mark.parametrize("seed", range(12))
def test_every_step_of_random_machines_is_exact(seed, random_turing_machine):
    machine = random_turing_machine(seed)
    draw = random.Random(seed)
    words = ["".join(draw.choice("ab") for _ in range(draw.randrange(6))) for _ in range(40)]
    program = compile(machine, into="taperrnn", cells=48)
    assert program.run(words, steps=18) == [machine.run(word, steps=18) for word in words]


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_the_state_of_the_network_is_exactly_the_tape_of_the_machine(backend, random_turing_machine):
    machine, words = random_turing_machine(3), ["ab", "ba", "bbaab", ""]
    program = compile(machine, into="taperrnn", cells=64)
    with memtape.use_backend(backend):
        _, state = program.network(torch.zeros(len(words), 25, 1), program.initial_state(words))
    for row, word in enumerate(words):
        last = machine.run(word, steps=25)[-1]
        assert last.tape
        tape, head = torch.zeros(64, 3), last.head % 64
        for place, symbol in last.tape.items():
            tape[place % 64, "_ab".index(symbol)] = 1
        assert torch.equal(state.memory.memory[row, 0], tape.roll(-head, dims=0))  # from the cell under the head on
        assert state.memory.head_weights[row, 0].tolist() == [float(place == head) for place in range(64)]
        assert torch.equal(state.reads[row], tape[head])


def test_the_initial_state_of_the_network_is_the_empty_tape():
    program = compile(busy_beaver(), into="taperrnn")
    outputs, _ = program.network(torch.zeros(1, 14, 1))
    expected, _ = program.network(torch.zeros(1, 14, 1), program.initial_state([""]))
    assert torch.equal(outputs, expected)


def test_a_tape_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match=r"cells is 2, but it must be at least 3"):
        compile(increment(), into="taperrnn", cells=2)
    with pytest.raises(ValueError, match=r"the head leaves the tape of 6 cells after 3 steps; compile the machine"):
        compile(increment(), into="taperrnn", cells=6).run(["111"], steps=9)
