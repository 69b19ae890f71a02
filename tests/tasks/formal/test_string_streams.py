"""String streams: counting languages, memorisation and sums, parsed by plain Python, and predicted by counters and stacks."""

import math
import re

import pytest
import torch

from memtape.tasks.formal.binary_sums import BinarySums
from memtape.tasks.formal.counting import REPEATS, Counting
from memtape.tasks.formal.memorisation import Memorisation

STRINGS = {
    "anbn": lambda n: "a" * n + "b" * n,
    "anbncn": lambda n: "a" * n + "b" * n + "c" * n,
    "anbncndn": lambda n: "a" * n + "b" * n + "c" * n + "d" * n,
    "anb2n": lambda n: "a" * n + "b" * 2 * n,
}


def text_of(task, batch, row):
    return "".join(task.vocabulary[symbol] for symbol in batch.inputs[row, : int(batch.lengths[row])].tolist())


def certain(batch, size, wrong=()):
    """Return outputs that are certain of the targets, except at some steps."""
    outputs = torch.nn.functional.one_hot(batch.targets, size).float() * 50
    for row, step in wrong:
        outputs[row, step] = outputs[row, step].roll(1)
    return outputs


@pytest.mark.parametrize("language", [*REPEATS, "anbmcnm"])
@pytest.mark.parametrize("lengths", [(2, 9), (60, 60)])
def test_a_row_is_a_succession_of_strings_of_the_language(language, lengths):
    task = Counting(language=language, strings=3)
    batch = task.batch(0, 12, lengths=lengths)
    sizes = set()
    for row, length in enumerate(batch.lengths.tolist()):
        text = text_of(task, batch, row)
        strings = re.findall("a+[^a]+", text)
        assert "".join(strings) == text
        assert len(strings) == 3
        counted = []
        for string in strings:
            if language == "anbmcnm":
                size = string.count("c")
                assert string == "a" * string.count("a") + "b" * string.count("b") + "c" * size
                assert string.count("a") + string.count("b") == size
                counted += [symbol == "c" for symbol in string]
            else:
                size = string.count("a")
                assert string == STRINGS[language](size)
                counted += [symbol != "a" for symbol in string]
            sizes.add(size)
        assert task.determined(batch.inputs, batch.lengths)[row, :length].tolist() == counted
        assert batch.targets[row, :length].tolist() == [*batch.inputs[row, 1:length].tolist(), 0]
        assert batch.mask[row].sum() == length
    assert sizes <= set(range(lengths[0], lengths[1] + 1))
    assert lengths[0] == lengths[1] or len(sizes) > 4


def counter_outputs(task, batch):
    """Return what counters of the letters predict: the repeated last letter, until the counts are those of the language."""
    outputs = torch.zeros(*batch.mask.shape, task.output_size)
    for row in range(len(batch)):
        counts = dict.fromkeys("abcd", 0)
        for step, letter in enumerate(text_of(task, batch, row)):
            if letter == "a" and counts["b"]:
                counts = dict.fromkeys("abcd", 0)
            counts[letter] += 1
            if task.language == "anbmcnm":
                done = letter == "c" and counts["c"] == counts["a"] + counts["b"]
            else:
                done = letter != "a" and counts[letter] == counts["a"] * REPEATS[task.language]["abcd".index(letter)]
            following = task.vocabulary[(task.vocabulary.index(letter) + done) % task.output_size]
            outputs[row, step, task.vocabulary.index(following)] = 1
    return outputs


@pytest.mark.parametrize("language", [*REPEATS, "anbmcnm"])
@pytest.mark.parametrize("size", [2, 60, 500])
def test_counters_predict_all_determined_symbols(language, size):
    task = Counting(language=language, strings=2)
    batch = task.batch(0, 3, lengths=(size, size))
    assert task.scores(counter_outputs(task, batch), batch)["accuracy"] == 1


def test_strings_are_correct_if_all_determined_symbols_are():
    task = Counting(strings=2)
    batch = task.batch(0, 2, lengths=(3, 3))  # aaabbb aaabbb, and the a of one more string
    assert task.scores(certain(batch, 2, [(0, 1)]), batch)["accuracy"] == 1
    assert task.scores(certain(batch, 2, [(0, 2)]), batch)["accuracy"] == 1
    assert task.scores(certain(batch, 2, [(0, 3), (0, 4)]), batch)["accuracy"] == 3 / 4
    assert task.scores(certain(batch, 2, [(0, 5), (1, 11)]), batch)["accuracy"] == 2 / 4


def optimal_outputs(task, batch, sizes):
    """Return the log-probabilities of a predictor that knows the distribution of the strings of a^n b^n and its kin."""
    outputs = counter_outputs(task, batch) * 50
    shortest, longest = sizes
    for row in range(len(batch)):
        count = 0
        for step, letter in enumerate(text_of(task, batch, row)):
            count = count + 1 if letter == "a" else 0
            if letter != "a":
                continue
            ends = 1 / (longest - count + 1) if count >= shortest else 1e-9
            outputs[row, step, :2] = torch.tensor([max(1 - ends, 1e-9), ends]).log()
            outputs[row, step, 2:] = -50
    return outputs


@pytest.mark.parametrize("language", ["anbn", "anbncn", "anb2n"])
def test_a_predictor_that_knows_the_sizes_reaches_the_lower_bound(language):
    task = Counting(language=language, strings=4, min_length=2, max_length=6)
    batch = task.batch(0, 600)
    scores = task.scores(optimal_outputs(task, batch, (2, 6)), batch)
    assert scores["cross_entropy"] == pytest.approx(task.lower_bound(), rel=0.01)
    assert task.lower_bound() == pytest.approx(math.log(5) / (4 * sum(REPEATS[language])))


def test_lower_bounds_of_the_default_sizes():
    assert Counting().lower_bound() == pytest.approx(math.log(18) / 21)
    two = sum(math.log(18) + math.log(n - 1) for n in range(2, 20)) / sum(2 * n for n in range(2, 20))
    assert Counting(language="anbmcnm").lower_bound() == pytest.approx(two)
    assert Memorisation().lower_bound() == pytest.approx((math.log(18) + 10.5 * math.log(4)) / 22)
    assert BinarySums().lower_bound() == 0


def test_both_counts_of_a_sum_are_uniform():
    task = Counting(language="anbmcnm", strings=1)
    counts = (task.batch(0, 3000, lengths=(5, 5)).inputs == 0).sum(1).bincount(minlength=6) / 3000
    assert counts[1:5].tolist() == pytest.approx([0.25] * 4, abs=0.04)
    assert counts[5] == 0


@pytest.mark.parametrize("lengths", [(1, 6), (60, 60), (250, 250)])
def test_a_stack_predicts_the_reverse(lengths):
    task = Memorisation(strings=3)
    batch = task.batch(0, 10, lengths=lengths)
    outputs, counted = torch.zeros(*batch.mask.shape, task.output_size), torch.zeros_like(batch.mask)
    for row, length in enumerate(batch.lengths.tolist()):
        stack, popping = [], False
        for step, symbol in enumerate(batch.inputs[row, :length].tolist()):
            if symbol == 0:
                popping = True
            elif popping:
                assert stack.pop() == symbol
            else:
                stack.append(symbol)
            if popping and stack:
                outputs[row, step, stack[-1]] = 1
                counted[row, step] = True
            popping = popping and bool(stack)
        assert not stack
    assert torch.equal(task.determined(batch.inputs, batch.lengths), counted)
    assert task.scores(outputs, batch)["accuracy"] == 1
    assert torch.equal(batch.targets[:, :-1][batch.mask[:, 1:]], batch.inputs[:, 1:][batch.mask[:, 1:]])
    broken = outputs.clone()
    broken[0, int(counted[0].int().argmax())] = 0
    broken[0, int(counted[0].int().argmax()), 0] = 1
    assert task.scores(broken, batch)["accuracy"] == pytest.approx(29 / 30)


def test_memorised_symbols_are_uniform():
    inputs = Memorisation(strings=1).batch(0, 600, lengths=(5, 5)).inputs[:, :5]
    assert (inputs.flatten().bincount(minlength=5)[1:] / 3000).tolist() == pytest.approx([0.25] * 4, abs=0.04)


@pytest.mark.parametrize("lengths", [(1, 3), (2, 19), (500, 500)])
def test_sums_are_those_of_integers(lengths):
    task = BinarySums(strings=3)
    batch = task.batch(0, 30 if lengths[1] < 500 else 2, lengths=lengths)
    for row, length in enumerate(batch.lengths.tolist()):
        text = text_of(task, batch, row)
        strings = text.split(".")
        assert strings.pop() == ""
        assert len(strings) == 3
        scored = []
        for string in strings:
            first, second, total = re.fullmatch(r"(0|1[01]*)\+(0|1[01]*)=([01]+)", string).groups()
            size = sum(len(number) for number in (first, second) if number != "0")
            assert lengths[0] <= size <= lengths[1]
            assert f"{int(first, 2) + int(second, 2):b}"[::-1] == total
            scored += [False] * (len(string) - len(total) - 1) + [True] * (len(total) + 1) + [False]
        assert batch.mask[row, :length].tolist() == scored
        targets = "".join(task.vocabulary[s] for s in batch.targets[row][batch.mask[row]].tolist())
        assert targets == "".join(string.split("=")[1] + "." for string in strings)
    assert task.scores(certain(batch, 5), batch)["accuracy"] == 1
    place = int(batch.mask[0].int().argmax())
    assert task.scores(certain(batch, 5, [(0, place)]), batch)["accuracy"] == 1 - 1 / (3 * len(batch))


def test_the_first_number_has_a_uniform_number_of_digits():
    task = BinarySums(strings=1)
    batch = task.batch(0, 3000, lengths=(2, 2))
    firsts = [text_of(task, batch, row).split("+")[0] for row in range(3000)]
    assert {first: firsts.count(first) / 3000 for first in set(firsts)} == pytest.approx(
        {"0": 1 / 3, "1": 1 / 3, "10": 1 / 6, "11": 1 / 6}, abs=0.04
    )


def test_bad_options_are_refused_in_one_sentence(shapes_unchecked):
    with pytest.raises(ValueError, match="language is 'abab', but it must be one of 'anbn', 'anbncn'"):
        Counting(language="abab")
    with pytest.raises(ValueError, match="strings is 0, but it must be at least 1; give a larger strings"):
        Memorisation(strings=0)
    with pytest.raises(ValueError, match="symbols is 0, but it must be at least 1"):
        Memorisation(symbols=0)
    with pytest.raises(ValueError, match="min_length is 1, but it must be at least 2"):
        Counting(language="anbmcnm", min_length=1)
    with pytest.raises(ValueError, match="max_length of BinarySums is 1, but min_length is 2"):
        BinarySums(max_length=1)
