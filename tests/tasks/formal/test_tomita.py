"""Tomita: members by the definitions of the languages, and the published numbers of members of each length."""

import itertools
import re

import pytest
import torch

from memtape.tasks.formal.tomita import AUTOMATA, Tomita

COUNTS = {
    (1, "later"): [1] * 11,
    (2, "later"): [1, 0] * 5 + [1],
    (3, "later"): [1, 2, 3, 6, 10, 18, 31, 54, 93, 160, 274],
    (3, "immediate"): [1, 2, 3, 6, 10, 18, 32, 56, 100, 176, 312],
    (4, "later"): [1, 2, 4, 7, 13, 24, 44, 81, 149, 274, 504],
    (5, "later"): [1, 0, 2, 0, 8, 0, 32, 0, 128, 0, 512],
    (6, "later"): [1, 0, 2, 2, 6, 10, 22, 42, 86, 170, 342],
    (7, "later"): [1, 2, 4, 8, 15, 26, 42, 64, 93, 130, 176],
}


def runs(text):
    return [(symbol, len(list(group))) for symbol, group in itertools.groupby(text)]


def later(text):
    odd = [symbol for symbol, count in runs(text) if count % 2]
    return "0" not in odd[odd.index("1") :] if "1" in odd else True


def immediate(text):
    return not any(a == "1" and m % 2 and n % 2 for (a, m), (_, n) in itertools.pairwise(runs(text)))


MEMBERS = {
    (1, "later"): lambda text: "0" not in text,
    (2, "later"): lambda text: re.fullmatch("(10)*", text) is not None,
    (3, "later"): later,
    (3, "immediate"): immediate,
    (4, "later"): lambda text: "000" not in text,
    (5, "later"): lambda text: text.count("0") % 2 == text.count("1") % 2 == 0,
    (6, "later"): lambda text: (text.count("0") - text.count("1")) % 3 == 0,
    (7, "later"): lambda text: re.fullmatch("0*1*0*1*", text) is not None,
}


@pytest.fixture(params=AUTOMATA, ids=[f"{number} {reading}" for number, reading in AUTOMATA])
def language(request):
    return request.param


def test_the_strings_up_to_length_10_are_those_of_the_definition(language):
    number, third = language
    task = Tomita(number=number, third=third)
    for length, expected in enumerate(COUNTS[language]):
        count = 0
        for symbols in itertools.product("01", repeat=length):
            accepted = task.accepted(torch.tensor([int(symbol) for symbol in symbols], dtype=torch.long))
            assert accepted == MEMBERS[language]("".join(symbols))
            count += accepted
        assert count == expected


def test_the_two_readings_of_language_3_differ_first_at_length_6():
    first = torch.tensor([1, 0, 0, 1, 1, 0])
    assert Tomita(number=3, third="immediate").accepted(first)
    assert not Tomita(number=3).accepted(first)


@pytest.mark.parametrize(("lengths", "rows"), [((1, 12), 20), ((500, 500), 1)])
def test_each_prefix_is_classified_by_the_definition(language, lengths, rows):
    number, third = language
    task = Tomita(number=number, third=third)
    batch = task.batch(0, rows, lengths=lengths)
    outputs = torch.zeros(*batch.mask.shape, 2)
    for row, steps in enumerate(batch.lengths.tolist()):
        text = "".join("01^"[symbol] for symbol in batch.inputs[row, :steps].tolist())
        assert text[0] == "^"
        assert "^" not in text[1:]
        for step in range(steps):
            outputs[row, step, int(MEMBERS[language](text[1 : step + 1]))] = 1
    assert task.scores(outputs, batch) == {"prefix_accuracy": 1.0, "accuracy": 1.0}


def test_half_of_the_strings_are_uniform_among_those_that_can_be_continued():
    rows = 6000
    inputs = Tomita(number=4).batch(0, rows, lengths=(4, 4)).inputs[:, 1:]
    counts = (inputs * torch.tensor([8, 4, 2, 1])).sum(1).bincount(minlength=16) / rows
    for number in range(16):
        live = "000" not in f"{number:04b}"
        assert counts[number] == pytest.approx(0.5 / 16 + live * 0.5 / 13, abs=0.015)
    alternating = Tomita(number=2).batch(0, 1000, lengths=(15, 15)).inputs[:, 1:]
    assert (alternating == torch.tensor([1, 0] * 7 + [1])).all(1).float().mean() == pytest.approx(0.5, abs=0.07)


def test_a_string_with_one_wrong_prefix_is_wrong():
    task = Tomita()
    batch = task.batch(0, 5, lengths=(9, 9))
    outputs = torch.nn.functional.one_hot(batch.targets, 2).float()
    outputs[2, 4] = outputs[2, 4].flip(0)
    assert task.scores(outputs, batch) == {"prefix_accuracy": 49 / 50, "accuracy": 4 / 5}


def test_bad_options_are_refused_in_one_sentence(shapes_unchecked):
    with pytest.raises(ValueError, match="number is 8, but the languages of Tomita are 1 to 7; give one of these"):
        Tomita(number=8)
    with pytest.raises(ValueError, match="third is 'soon', but it must be one of 'later', 'immediate'; choose one"):
        Tomita(third="soon")
    with pytest.raises(ValueError, match="max_length of Tomita is 2, but min_length is 3"):
        Tomita(min_length=3, max_length=2)


def test_the_symbol_before_words_is_that_of_the_batches():
    task = Tomita(number=2)
    inputs = task.batch(0, 8).inputs
    before, after = task.around_words
    assert after is None
    assert (inputs[:, 0] == task.vocabulary.index(before)).all()
    assert (inputs[:, 1:] != task.vocabulary.index(before)).all()
