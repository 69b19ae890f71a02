import random

import pytest
import torch

import memtape
from memtape.automata import AutomatonError, busy_beaver, compile, increment


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_busy_beaver_halts_after_14_steps_with_six_ones(dtype):
    program = compile(busy_beaver())
    program.network.to(dtype)
    (run,) = program.run([""], steps=40)
    assert run == busy_beaver().run("", steps=40)
    assert len(run) - 1 == 14
    assert sorted(run[-1].tape.values()) == ["1"] * 6


def test_an_increment_has_the_published_trace():
    program = compile(increment(), cells=8)
    assert [one.head for one in program.run(["11"], steps=9)[0]] == [0, 1, 2, 2]
    state = program.initial_state(["11"])
    tapes = []
    for _ in range(4):
        _, state = program.network(torch.zeros(1, 1, 1), state)
        tapes.append(state.memory.memory[0, :3].argmax(dim=-1).tolist())
    assert tapes == [[1, 2, 0], [1, 1, 0], [1, 1, 2], [1, 1, 2]]


def test_numbers_are_incremented():
    program = compile(increment(), cells=40)
    draw = random.Random(0)
    numbers = [draw.randrange(2**15) for _ in range(200)]
    runs = program.run([f"{number:b}"[::-1] for number in numbers], steps=40)
    for number, run in zip(numbers, runs, strict=True):
        assert "".join(run[-1].tape[place] for place in range(len(run[-1].tape))) == f"{number + 1:b}"[::-1]
        assert run[-1].halted


@pytest.mark.parametrize("seed", range(15))
def test_every_step_of_random_machines_is_exact(seed, random_turing_machine):
    machine = random_turing_machine(seed)
    draw = random.Random(seed)
    words = ["".join(draw.choice("ab") for _ in range(draw.randrange(6))) for _ in range(40)]
    assert compile(machine, cells=48).run(words, steps=18) == [machine.run(word, steps=18) for word in words]


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_the_state_of_the_network_is_exactly_zero_or_one_on_every_backend(backend, random_turing_machine):
    machine = random_turing_machine(3)
    program = compile(machine, cells=64)
    with memtape.use_backend(backend):
        _, state = program.network(torch.zeros(2, 25, 1), program.initial_state(["ab", "ba"]))
    for leaf in (state.memory.memory, state.memory.read_weights, state.memory.write_weights, state.reads):
        assert set(leaf.unique().tolist()) == {0.0, 1.0}
    for row, word in enumerate(["ab", "ba"]):
        last = machine.run(word, steps=25)[-1]
        assert int(state.memory.read_weights[row, 0].argmax()) == last.head % 64


def test_the_initial_state_of_the_network_is_the_empty_tape():
    program = compile(busy_beaver())
    outputs, _ = program.network(torch.zeros(1, 14, 1))
    expected, _ = program.network(torch.zeros(1, 14, 1), program.initial_state([""]))
    assert torch.equal(outputs, expected)


def test_bad_arguments_are_refused():
    with pytest.raises(
        AutomatonError, match=r"a word has 5 symbols, but the tape has 4 cells from the first one on; compile"
    ):
        compile(increment(), cells=8).run(["10101"], steps=3)
    with pytest.raises(AutomatonError, match=r"the word has the symbol '2' at position 0"):
        compile(increment()).run(["2"], steps=3)
    with pytest.raises(
        AutomatonError, match=r"the head leaves the tape of 6 cells after 3 steps; compile the machine with more"
    ):
        compile(increment(), cells=6).run(["111"], steps=9)
    with pytest.raises(ValueError, match=r"cells is 2, but it must be at least 3"):
        compile(increment(), cells=2)
    with pytest.raises(ValueError, match=r"steps is -1, but it must be at least 0"):
        compile(increment()).run([""], steps=-1)
