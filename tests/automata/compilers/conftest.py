"""What several tests of compiled machines share."""

import random

import pytest

from memtape.automata import TapeMove, TuringMachine


@pytest.fixture(scope="session")
def random_turing_machine():
    """Return a function from a seed to a Turing machine with four states and three symbols."""

    def machine(seed, states="pqrs", symbols="_ab"):
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

    return machine
