"""Undo: targets by replaying the instructions with a list, and the frequencies of instructions."""

import pytest
import torch

from memtape.tasks.formal.undo import CHANCES, Undo


def replay(text):
    """Return the targets of the reads, and the numbers of writes on the stack before each instruction, by its letter."""
    stack, reads, depths, place = [], [], [], 0
    while place < len(text):
        letter = text[place]
        depths.append((letter, len(stack)))
        if letter in "wi":
            if letter == "w":
                stack.append(text[place + 1])
            place += 2
            continue
        if letter == "u":
            stack.pop()
            assert stack
        else:
            assert letter == "r"
            reads.append(stack[-1])
        place += 1
    return reads, depths


def text_of(task, batch, row):
    return "".join(task.vocabulary[symbol] for symbol in batch.inputs[row, : int(batch.lengths[row])].tolist())


@pytest.mark.parametrize("strings", ["published", "deep", "probe"])
@pytest.mark.parametrize(("lengths", "rows"), [((1, 50), 60), ((51, 100), 20), ((500, 500), 2)])
def test_a_list_finds_the_bit_of_each_read(strings, lengths, rows):
    task = Undo(strings=strings)
    batch = task.batch(0, rows, lengths=lengths)
    outputs = torch.zeros(*batch.mask.shape, 2)
    for row, steps in enumerate(batch.lengths.tolist()):
        text = text_of(task, batch, row)
        reads, _ = replay(text)
        assert text.startswith("w")
        assert text.endswith("r")
        places = batch.mask[row].nonzero()[:, 0]
        assert places.tolist() == [place for place, letter in enumerate(text) if letter == "r"]
        outputs[row, places, torch.tensor([int(bit) for bit in reads])] = 1
        if strings != "probe":
            assert lengths[0] - 1 <= steps <= max(lengths[1], 3)
    assert task.scores(outputs, batch) == {"accuracy": 1.0}
    assert batch.inputs.shape[1] == int(batch.lengths.max())


def test_a_probe_reads_and_undoes_each_write():
    task = Undo(strings="probe")
    batch = task.batch(0, 20, lengths=(4, 4))
    for row in range(20):
        text = text_of(task, batch, row)
        bits = text[1:8:2]
        assert text == "w" + "w".join(bits) + "rururur"
        assert replay(text)[0] == list(bits[::-1])


@pytest.mark.parametrize("strings", ["published", "deep"])
def test_instructions_have_their_probabilities(strings):
    write, ignore, read, undo = CHANCES[strings]
    expected = {1: {"w": write + undo, "i": ignore, "r": read}, 2: {"w": write, "i": ignore, "r": read, "u": undo}}
    task = Undo(strings=strings)
    counts = {1: dict.fromkeys("wiru", 0), 2: dict.fromkeys("wiru", 0)}
    batch = task.batch(0, 400, lengths=(60, 60))
    for row in range(400):
        for letter, depth in replay(text_of(task, batch, row)[:50].rstrip("wi"))[1][1:]:
            counts[min(depth, 2)][letter] += 1
    for depth, found in counts.items():
        total = sum(found.values())
        for letter, count in found.items():
            assert count / total == pytest.approx(expected[depth].get(letter, 0), abs=0.03)


def test_a_single_symbol_before_the_last_read_is_a_read_or_an_undo():
    task = Undo(strings="deep")
    batch = task.batch(0, 4000, lengths=(6, 6))  # w b w b, and one symbol before the last read
    texts = [text_of(task, batch, row) for row in range(4000)]
    two = [text for text in texts if text[2] == "w"]
    assert {text[4:] for text in two} == {"r", "ur"}
    assert sum(text.endswith("ur") for text in two) / len(two) == pytest.approx(1 / 2, abs=0.05)
    assert {text[4:] for text in texts if text[2] == "i"} == {"r"}


def test_bits_are_uniform_and_the_shortest_string_has_three_symbols():
    task = Undo()
    batch = task.batch(0, 2000, lengths=(1, 3))
    assert batch.lengths.tolist() == [3] * 2000
    assert batch.inputs[:, 1].float().mean() == pytest.approx(0.5, abs=0.05)
    assert task.chance((1, 50)) == {"accuracy": 0.5}


def test_bad_options_are_refused_in_one_sentence(shapes_unchecked):
    with pytest.raises(ValueError, match="strings is 'shallow', but it must be one of 'published', 'deep', 'probe'"):
        Undo(strings="shallow")
    with pytest.raises(ValueError, match="max_length of Undo is 2, but min_length is 3"):
        Undo(min_length=3, max_length=2)
