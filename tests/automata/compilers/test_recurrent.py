import random
from itertools import product

import pytest
import torch

import memtape
from memtape.automata import DFA, AutomatonError, compile, tomita
from memtape.automata.compilers.units import least_gain

FORMS = [("elman", {}), ("elman", {"activation": "tanh"}), ("gru", {}), ("lstm", {})]


def random_dfa(seed, states=7, symbols="abc"):
    draw = random.Random(seed)
    table = [[draw.randrange(states) for _ in symbols] for _ in range(states)]
    return DFA.from_table(table, {state for state in range(states) if draw.random() < 0.5}, alphabet=symbols)


def random_words(symbols, number, longest, seed=0):
    draw = random.Random(seed)
    return ["".join(draw.choice(symbols) for _ in range(draw.randrange(longest + 1))) for _ in range(number)]


def symmetric_group(size):
    """Return the automaton of the products of permutations, of which a transposition and a cycle are read."""
    swap, cycle = (1, 0, *range(2, size)), (*range(1, size), 0)
    states = [tuple(range(size))]
    table = []
    for state in states:
        row = []
        for generator in (swap, cycle):
            after = tuple(state[place] for place in generator)
            if after not in states:
                states.append(after)
            row.append(states.index(after))
        table.append(row)
    return DFA.from_table(table, {0}, alphabet="sc")


@pytest.mark.parametrize(("into", "options"), FORMS)
def test_every_prefix_of_a_thousand_words_has_the_output_of_the_automaton(into, options):
    words = random_words("01", 1000, 40)
    for number in range(1, 8):
        dfa = tomita(number)
        acceptor = compile(dfa, into=into, **options)
        outputs, lengths = acceptor.logits(words)
        expected = torch.zeros(outputs.shape[:2], dtype=torch.bool)
        for row, word in enumerate(words):
            expected[row, : len(word)] = torch.tensor(
                [state in dfa.accepting for state in dfa.run(word)], dtype=torch.bool
            )
        inside = torch.arange(outputs.shape[1]) < lengths[:, None]
        torch.testing.assert_close(outputs[..., 0][inside], torch.where(expected, 10.0, -10.0)[inside])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("into", "options"), FORMS)
def test_the_states_are_exactly_one_of_two_values_at_length_500(into, options, dtype):
    acceptor = compile(random_dfa(1), into=into, **options)
    acceptor.network.to(dtype)
    symbols = torch.randint(3, (8, 500))
    outputs, state = acceptor.network(symbols)
    hidden = memtape.tree.leaves(state)[-1 if into == "lstm" else 0]
    assert set(hidden.unique().tolist()) == ({0.0, 1.0} if into == "elman" and not options else {-1.0, 1.0})
    words = ["".join("abc"[number] for number in row) for row in symbols]
    assert (outputs[:, -1, 0] > 0).tolist() == [random_dfa(1).accepts(word) for word in words]


def test_the_word_problem_of_the_symmetric_group_of_5_is_solved_at_length_500():
    dfa = symmetric_group(5)
    acceptor = compile(dfa, outputs="state")
    assert len(dfa.states) == 120
    assert acceptor.certificate.units == 241
    symbols = torch.randint(2, (4, 500))
    states = acceptor.network(symbols)[0].argmax(dim=-1)
    for row, word in enumerate(symbols.tolist()):
        assert [dfa.states[number] for number in states[row]] == list(dfa.run(["sc"[number] for number in word]))


def test_the_elman_network_runs_in_torch_and_in_bfloat16():
    acceptor = compile(tomita(3))
    cell = acceptor.network.cell.cell
    rnn = torch.nn.RNN(2, cell.output_size, nonlinearity="relu", batch_first=True)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(cell.from_input.weight)
        rnn.weight_hh_l0.copy_(cell.from_hidden.weight)
        rnn.bias_ih_l0.copy_(cell.from_input.bias)
        rnn.bias_hh_l0.zero_()
    word = torch.randint(2, (1, 200))
    hidden, _ = rnn.to(torch.bfloat16)(torch.nn.functional.one_hot(word).to(torch.bfloat16))
    _, _, states = memtape.unroll(cell, torch.nn.functional.one_hot(word).float(), collect=lambda state: state.hidden)
    assert torch.equal(hidden.float(), states)


@pytest.mark.parametrize("into", ["elman", "gru", "lstm"])
def test_words_of_one_state_and_of_no_symbol(into):
    everything = DFA.from_table([[0]], {0}, alphabet="a")
    assert compile(everything, into=into).accepts(["", "a", "aaa"]) == [True] * 3
    assert compile(everything.complement(), into=into).accepts(["", "a", "aaa"]) == [False] * 3
    assert compile(everything, into=into).accepts([]) == []


@pytest.mark.parametrize(
    ("predecessors", "gain"), [(1, 2.0), (2, 3.59), (5, 4.87), (10, 5.74), (24, 6.79), (120, 8.64)]
)
def test_the_least_gain_is_the_published_one(predecessors, gain):
    assert least_gain(predecessors) == pytest.approx(gain, abs=0.01)


def test_a_small_gain_is_right_but_not_exact():
    acceptor = compile(tomita(5), activation="tanh", gain=6.0)
    words = random_words("01", 300, 200)
    assert acceptor.accepts(words) == [tomita(5).accepts(word) for word in words]
    assert acceptor.certificate.exact_in == {}
    assert "right, but not exact" in str(acceptor.certificate)
    assert compile(tomita(5), activation="tanh", gain=20.0).certificate.exact_in == {"float32": None}


def test_a_certificate_counts_units_and_parameters():
    certificate = compile(tomita(5)).certificate
    assert certificate.units == 9
    assert certificate.parameters == 9 * 2 + 9 * 9 + 9 + 9 + 1
    assert str(certificate) == (
        "An Elman network of relu units, one for each state and symbol. 9 units, 118 parameters, margin 1; exact in float32 "
        "and float64, at any length."
    )


def test_a_compiled_network_can_be_trained_saved_and_loaded(tmp_path):
    acceptor = compile(tomita(4), activation="tanh", gain=6.0)
    network = acceptor.network.train()
    symbols = torch.randint(2, (64, 12))
    target = torch.tensor(
        [[float(state == "3") for state in tomita(4).run("".join(map(str, row)))] for row in symbols.tolist()]
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(symbols)[0][..., 0], target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 5
    network.save_pretrained(tmp_path)
    assert torch.equal(memtape.Elman.from_pretrained(tmp_path)(symbols)[0], network.eval()(symbols)[0])


def test_all_words_of_random_automata_are_decided():
    words = ["".join(word) for length in range(7) for word in product("abc", repeat=length)]
    for seed in range(5):
        dfa = random_dfa(seed)
        expected = [dfa.accepts(word) for word in words]
        for into, options in FORMS:
            assert compile(dfa, into=into, **options).accepts(words) == expected


def test_bad_arguments_are_refused(shapes_unchecked):
    with pytest.raises(
        AutomatonError, match=r"into is 'ntm', but a DFA compiles into 'elman' or 'gru' or 'lstm'; choose one"
    ):
        compile(tomita(1), into="ntm")
    with pytest.raises(
        AutomatonError, match=r"cells was given, but a DFA compiled into 'gru' has the options gain, outputs; leave"
    ):
        compile(tomita(1), into="gru", cells=3)
    with pytest.raises(AutomatonError, match=r"the machine is a str, which has no construction; give one of DFA, "):
        compile("dfa")
    with pytest.raises(
        AutomatonError, match=r"gain is 3.0, but units with 2 predecessors keep their states only from 3.59 on; give"
    ):
        compile(tomita(5), into="gru", gain=3.0)
    with pytest.raises(ValueError, match=r"gain is 0.0, but it must be finite and above 0"):
        compile(tomita(5), into="lstm", gain=0.0)
    with pytest.raises(ValueError, match=r"outputs is 'states', but it must be one of 'accept', 'state'"):
        compile(tomita(5), outputs="states")
    with pytest.raises(ValueError, match=r"activation is 'sin', but it must be one of 'tanh', 'relu'"):
        compile(tomita(5), activation="sin")
    with pytest.raises(AutomatonError, match=r"the word has the symbol '2' at position 0, but the alphabet is 0 1"):
        compile(tomita(5)).accepts(["2"])
