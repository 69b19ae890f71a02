"""Chomsky: the answers of each problem from the strings alone, by the definitions of the paper in plain Python."""

import math
from itertools import pairwise

import pytest
import torch

from memtape import Elman, TapeRNN
from memtape.tasks.formal.chomsky import PROBLEMS, Chomsky
from memtape.tasks.formal.problems.problem import END
from memtape.training.draw_batch import draw_batch

SIZES = {  # input width, output width, answer length for a string of length 9, of the authors' code
    "even-pairs": (2, 2, 1),
    "modular-arithmetic": (9, 5, 1),
    "parity-check": (2, 2, 1),
    "cycle-navigation": (3, 5, 1),
    "stack-manipulation": (5, 3, 10),
    "reverse-string": (2, 2, 9),
    "modular-arithmetic-brackets": (11, 5, 1),
    "solve-equation": (11, 5, 1),
    "duplicate-string": (2, 2, 18),
    "missing-duplicate": (4, 2, 1),
    "odds-first": (2, 2, 9),
    "binary-addition": (3, 3, 10),
    "binary-multiplication": (3, 3, 9),
    "compute-sqrt": (2, 2, 5),
    "bucket-sort": (5, 5, 9),
}


def stack_after(symbols):
    stack = []
    for symbol in symbols:
        if symbol != "pop":
            stack.append(symbol[-1])
        elif stack:
            stack.pop()
    return [*reversed(stack), END]


def unknown_digit(symbols):
    left, right = "".join(symbols).split("=")
    (answer,) = (d for d in "01234" if eval(left.replace("x", d)) % 5 == int(right))
    return [answer]


def hidden_bit(symbols):
    twice = [symbol for symbol in symbols if symbol != "_"]
    place = twice.index("?")
    return [twice[(place + len(twice) // 2) % len(twice)]]


def result_of(operator, symbols):
    first, second = (int(number[::-1], 2) for number in "".join(symbols).split(operator))
    return [*f"{first + second if operator == '+' else first * second:b}"[::-1], END]


ORACLES = {
    "even-pairs": lambda s: [str(sum(a != b for a, b in pairwise(s)) % 2)],
    "modular-arithmetic": lambda s: [str(eval("".join(s)) % 5)],
    "parity-check": lambda s: [str(s.count("1") % 2)],
    "cycle-navigation": lambda s: [str((s.count("1") - s.count("2")) % 5)],
    "stack-manipulation": stack_after,
    "reverse-string": lambda s: s[::-1],
    "modular-arithmetic-brackets": lambda s: [str(eval("".join(s)) % 5)],
    "solve-equation": unknown_digit,
    "duplicate-string": lambda s: s + s,
    "missing-duplicate": hidden_bit,
    "odds-first": lambda s: [c for i, c in enumerate(s, 1) if i % 2] + [c for i, c in enumerate(s, 1) if i % 2 == 0],
    "binary-addition": lambda s: result_of("+", s),
    "binary-multiplication": lambda s: result_of("*", s),
    "compute-sqrt": lambda s: [*f"{math.isqrt(int(''.join(s), 2)):0{-(-len(s) // 2)}b}"],
    "bucket-sort": sorted,
}
"""Function from the symbols of a string to the names of the answer."""


def strings_of(task, batch):
    """Return the string of each row, which ends before the first token."""
    for row, length in enumerate(batch.lengths.tolist()):
        words = [task.vocabulary[symbol] for symbol in batch.inputs[row, :length].tolist()]
        yield words[: next(place for place, word in enumerate(words) if word in ("computation", "output"))]


def oracle_outputs(task, batch):
    """Return outputs that are certain of the oracle's answer, padded with zeros, and of class 0 elsewhere."""
    outputs = torch.zeros(*batch.mask.shape, task.output_size)
    classes = PROBLEMS[task.problem].classes
    for row, string in enumerate(strings_of(task, batch)):
        answer = [classes.index(word) for word in ORACLES[task.problem](string)]
        places = batch.mask[row].nonzero()[:, 0]
        padded = torch.tensor(answer + [0] * (len(places) - len(answer)))
        outputs[row, places, padded] = 1
    return outputs


@pytest.mark.parametrize("problem", PROBLEMS)
def test_an_oracle_answers_everything_at_each_length_to_500(problem):
    task = Chomsky(problem=problem, same_length=False)
    for lengths, rows in (((3, 12), 60), ((40, 40), 8), ((500, 500), 1)):
        batch = task.batch(0, rows, lengths=lengths)
        outputs = oracle_outputs(task, batch)
        assert task.scores(outputs, batch) == {"accuracy": 1.0}
        assert torch.equal(outputs.argmax(-1)[batch.mask], batch.targets[batch.mask])


@pytest.mark.parametrize("problem", PROBLEMS)
def test_sizes_are_those_of_the_paper(problem):
    width, classes, answer = SIZES[problem]
    task = Chomsky(problem=problem)
    assert (task.input_size, task.output_size) == (width + 1, classes)
    assert Chomsky(problem=problem, computation_tokens=2).input_size == width + 2
    batch = task.batch(0, 4, lengths=(9, 9))
    assert batch.mask.sum(1).tolist() == [answer] * 4
    assert batch.lengths.tolist() == [9 + answer] * 4
    assert task.chance((1, 40)) == {"accuracy": 0.2 if classes == 5 else 0.5}


@pytest.mark.parametrize(
    ("problem", "string", "answer"),
    [
        ("reverse-string", "aab", "baa"),
        ("odds-first", "123456", "135246"),
        ("even-pairs", "aabba", "0"),
        ("parity-check", "10110", "1"),
        ("cycle-navigation", "1120022", "4"),
        ("missing-duplicate", "011?0110_", "0"),
        ("duplicate-string", "ab", "abab"),
        ("bucket-sort", "421302214", "011222344"),
        ("binary-addition", "1001+000001", "100101|"),
        ("binary-multiplication", "001*01101", "0001101|"),
        ("compute-sqrt", "100101", "110"),
        ("solve-equation", "(x-2)=4", "1"),
        ("modular-arithmetic", "1+2*3-4", "3"),
        ("modular-arithmetic-brackets", "((-3)-2)", "0"),
    ],
)
def test_the_oracles_are_correct(problem, string, answer):
    assert "".join(ORACLES[problem](list(string))) == answer


def test_the_oracle_of_stacks_is_correct():
    assert "".join(stack_after(["0", "1", "1", "0", "push1", "pop", "pop"])) == "110|"
    assert "".join(stack_after(["1", "1", "0", "pop", "pop", "pop", "pop"])) == "|"
    assert "".join(stack_after(["1", "pop", "pop", "push0", "push1"])) == "10|"


def test_computation_tokens_lie_between_the_string_and_the_answer():
    task = Chomsky(problem="stack-manipulation", computation_tokens=2)
    batch = task.batch(0, 5, lengths=(4, 4))
    assert batch.inputs[:, 4:12].eq(5).all()
    assert batch.inputs[:, 12:].eq(6).all()
    assert batch.inputs.shape == (5, 4 + 8 + 5)
    assert batch.mask.tolist() == [[False] * 12 + [True] * 5] * 5
    assert task.vocabulary[5:] == ("computation", "output")


@pytest.mark.parametrize("same_length", [True, False])
def test_vectors_are_one_hot_symbols_with_the_length_of_the_string(same_length):
    options = {"problem": "bucket-sort", "computation_tokens": 1, "same_length": same_length}
    symbols = Chomsky(**options)
    vectors = Chomsky(**options, give_length=True)
    given, expected = vectors.batch(0, 6, lengths=(2, 9)), symbols.batch(0, 6, lengths=(2, 9))
    assert vectors.input_size == symbols.input_size + 1
    assert given.inputs[..., :-1].sum(-1).eq(1)[given.inputs[..., -1] > 0].all()
    for row, length in enumerate(expected.lengths.tolist()):
        assert given.inputs[row, :length, :-1].argmax(-1).equal(expected.inputs[row, :length])
        assert given.inputs[row, :length, -1].eq(length / 3).all()
    assert given.targets.equal(expected.targets)
    assert vectors.show(given) == symbols.show(expected)


def test_the_jumps_of_a_tape_have_the_length_of_the_string():
    task = Chomsky(give_length=True)
    network = TapeRNN(task.input_size, task.output_size, jump_from_input=True, slots=32, controller_size=8)
    _, state = network(task.batch(0, 3, lengths=(7, 7)).inputs)
    assert state.memory.jumps.length.tolist() == [7, 7, 7]


@pytest.mark.parametrize("give_length", [False, True])
@pytest.mark.parametrize("problem", ["stack-manipulation", "reverse-string", "cycle-navigation"])
def test_an_autoregressive_answer_follows_a_single_output_token_as_input(problem, give_length):
    options = {"problem": problem, "same_length": False, "computation_tokens": 1}
    task = Chomsky(**options, autoregressive=True, give_length=give_length)
    batch = draw_batch(task, Elman(task.input_size, task.output_size), 0, 8, seed=0, lengths=(2, 9))
    plain = Chomsky(**options).batch(0, 8, lengths=(2, 9))
    assert len(task.vocabulary) == max(len(PROBLEMS[problem].symbols), task.output_size) + 2
    assert batch.targets.equal(plain.targets)
    assert batch.mask.equal(plain.mask)
    symbols = batch.inputs[..., :-1].argmax(-1) if give_length else batch.inputs
    for row, mask in enumerate(batch.mask):
        first, *answer = mask.nonzero()[:, 0].tolist()
        assert task.vocabulary[symbols[row, first]] == "output"
        assert symbols[row, answer].tolist() == batch.targets[row, [first, *answer][:-1]].tolist()
        assert [task.vocabulary[symbol] for symbol in symbols[row, first // 2 : first]] == ["computation"] * (
            first // 2
        )
    assert "".join(task.vocabulary[-2:]) == "computationoutput"


@pytest.mark.parametrize("give_length", [False, True])
def test_an_autoregressive_answer_is_that_of_the_network_outside_of_training(give_length):
    torch.manual_seed(2)
    task = Chomsky(problem="stack-manipulation", same_length=False, give_length=give_length, autoregressive=True)
    network = Elman(task.input_size, task.output_size, hidden_size=8).double()
    with torch.no_grad():
        network.cell.to_output.weight.mul_(8)
    batch = draw_batch(task, network, 0, 12, seed=0, split="test", lengths=(1, 6))
    assert not batch.inputs.equal(task.batch(0, 12, split="test", lengths=(1, 6)).inputs.to(batch.inputs.dtype))
    outputs, _ = network(batch.inputs, lengths=batch.lengths)
    symbols = batch.inputs[..., :-1].argmax(-1) if give_length else batch.inputs
    for row, mask in enumerate(batch.mask):
        places = mask.nonzero()[:, 0]
        assert symbols[row, places[1:]].equal(outputs[row, places[:-1]].argmax(-1))
        assert not batch.inputs[row, places[-1] + 1 :].any()
        if give_length:
            assert batch.inputs[row, places, -1].eq(batch.inputs[row, 0, -1]).all()


def test_an_early_error_of_an_autoregressive_answer_is_fed_back():
    task = Chomsky(problem="reverse-string", autoregressive=True)
    batch = task.batch(0, 5, split="test", lengths=(4, 4))
    certain = torch.tensor([0.0, 1.0])

    def player(inputs, state, lengths):
        return certain.expand(*inputs.shape[:2], 2), state

    played = task.play(batch, player, None)
    assert played.inputs[:, 5:].eq(1).all()
    assert played.inputs[:, :5].equal(batch.inputs[:, :5])
    assert played.targets.equal(batch.targets)


def test_steps_after_the_terminator_count_in_the_loss_only():
    task = Chomsky(problem="binary-addition")
    batch = task.batch(0, 30, lengths=(9, 9))
    outputs = oracle_outputs(task, batch)
    end = (batch.targets == 2).long().argmax(1)
    late, exact = outputs.clone(), outputs.clone()
    assert (end < batch.lengths - 1).all()
    late[torch.arange(30), end + 1] = torch.tensor([0.0, 1.0, 0.0])
    exact[torch.arange(30), end] = torch.tensor([0.0, 1.0, 0.0])
    assert task.scores(late, batch) == {"accuracy": 1.0}
    assert task.loss(late, batch) > task.loss(outputs, batch)
    counted = float((end - 8).sum())
    assert task.scores(exact, batch)["accuracy"] == pytest.approx(1 - 30 / counted)
    assert task.counted(batch).sum() == counted


def test_the_accuracy_is_pooled_over_strings_of_different_lengths():
    task = Chomsky(same_length=False)
    batch = task.batch(0, 40, lengths=(1, 9))
    outputs = oracle_outputs(task, batch)
    longest = int(batch.lengths.argmax())
    outputs[longest] = outputs[longest].flip(-1)
    wrong = int(batch.mask[longest].sum())
    assert task.scores(outputs, batch)["accuracy"] == pytest.approx(1 - wrong / float(batch.mask.sum()))


def test_a_batch_has_one_length_unless_each_string_has_its_own():
    assert Chomsky().batch(3, 20).lengths.unique().numel() == 1
    drawn = {int(Chomsky().batch(index, 1).lengths) // 2 for index in range(400)}
    assert drawn == set(range(1, 41))
    mixed = Chomsky(same_length=False).batch(0, 2000)
    assert set((mixed.lengths // 2).tolist()) == set(range(1, 41))
    assert not torch.equal(mixed.lengths, mixed.lengths.sort().values)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("stack-manipulation", {("0", "0|"), ("1", "1|")}),
        ("solve-equation", {("0", "0")}),
        ("missing-duplicate", {("1", "1")}),
        ("binary-addition", {("0", "0|")}),
        ("binary-multiplication", {("0", "|")}),
        ("compute-sqrt", {("1", "1")}),
    ],
)
def test_the_shortest_strings_are_those_of_the_authors(problem, expected):
    task = Chomsky(problem=problem)
    batch = task.batch(0, 60, lengths=(1, 1))
    classes = PROBLEMS[problem].classes
    answers = [
        "".join(classes[c] for c in row[mask].tolist()) for row, mask in zip(batch.targets, batch.mask, strict=True)
    ]
    assert set(zip(map("".join, strings_of(task, batch)), answers, strict=True)) == expected


@pytest.mark.parametrize(
    ("problem", "answers"),
    [
        ("binary-addition", {"00": "0|0", "10": "1|0", "01": "01|"}),
        ("binary-multiplication", {"00": "0|", "10": "0|", "01": "0|"}),
        ("solve-equation", {"00": "0"}),
    ],
)
def test_strings_of_two_symbols_are_those_of_the_authors(problem, answers):
    task = Chomsky(problem=problem)
    batch = task.batch(0, 60, lengths=(2, 2))
    classes = PROBLEMS[problem].classes
    shown = [
        "".join(classes[c] for c in row[mask].tolist()) for row, mask in zip(batch.targets, batch.mask, strict=True)
    ]
    assert dict(zip(map("".join, strings_of(task, batch)), shown, strict=True)) == answers


def test_an_even_length_of_modular_arithmetic_has_one_symbol_less():
    task = Chomsky(problem="modular-arithmetic")
    assert task.batch(0, 2, lengths=(8, 8)).lengths.tolist() == [8, 8]
    assert task.batch(0, 2, lengths=(9, 9)).lengths.tolist() == [10, 10]


def test_bad_options_are_refused_in_one_sentence(shapes_unchecked):
    with pytest.raises(
        ValueError, match=r"problem is 'sorting', but it must be one of 'even-pairs', .*; choose one of them"
    ):
        Chomsky(problem="sorting")
    with pytest.raises(ValueError, match="computation_tokens is -1, but it must be at least 0; give a larger"):
        Chomsky(computation_tokens=-1)
    with pytest.raises(ValueError, match=r"length_ratio is 0\.0, but it must be"):
        Chomsky(length_ratio=0.0)
    with pytest.raises(
        ValueError, match="max_length of Chomsky is 2, but min_length is 3 and must not be larger; raise"
    ):
        Chomsky(min_length=3, max_length=2)


def test_problems_of_membership_name_the_symbol_after_words():
    task = Chomsky(problem="parity-check")
    assert (task.batch(0, 8).inputs[:, -1] == task.vocabulary.index(task.around_words[1])).all()
    assert Chomsky(problem="parity-check", computation_tokens=1).around_words is None
    assert Chomsky(problem="parity-check", give_length=True).around_words is None
    assert Chomsky(problem="reverse-string").around_words is None
