"""Greedy and beam search against an enumeration of all sequences, with small networks."""

import itertools
import math

import pytest
import torch

from memtape import tree
from memtape.core.inputs.pairs import BOUNDARY
from memtape.core.state import state
from memtape.inference.decoding import beam_search, greedy
from memtape.models.seq2seq.seq2seq import Seq2Seq

SYMBOLS, LONGEST, ROWS = 4, 4, 5
EVERYTHING = SYMBOLS**LONGEST
F64 = torch.float64


@state
class ToyState:
    """All inputs so far, encoded as one number, with a different initial value for each row."""

    code: torch.Tensor


class Toy:
    """Predict logits that depend on all inputs so far; they are drawn once and stored in a table."""

    output_size = SYMBOLS

    def __init__(self, seed=0, spread=1.5):
        generator = torch.Generator().manual_seed(seed)
        self.table = spread * torch.randn(9973, SYMBOLS, generator=generator, dtype=F64)

    def begin(self, rows=ROWS):
        return ToyState(code=torch.arange(1, rows + 1))

    def step(self, symbols, state):
        code = (state.code * 31 + symbols + 7) % len(self.table)
        return self.table[code], ToyState(code=code)

    def log_likelihood(self, row, sequence):
        """Compute the likelihood of one sequence in a loop."""
        code, previous, total = row + 1, BOUNDARY, 0.0
        for symbol in sequence:
            code = (code * 31 + previous + 7) % len(self.table)
            logits = self.table[code].tolist()
            total += logits[symbol] - math.log(sum(math.exp(logit) for logit in logits))
            previous = symbol
        return total


def all_sequences():
    """List the sequences that end with a stop symbol, and those of the largest length."""
    for length in range(1, LONGEST + 1):
        for sequence in itertools.product(range(SYMBOLS), repeat=length):
            if BOUNDARY not in sequence[:-1] and (sequence[-1] == BOUNDARY or length == LONGEST):
                yield sequence


def sequence_of(found, *place):
    return tuple(found.symbols[place][: found.lengths[place]].tolist())


@pytest.mark.parametrize("seed", range(3))
def test_greedy_decoding_takes_the_most_likely_symbol_of_each_step(seed):
    toy = Toy(seed)
    found = greedy(toy, toy.begin(), longest=LONGEST)
    for row in range(ROWS):
        sequence = []
        while len(sequence) < LONGEST and sequence[-1:] != [BOUNDARY]:
            best = max(range(SYMBOLS), key=lambda symbol: toy.log_likelihood(row, [*sequence, symbol]))
            sequence.append(best)
        assert sequence_of(found, row) == tuple(sequence)
        assert math.isclose(float(found.log_likelihood[row]), toy.log_likelihood(row, sequence), rel_tol=1e-10)
        assert not found.symbols[row, len(sequence) :].any()


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_beam_of_one_is_greedy(seed, length_penalty):
    toy = Toy(seed)
    first = greedy(toy, toy.begin(50), longest=8)
    second = beam_search(toy, toy.begin(50), width=1, length_penalty=length_penalty, longest=8)
    assert torch.equal(second.symbols[:, 0], first.symbols)
    assert torch.equal(second.lengths[:, 0], first.lengths)
    torch.testing.assert_close(second.log_likelihood[:, 0].double(), first.log_likelihood.double())


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(2))
def test_a_beam_of_all_sequences_lists_them_in_their_order(seed, length_penalty):
    toy = Toy(seed)
    found = beam_search(toy, toy.begin(), width=EVERYTHING, length_penalty=length_penalty, longest=LONGEST)
    for row in range(ROWS):
        scores = {s: toy.log_likelihood(row, s) / len(s) ** length_penalty for s in all_sequences()}
        expected = sorted(scores, key=scores.get, reverse=True)
        assert sequence_of(found, row, 0) == expected[0]
        assert [sequence_of(found, row, place) for place in range(len(expected))] == expected
        assert not found.log_likelihood[row, len(expected) :].isfinite().any()
        for place in (0, 1, len(expected) - 1):
            exact = toy.log_likelihood(row, expected[place])
            assert math.isclose(float(found.log_likelihood[row, place]), exact, rel_tol=1e-10)


def test_a_wider_beam_finds_what_greedy_decoding_misses():
    toy = Toy()
    narrow, wide = (beam_search(toy, toy.begin(100), width=width, length_penalty=0.0, longest=6) for width in (1, 20))
    better = wide.log_likelihood[:, 0] - narrow.log_likelihood[:, 0]
    assert (better > 1e-4).double().mean() > 0.3
    assert (better > -1e-6).double().mean() > 0.95


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_a_batch_equals_its_rows_one_at_a_time(search):
    toy = Toy(4)
    together = search(toy, toy.begin(20), longest=10)
    for row in range(20):
        alone = search(toy, tree.rows(toy.begin(20), row, row + 1), longest=10)
        time = alone.symbols.shape[-1]
        assert torch.equal(alone.symbols[0], together.symbols[row][..., :time])
        assert not together.symbols[row, ..., time:].any()
        assert torch.equal(alone.lengths[0], together.lengths[row])


def test_the_length_penalty_changes_the_best_sequence():
    toy = Toy(2)
    lengths = [
        beam_search(toy, toy.begin(50), width=20, length_penalty=penalty, longest=8).lengths[:, 0].double().mean()
        for penalty in (0.0, 0.5, 1.0)
    ]
    assert lengths[0] < lengths[1] < lengths[2]


def test_sequences_are_in_descending_order_of_score():
    toy = Toy()
    found = beam_search(toy, toy.begin(), width=6, length_penalty=0.7, longest=8)
    scores = found.log_likelihood / found.lengths**0.7
    assert (scores.diff(dim=1) <= 0).all()


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_another_symbol_may_stop_and_another_may_start(search):
    toy = Toy(1)
    usual = search(toy, toy.begin(), longest=6)
    other = search(toy, toy.begin(), longest=6, stop=2)
    assert not torch.equal(usual.lengths, other.lengths)
    assert (other.symbols.flatten(0, -2)[range(len(other.lengths.flatten())), other.lengths.flatten() - 1] == 2).any()
    assert not torch.equal(search(toy, toy.begin(), longest=6, start=3).symbols[..., 0], usual.symbols[..., 0])


@pytest.mark.parametrize("attend_first", [True, False])
def test_a_beam_of_one_is_greedy_with_a_trained_architecture_too(attend_first):
    network = Seq2Seq(6, 5, hidden_size=5, embedding_size=3, attend_first=attend_first, decoder_layers=2).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    begin = network.begin(torch.randint(6, (7, 4)), torch.tensor([4, 3, 2, 1, 0, 4, 4]))
    first, second = greedy(network, begin, longest=9), beam_search(network, begin, width=1, longest=9)
    assert torch.equal(first.symbols, second.symbols[:, 0])
    wide = beam_search(network, begin, width=5, longest=9)
    one = beam_search(network, tree.rows(begin, 2, 3), width=5, longest=9)
    assert torch.equal(wide.symbols[2, :, : one.symbols.shape[2]], one.symbols[0])
    assert not first.log_likelihood.requires_grad


def test_an_invalid_width_length_or_penalty_is_refused():
    toy = Toy()
    with pytest.raises(ValueError, match="width is 0, but it must be at least 1; give a larger width"):
        beam_search(toy, toy.begin(), width=0)
    with pytest.raises(ValueError, match="longest is 0, but it must be at least 1; give a larger longest"):
        beam_search(toy, toy.begin(), longest=0)
    with pytest.raises(ValueError, match="longest is 0, but it must be at least 1; give a larger longest"):
        greedy(toy, toy.begin(), longest=0)
    with pytest.raises(
        ValueError, match=r"length_penalty is -1\.0, but it is a power of the length; give a number of at lea"
    ):
        beam_search(toy, toy.begin(), length_penalty=-1.0)


@pytest.mark.parametrize("search", [greedy, beam_search])
@pytest.mark.parametrize("name", ["start", "stop"])
@pytest.mark.parametrize("symbol", [-1, SYMBOLS, 10**400])
def test_a_symbol_outside_the_vocabulary_is_refused(search, name, symbol, shapes_unchecked):
    shown = symbol if symbol < 9 else "an integer of about 401 digits"
    message = f"{name} is {shown}, but the network writes the symbols 0..{SYMBOLS - 1}; give one of them"
    with pytest.raises(ValueError, match=message):
        search(Toy(), Toy().begin(), **{name: symbol})
    with pytest.raises(TypeError, match=f"{name} is 1.5, but it is a symbol; give an integer in 0..{SYMBOLS - 1}"):
        search(Toy(), Toy().begin(), **{name: 1.5})


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_without_a_stop_symbol_all_symbols_are_generated(search):
    found = search(Toy(), Toy().begin(), longest=7, stop=None)
    assert found.symbols.shape[-1] == 7
    assert (found.lengths == 7).all()
    assert (found.symbols == BOUNDARY).any()
