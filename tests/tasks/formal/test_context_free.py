"""Context-free languages: members by independent recognisers, probabilities by counting, and the published lower bounds."""

import itertools
import math
import re

import pytest
import torch

from memtape.tasks.formal.context_free import ContextFree
from memtape.tasks.formal.grammar.languages import TERMINALS


def texts(task, batch):
    for row, steps in enumerate(batch.lengths.tolist()):
        inputs = "".join(task.vocabulary[symbol] for symbol in batch.inputs[row, :steps].tolist())
        targets = "".join(task.vocabulary[symbol] for symbol in batch.targets[row, :steps].tolist())
        assert inputs[0] == targets[-1] == "|"
        assert inputs[1:] == targets[:-1]
        assert batch.mask[row].sum() == steps
        yield targets[:-1]


def nested(text):
    """Return whether brackets are well nested and not empty."""
    shorter = re.sub(r"\(\)|\[\]", "", text)
    while shorter != text:
        text, shorter = shorter, re.sub(r"\(\)|\[\]", "", shorter)
    return not text


def hardest(text):
    """Return whether one alternative of each block, a marker at the start of the first, gives nested brackets.

    Each stack is what remains of the chosen brackets; all stacks are followed at once.
    """
    if not text.endswith(";"):
        return False
    stacks = {None}
    for block in text[:-1].split(";"):
        reached = set()
        for choice in block.split(","):
            for stack in stacks:
                if stack is None and not choice.startswith("$"):
                    continue
                left = "" if stack is None else stack
                for bracket in choice[1:] if stack is None else choice:
                    if bracket in "([":
                        left += bracket
                    elif bracket == "$" or not left or left[-1] + bracket not in ("()", "[]"):
                        break
                    else:
                        left = left[:-1]
                else:
                    reached.add(left)
        stacks = reached
    return "" in stacks


MEMBERS = {
    "marked-reversal": lambda text: re.fullmatch("[01]*#[01]*", text) is not None and text == text[::-1],
    "unmarked-reversal": lambda text: len(text) % 2 == 0 and text == text[::-1],
    "padded-reversal": lambda text: text == text[::-1],
    "brackets": nested,
    "hardest": hardest,
}


@pytest.mark.parametrize("language", MEMBERS)
@pytest.mark.parametrize(("lengths", "rows"), [((5, 12), 60), ((40, 80), 20), ((499, 500), 1)])
def test_every_string_belongs_to_its_language(language, lengths, rows):
    task = ContextFree(language=language, same_length=False)
    if language == "hardest" and lengths[0] > 400:
        lengths = (120, 128)
    for text in texts(task, task.batch(0, rows, lengths=lengths)):
        assert MEMBERS[language](text)


def test_the_recognisers_are_correct():
    assert hardest(",$(,[;],),;")
    assert hardest("a,$(),b;".replace("a", "(").replace("b", "]"))
    assert not hardest(",$(,[;],(,;")
    assert not hardest(",(),;")
    assert nested("([]())[]")
    assert not nested("([)]")


def cost(task, lengths, rows):
    """Return the lower bound of strings of a range, in nats per symbol."""
    batch = task.batch(0, rows, lengths=lengths)
    return sum(task.lowest_nats(batch)) / float(batch.mask.sum())


BOUNDS = {  # nats per symbol at lengths 40-80 and 40-100
    "marked-reversal": (0.38432, 0.38472),
    "unmarked-reversal": (0.39080, 0.39006),
    "padded-reversal": (0.3165, 0.3165),
    "brackets": (0.68850, 0.69936),
}


@pytest.mark.parametrize("language", ["marked-reversal", "unmarked-reversal"])
def test_the_lower_bounds_of_reversals_are_exact(language):
    for longest, expected in zip((80, 100), BOUNDS[language], strict=True):
        task = ContextFree(language=language, max_length=longest)
        odd = language == "marked-reversal"
        costs = {n: task.lowest_nats(task.batch(0, 1, lengths=(n, n)))[0] for n in range(40 + odd, longest + 1, 2)}
        assert all(c == pytest.approx(n // 2 * math.log(2) + math.log(len(costs))) for n, c in costs.items())
        assert sum(costs.values()) / sum(n + 1 for n in costs) == pytest.approx(expected, abs=5e-6)


def bracket_entropies(longest):
    """Return the entropy of the derivations, one for each string of brackets, of each length, and of the whole range."""
    more = 1 - 1 / 40
    pair, single, entropies = [0.0] * (longest + 1), [0.0] * (longest + 1), {}
    cost_of_pair, cost_of_single = [0.0] * (longest + 1), [0.0] * (longest + 1)  # sums of -weight ln weight

    def plus(terms):
        terms = [(w, c) for w, c in terms if w > 0]
        return sum(w for w, _ in terms), sum(c for _, c in terms)

    def times(factor, *parts):
        weight = factor * math.prod(w for w, _ in parts)
        inner = sum(
            c * factor * math.prod(w for j, (w, _) in enumerate(parts) if j != i) for i, (_, c) in enumerate(parts)
        )
        return weight, inner - weight * math.log(factor)

    for n in range(2, longest + 1, 2):
        own = [times(1 - more, (1.0, 0.0))] * 2 if n == 2 else [times(more, (single[n - 2], cost_of_single[n - 2]))] * 2
        pair[n], cost_of_pair[n] = plus(own)
        joined = [
            times(0.5, (single[k], cost_of_single[k]), (pair[n - k], cost_of_pair[n - k])) for k in range(2, n, 2)
        ]
        single[n], cost_of_single[n] = plus([*joined, times(0.5, (pair[n], cost_of_pair[n]))])
        entropies[n] = cost_of_single[n] / single[n] + math.log(single[n])
    return entropies


def test_the_lower_bound_of_brackets_is_the_entropy_of_their_derivations():
    entropies = bracket_entropies(100)
    for longest, expected in zip((80, 100), BOUNDS["brackets"], strict=True):
        lengths = range(40, longest + 1, 2)
        nats = sum(entropies[n] + math.log(len(lengths)) for n in lengths)
        assert nats / sum(n + 1 for n in lengths) == pytest.approx(expected, abs=5e-6)
    task = ContextFree(language="brackets", same_length=False)
    batch = task.batch(0, 100, lengths=(60, 60))
    nats = torch.tensor(task.lowest_nats(batch))
    expected = entropies[60] + math.log(21)
    assert abs(nats.mean() - expected) < 4 * nats.std() / 10


def test_the_lower_bound_of_padded_reversal_is_the_published_one():
    task = ContextFree(language="padded-reversal", same_length=False)
    assert cost(task, (40, 80), 200) == pytest.approx(BOUNDS["padded-reversal"][0], abs=0.004)


@pytest.mark.slow
def test_the_lower_bound_of_the_hardest_language_is_the_published_one():
    task = ContextFree(language="hardest", same_length=False)
    assert cost(task, (40, 80), 150) == pytest.approx(1.423, abs=0.03)


@pytest.mark.parametrize("language", ["padded-reversal", "hardest"])
def test_probabilities_of_all_strings_of_one_length_add_up_to_1(language):
    size = 6 if language == "hardest" else 8
    task = ContextFree(language=language, min_length=size, max_length=size)
    letters = len(TERMINALS[language])
    members = [
        text
        for text in itertools.product(range(letters), repeat=size)
        if MEMBERS[language]("".join(TERMINALS[language][symbol] for symbol in text))
    ]
    strings = torch.tensor(members) + 1
    batch = task.batch(0, len(members))
    targets = torch.cat([strings, torch.zeros(len(members), 1, dtype=torch.long)], 1)
    batch = type(batch)(inputs=batch.inputs, targets=targets, mask=batch.mask, lengths=batch.lengths)
    assert sum(math.exp(-nats) for nats in task.lowest_nats(batch)) == pytest.approx(1)


def palindrome_outputs(task, batch, length):
    """Return the log-probabilities of the best predictor of unmarked reversal at one known length."""
    outputs = torch.zeros(*batch.mask.shape, task.output_size, dtype=torch.float64)
    outputs[..., 0] = -40
    for row, text in enumerate(texts(task, batch)):
        for step in range(length // 2, length):
            outputs[row, step, 1:] = -40
            outputs[row, step, 1 + int(text[length - 1 - step])] = 0
        outputs[row, length] = torch.tensor([0, -40, -40])
    return outputs


@pytest.mark.parametrize("length", [10, 500])
def test_the_best_predictor_has_no_excess_and_others_have_some(length):
    task = ContextFree(language="unmarked-reversal", min_length=length, max_length=length)
    batch = task.batch(0, 3)
    best = palindrome_outputs(task, batch, length)
    scores = task.scores(best, batch)
    assert scores["excess"] == pytest.approx(0, abs=1e-9)
    assert scores["cross_entropy"] == pytest.approx(length // 2 * math.log(2) / (length + 1))
    assert task.scores(torch.zeros_like(best), batch)["excess"] > 0.5
    assert task.chance((10, 10))["cross_entropy"] == pytest.approx(math.log(3))


def test_the_bound_of_other_lengths_is_that_of_a_network_which_knows_the_training_lengths():
    task = ContextFree(language="unmarked-reversal")
    (nats,) = task.lowest_nats(task.batch(0, 1, lengths=(100, 100)))
    assert nats == pytest.approx(50 * math.log(2) + math.log(21))


def test_lengths_are_uniform_over_the_valid_ones_and_shared_by_a_batch():
    task = ContextFree(min_length=4, max_length=9)
    drawn = [task.batch(index, 3).lengths for index in range(60)]
    assert all(lengths.unique().numel() == 1 for lengths in drawn)
    assert {int(lengths[0]) - 1 for lengths in drawn} == {5, 7, 9}
    mixed = ContextFree(min_length=4, max_length=9, same_length=False).batch(0, 3000).lengths.bincount(minlength=11)
    assert (mixed[[6, 8, 10]] / 3000).tolist() == pytest.approx([1 / 3] * 3, abs=0.045)
    assert task.batch(0, 2, lengths=(6, 6)).lengths.tolist() == [6, 6]


def test_bad_options_are_refused_in_one_sentence(shapes_unchecked):
    with pytest.raises(ValueError, match="language is 'copy', but it must be one of 'marked-reversal', 'unmarked"):
        ContextFree(language="copy")
    with pytest.raises(
        ValueError, match="the longest length is 2, but every string of hardest is longer; give a larger length"
    ):
        ContextFree(language="hardest", min_length=1, max_length=2)
    with pytest.raises(ValueError, match="the longest length is 1, but every string of brackets is longer"):
        ContextFree(language="brackets").batch(0, 2, lengths=(1, 1))
    with pytest.raises(ValueError, match="max_length of ContextFree is 4, but min_length is 6 and must not be larger"):
        ContextFree(min_length=6, max_length=4)
