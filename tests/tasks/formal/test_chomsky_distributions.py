"""Chomsky: the distributions of the strings are those of the authors."""

import math

import pytest

from memtape.tasks.formal.chomsky import Chomsky


def strings(problem, length, rows):
    task = Chomsky(problem=problem)
    batch = task.batch(0, rows, lengths=(length, length))
    words = [[task.vocabulary[symbol] for symbol in row] for row in batch.inputs.tolist()]
    return ["".join(row[: row.index("output")]) for row in words]  # there are no computation tokens by default


def share(values, expected, rows):
    """Check that the frequency of each value is the expected one, within five standard deviations."""
    counts = {value: values.count(value) / rows for value in set(values)}
    assert counts.keys() == expected.keys()
    for value, chance in expected.items():
        assert abs(counts[value] - chance) < 5 * math.sqrt(chance * (1 - chance) / rows)


def test_the_left_operand_of_a_bracket_has_a_uniform_length():
    rows, found = 3000, []
    for text in strings("modular-arithmetic-brackets", 8, rows):
        depth = [0]
        for symbol in text:
            depth.append(depth[-1] + (symbol == "(") - (symbol == ")"))
        places = [p for p in range(2, 7) if depth[p] == 1 and text[p] in "+-*" and text[p - 1] not in "(+-*"]
        found.append((places[0] - 1, text[places[0]]))
    share([size for size, _ in found], dict.fromkeys(range(1, 5), 1 / 4), rows)
    share([operator for _, operator in found], dict.fromkeys("+-*", 1 / 3), rows)


def test_equations_have_no_products_and_their_unknown_digit_follows_a_uniform_position():
    rows = 3000
    texts = strings("solve-equation", 7, rows)  # (d+d)=v or (-d-d): the left operand has length 1
    assert {text[2] for text in texts} == {"+", "-"}
    share([text.index("x") for text in texts], {1: 3 / 5, 3: 2 / 5}, rows)


def test_operands_have_uniform_sizes_and_are_never_zero():
    rows = 3000
    for problem, operator in (("binary-addition", "+"), ("binary-multiplication", "*")):
        pairs = [text.split(operator) for text in strings(problem, 5, rows)]
        share([len(first) for first, _ in pairs], {1: 1 / 3, 2: 1 / 3, 3: 1 / 3}, rows)
        assert all("1" in number for pair in pairs for number in pair)
        twos = [first for first, _ in pairs if len(first) == 2]
        share(twos, dict.fromkeys(("10", "01", "11"), 1 / 3), len(twos))
    share(strings("compute-sqrt", 2, rows), dict.fromkeys(("10", "01", "11"), 1 / 3), rows)


def test_stacks_have_uniform_sizes_and_actions():
    rows = 4000
    task = Chomsky(problem="stack-manipulation")
    batch = task.batch(0, rows, lengths=(4, 4))
    sizes = (batch.inputs[:, :4] < 2).sum(1).tolist()
    share(sizes, dict.fromkeys((1, 2, 3), 1 / 3), rows)
    share(
        batch.inputs[:, 3][batch.inputs[:, 3] > 1].tolist(), dict.fromkeys((2, 3, 4), 1 / 3), sum(s < 4 for s in sizes)
    )


def test_the_hidden_bit_of_a_duplicate_is_anywhere():
    rows = 4000
    share([text.index("?") for text in strings("missing-duplicate", 5, rows)], dict.fromkeys(range(4), 1 / 4), rows)


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_the_probabilities_of_neighbouring_lengths_have_the_ratio(ratio):
    rows = 4000
    task = Chomsky(problem="parity-check", min_length=3, max_length=6, length_ratio=ratio, same_length=False)
    sizes = (task.batch(0, rows).lengths - 1).tolist()
    weights = {length: ratio**length for length in range(3, 7)}
    share(sizes, {length: weight / sum(weights.values()) for length, weight in weights.items()}, rows)
    long = Chomsky(min_length=1, max_length=500, length_ratio=ratio).batch(0, 2).lengths // 2
    assert long.le(100).all() if ratio < 1 else long.ge(400).all()
