"""Transduction: targets from sources in plain Python, by slices, and by the words of the two grammars."""

import pytest
import torch

from memtape.tasks.formal.transduction import Transduction

KINDS = ("copy", "reversal", "bigram-flip", "svo-sov", "gender")
GERMAN = {"or": "oder", "and": "und"}
ARTICLES = {"the": {"m": "der", "f": "die", "n": "das"}, "a": {"m": "ein", "f": "eine", "n": "ein"}}


def translated_order(words):
    """Move the verb of the sentence, the only one without a relative pronoun before it, to the end."""
    open_clauses, place = 0, None
    for at, word in enumerate(words):
        if word == "rpi":
            open_clauses += 1
        elif word[0] == "v" and open_clauses:
            open_clauses -= 1
        elif word[0] == "v":
            assert place is None
            place = at
    assert place is not None
    assert not open_clauses
    return words[:place] + words[place + 1 :] + [words[place]]


def german(words):
    return [
        ARTICLES[word][words[at + 1][0]] if word in ARTICLES else GERMAN.get(word, word.replace("i", "o"))
        for at, word in enumerate(words)
    ]


ORACLES = {
    "copy": lambda words: [word.replace("s", "t") for word in words],
    "reversal": lambda words: [word.replace("s", "t") for word in words[::-1]],
    "bigram-flip": lambda words: [words[at + 1 - 2 * (at % 2)].replace("s", "t") for at in range(len(words))],
    "svo-sov": lambda words: [word.replace("i", "o") for word in translated_order(words)],
    "gender": german,
}


def read(task, batch, row):
    """Return the source and the scored target of a row as words."""
    scored = batch.mask[row]
    if hasattr(batch.inputs, "source"):
        source = batch.inputs.source[row, : int(batch.inputs.source_lengths[row])]
    else:
        source = batch.inputs[row, : int(scored.int().argmax())]
    return tuple([task.vocabulary[s] for s in symbols.tolist()] for symbols in (source, batch.targets[row][scored]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["sequences", "pairs"])
@pytest.mark.parametrize(("lengths", "rows"), [((2, 9), 40), ((17, 32), 20), ((499, 500), 2)])
def test_targets_are_those_of_the_oracle(kind, form, lengths, rows):
    task = Transduction(transduction=kind)
    batch = task.batch(
        0, rows, lengths=lengths if kind != "gender" else (max(lengths[0], 5), lengths[1]), input_kind=form
    )
    sizes = set()
    for row in range(rows):
        source, target = read(task, batch, row)
        assert target == [*ORACLES[kind](source), "|"]
        assert int(batch.lengths[row]) == len(target) + (len(source) if form == "sequences" else 0)
        sizes.add(len(source))
    assert sizes <= set(range(lengths[0], lengths[1] + 1))
    assert len(sizes) >= (4 if rows > 2 else 1)
    outputs = torch.nn.functional.one_hot(batch.targets, task.output_size).float()
    assert task.scores(outputs, batch) == {"fine": 1.0, "coarse": 1.0}


def test_the_oracles_are_correct():
    assert ORACLES["bigram-flip"](["s1", "s2", "s3", "s4"]) == ["t2", "t1", "t4", "t3"]
    assert ORACLES["svo-sov"](["si1", "rpi", "si2", "vi3", "vi1", "oi9"]) == ["so1", "rpo", "so2", "vo3", "oo9", "vo1"]
    assert german(["the", "fi1", "and", "a", "ni2"]) == ["die", "fo1", "und", "ein", "no2"]


def test_a_sequence_is_source_boundary_and_target_shifted_by_one_step():
    task = Transduction(transduction="copy", symbols=3)
    batch = task.batch(0, 1, lengths=(3, 3))
    source = batch.inputs[0, :3]
    assert batch.inputs[0].tolist() == [*source.tolist(), 0, *(source + 3).tolist()]
    assert batch.targets[0].tolist() == [0, 0, 0, *(source + 3).tolist(), 0]
    assert batch.mask[0].tolist() == [False] * 3 + [True] * 4
    pairs = task.batch(0, 1, lengths=(3, 3), input_kind="pairs")
    assert torch.equal(pairs.inputs.source[0], source)
    assert pairs.inputs.given[0].tolist() == [0, *(source + 3).tolist()]


@pytest.mark.parametrize("form", ["sequences", "pairs"])
def test_fine_counts_the_symbols_before_the_first_error(form):
    task = Transduction(transduction="copy")
    batch = task.batch(0, 4, lengths=(4, 4), input_kind=form)
    outputs = torch.nn.functional.one_hot(batch.targets, task.output_size).float()
    first = int(batch.mask[0].int().argmax())
    outputs[1, first + 2] = outputs[1, first + 2].roll(1)
    outputs[1, first + 4] = outputs[1, first + 4].roll(1)
    outputs[2, first] = outputs[2, first].roll(1)
    assert task.scores(outputs, batch) == {"fine": pytest.approx((1 + 2 / 5 + 0 + 1) / 4), "coarse": 2 / 4}


def test_sizes_of_vocabularies():
    assert Transduction(symbols=128).input_size == 257
    assert Transduction(transduction="svo-sov").input_size == 1 + 2 * (3 * 33 + 1)
    assert Transduction(transduction="gender").input_size == 1 + (4 + 100) + (7 + 100)


def test_symbols_and_words_are_uniform():
    task = Transduction(symbols=4)
    sources = task.batch(0, 1000, lengths=(4, 4)).inputs[:, :4]
    assert (sources.flatten().bincount(minlength=5)[1:] / 4000).tolist() == pytest.approx([1 / 4] * 4, abs=0.035)
    sentences = Transduction(transduction="svo-sov").batch(0, 3000, lengths=(3, 3)).inputs
    assert len(sentences[:, 0].unique()) == 33
    articles = Transduction(transduction="gender").batch(0, 3000, lengths=(5, 5), input_kind="pairs")
    first = articles.targets[:, 0].tolist()
    counts = {symbol: first.count(symbol) / 3000 for symbol in set(first)}
    assert sorted(counts.values()) == pytest.approx([1 / 6] * 4 + [1 / 3], abs=0.04)


def test_rules_of_subjects_have_their_weights():
    """Of length 4: s s v o, s v o o; the clauses need more words."""
    task = Transduction(transduction="svo-sov")
    batch = task.batch(0, 2000, lengths=(4, 4))
    verb_second = sum(read(task, batch, row)[0][1][0] == "v" for row in range(2000)) / 2000
    assert verb_second == pytest.approx(1 / 2, abs=0.05)


def test_flipped_pairs_have_even_lengths():
    task = Transduction(transduction="bigram-flip")
    assert set((task.batch(0, 300, lengths=(3, 9)).lengths // 2).tolist()) == {4, 6, 8}
    assert (task.batch(0, 3, lengths=(5, 5)).lengths // 2).tolist() == [4, 4, 4]


def test_bad_options_are_refused_in_one_sentence(shapes_unchecked):
    with pytest.raises(ValueError, match="transduction is 'sort', but it must be one of 'copy', 'reversal'"):
        Transduction(transduction="sort")
    with pytest.raises(ValueError, match="symbols is 0, but it must be at least 1; give a larger symbols"):
        Transduction(symbols=0)
    with pytest.raises(
        ValueError, match="the longest length is 1, but bigram-flip swaps pairs of symbols; give at least 2"
    ):
        Transduction(transduction="bigram-flip").batch(0, 1, lengths=(1, 1))
    with pytest.raises(
        ValueError, match="the longest length is 4, but every string of gender is longer; give a larger"
    ):
        Transduction(transduction="gender", max_length=4)
    with pytest.raises(ValueError, match="max_length of Transduction is 3, but min_length is 4"):
        Transduction(max_length=3)
