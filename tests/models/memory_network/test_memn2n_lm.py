"""The end-to-end memory network as a language model, by the letter of the paper."""

import math

import pytest
import torch

from memtape import generate, tree, use_backend
from memtape.models.memory_network import sliding_memory
from memtape.models.memory_network.memn2n_lm import MemN2NLanguageModel

SYMBOLS, D, SLOTS, HOPS = 6, 4, 3, 2
TEXT = [4, 0, 5, 5, 1, 2, 0, 3]


@pytest.fixture
def net():
    torch.manual_seed(3)
    return MemN2NLanguageModel(SYMBOLS, SYMBOLS, embedding_size=D, hops=HOPS, memory_size=SLOTS, spread=0.7).double()


def by_the_letter(net, read):
    """Return the logits after the symbols read so far, and the weights of each hop, with loops over numbers."""
    table = net.cell.table.tolist()
    cell = net.cell.cell
    key_times, value_times = cell.key_times.tolist(), cell.value_times.tolist()
    turn, to_output = cell.turn.weight.tolist(), cell.to_output.weight.tolist()
    memory = read[-SLOTS:]
    first = SLOTS - len(memory)  # the newest symbol has the last row of times
    keys = [[table[x][k] + key_times[first + i][k] for k in range(D)] for i, x in enumerate(memory)]
    values = [[table[x][D + k] + value_times[first + i][k] for k in range(D)] for i, x in enumerate(memory)]
    u, looked = [0.1] * D, []
    for _ in range(HOPS):
        scores = [sum(a * b for a, b in zip(m, u, strict=True)) for m in keys]
        total = sum(map(math.exp, scores))
        p = [math.exp(score) / total for score in scores]
        found = [sum(p[i] * values[i][k] for i in range(len(memory))) for k in range(D)]
        u = [sum(turn[k][other] * u[other] for other in range(D)) + found[k] for k in range(D)]
        u = [value if k < D // 2 else max(value, 0.0) for k, value in enumerate(u)]
        looked.append([0.0] * first + p)
    return [sum(a * b for a, b in zip(row, u, strict=True)) for row in to_output], looked


@pytest.mark.parametrize("backend", ["reference", "scan"])
def test_every_number_is_that_of_the_equations(net, backend):
    with use_backend(backend):
        logits, _ = net(torch.tensor([TEXT]))
    expected = [by_the_letter(net, TEXT[: t + 1])[0] for t in range(len(TEXT))]
    torch.testing.assert_close(logits[0], torch.tensor(expected, dtype=torch.float64))


def test_a_trace_shows_the_weights_of_each_hop(net):
    shown = net.trace(torch.tensor([TEXT]))["read_weights"]
    expected = torch.tensor([by_the_letter(net, TEXT[: t + 1])[1] for t in range(len(TEXT))])
    assert shown.shape == (len(TEXT), HOPS, SLOTS)
    torch.testing.assert_close(torch.as_tensor(shown), expected, check_dtype=False)


def test_a_golden_network_of_one_entry():
    # One entry in each vector, which is behind the ReLU: every number can be found with pen and paper.
    net = MemN2NLanguageModel(2, 2, embedding_size=1, hops=2, memory_size=2).double()
    cell = net.cell.cell
    with torch.no_grad():
        net.cell.table.copy_(torch.tensor([[10.0, 1.0], [0.0, 3.0]]))  # keys 10 and 0, values 1 and 3
        cell.key_times.copy_(torch.tensor([[0.0], [10.0]]))
        cell.value_times.copy_(torch.tensor([[0.0], [0.5]]))
        cell.turn.weight.fill_(10.0)
        cell.to_output.weight.copy_(torch.tensor([[1.0], [-2.0]]))
    # Symbols 0, 1: keys 10 + 0 and 0 + 10, values 1 and 3.5; equal scores, so that both hops find 2.25.
    # u = 0.1, then 10 * 0.1 + 2.25 = 3.25, then 10 * 3.25 + 2.25 = 34.75.
    logits, _ = net(torch.tensor([[0, 1]]))
    torch.testing.assert_close(logits[0, 1], torch.tensor([34.75, -69.5], dtype=torch.float64))
    # Alone in the memory, symbol 0 has the newest row: value 1.5, u = 1 + 1.5 = 2.5, then 25 + 1.5 = 26.5.
    torch.testing.assert_close(logits[0, 0], torch.tensor([26.5, -53.0], dtype=torch.float64))
    with torch.no_grad():
        cell.turn.weight.fill_(-100.0)  # u = -10 + 1.5 is cut to 0, and then 1.5 is found
    torch.testing.assert_close(net(torch.tensor([[0]]))[0][0, 0], torch.tensor([1.5, -3.0], dtype=torch.float64))


@pytest.mark.parametrize("chunk", [1, 2, 64])
def test_padding_changes_nothing_whatever_the_chunk(net, monkeypatch, chunk, equal_up_to_rounding):
    monkeypatch.setattr(sliding_memory, "LEAST_CHUNK", chunk)
    symbols = torch.tensor([TEXT, [1, 3, 99, 99, -1, 7, 7, 7], [0] * 8])
    with use_backend("scan"):
        padded, last = net(symbols, lengths=[8, 2, 0])
        for row, text in enumerate([TEXT, [1, 3]]):
            alone, end = net(torch.tensor([text]))
            equal_up_to_rounding(padded[row, : len(text)], alone[0])
            equal_up_to_rounding(tree.rows(last, row, row + 1), end)
    assert padded[1, 2:].abs().sum() == padded[2].abs().sum() == 0
    assert last.count.tolist() == [3, 2, 0]


@pytest.mark.parametrize("cut", [1, 2, 5, 7])
def test_carried_over_a_cut_the_outputs_are_those_of_the_whole(net, cut, equal_up_to_rounding):
    text = torch.tensor([TEXT, TEXT[::-1]])
    whole, last = net(text)
    first, state = net(text[:, :cut])
    second, end = net(text[:, cut:], state)
    equal_up_to_rounding(torch.cat([first, second], dim=1), whole)
    equal_up_to_rounding(end, last)


def test_the_network_forgets_what_is_older_than_its_memory(net, equal_up_to_rounding):
    other = torch.tensor([[3, 3, 1, *TEXT[3:]]])
    first, second = net(torch.tensor([TEXT]))[0][0], net(other)[0][0]
    equal_up_to_rounding(first[5:], second[5:])
    assert not torch.isclose(first[4], second[4]).any()


def test_generation_reads_only_the_state(net):
    prompt = torch.tensor([TEXT])
    found = generate(net, prompt, steps=4, temperature=0.0)[0].tolist()
    text = list(TEXT)
    for symbol in found:
        logits = by_the_letter(net, text)[0]
        assert symbol == logits.index(max(logits))
        text.append(symbol)


def test_the_memory_of_the_steps_has_no_axis_of_slots_by_entries():
    net, elements = MemN2NLanguageModel(9, 9, embedding_size=50, hops=1, memory_size=100), []
    text = torch.zeros(2, 300, dtype=torch.long)

    def count(tensor):
        elements.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        net(text)
    assert elements
    assert max(elements) <= 2 * (300 + 100) * 2 * 50 < 2 * 300 * 100 * 50 / 10


def test_sizes_are_checked(shapes_unchecked):
    with pytest.raises(ValueError, match="memory_size of SlidingMemoryCell is 0, but it must be at least 1"):
        MemN2NLanguageModel(3, 3, memory_size=0)
    with pytest.raises(ValueError, match="spread is 0, but it must be"):
        MemN2NLanguageModel(3, 3, spread=0)
