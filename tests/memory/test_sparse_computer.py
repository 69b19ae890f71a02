"""The SDNC: a scalar implementation of its links, and invariants of every step."""

import dataclasses

import pytest
import torch

from memtape import ops
from memtape.memory import LinkLists, SparseAccessState, SparseComputerInterface, SparseComputerMemory
from memtape.models.sam.sdnc import SDNC

BATCH, SLOTS, WIDTH, HEADS, HIDDEN = 2, 9, 3, 2, 4


def parts(**options):
    """Return a memory in float64, its state after some steps, and a control for the next one."""
    torch.manual_seed(3)
    usual = {"heads": HEADS, "nearest": 3, "links": 3, "initial_memory": "random"}
    memory = SparseComputerMemory(SLOTS, WIDTH, **(usual | options)).double()
    interface = SparseComputerInterface(HIDDEN, WIDTH, heads=memory.heads).double()
    state = memory.init_state(BATCH, dtype=torch.float64)
    for _ in range(5):
        _, state = memory(interface(torch.randn(BATCH, HIDDEN, dtype=torch.float64)), state)
    return memory, state, interface(torch.randn(BATCH, HIDDEN, dtype=torch.float64))


def matrix(part, row):
    """Return lists as a matrix of Python numbers."""
    found = [[0.0] * SLOTS for _ in part.places[row]]
    for i, (places, weights) in enumerate(zip(part.places[row].tolist(), part.weights[row].tolist(), strict=True)):
        for place, weight in zip(places, weights, strict=True):
            found[i][int(place)] += weight
    return found


def only_largest(numbers, count):
    chosen = sorted(range(len(numbers)), key=lambda i: -numbers[i])[:count]
    return [number if i in chosen else 0.0 for i, number in enumerate(numbers)]


def close(part, row, expected):
    actual = torch.tensor(matrix(part, row), dtype=torch.float64)
    torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("heads", [1, 2])
def test_links_compute_the_paper_s_equations(heads):
    memory, state, control = parts(heads=heads)
    access = SparseAccessState(memory=state.memory, read_weights=state.read_weights, usage=state.usage)
    written = memory.access.writing(control.access, access)[1].sum(1)
    after = memory.write(control, state).links
    for row in range(BATCH):
        w = written[row].tolist()
        w = [value / max(1.0, sum(w)) for value in w]
        last = [0.0] * SLOTS
        for place, weight in zip(
            state.links.last.places[row].tolist(), state.links.last.weights[row].tolist(), strict=True
        ):
            last[int(place)] += weight
        before, following = matrix(state.links.before, row), matrix(state.links.after, row)
        expected = {"before": [], "after": []}
        for i in range(SLOTS):
            new = [(1 - w[i]) * before[i][j] + (w[i] * last[j] if j != i else 0.0) for j in range(SLOTS)]
            expected["before"].append(only_largest(new, 3))
            new = [(1 - w[j]) * following[i][j] + (w[j] * last[i] if j != i else 0.0) for j in range(SLOTS)]
            expected["after"].append(only_largest(new, 3))
        close(after.before, row, expected["before"])
        close(after.after, row, expected["after"])
        p = only_largest([(1 - sum(w)) * last[i] + w[i] for i in range(SLOTS)], 3)
        actual = torch.zeros(SLOTS, dtype=torch.float64)
        actual.index_add_(0, after.last.places[row].long(), after.last.weights[row])
        torch.testing.assert_close(actual, torch.tensor(p, dtype=torch.float64), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("heads", [1, 2])
def test_reads_blend_backward_content_and_forward(heads):
    memory, state, control = parts(heads=heads)
    after = memory.address(control, state)
    content = ops.nearest_weights(state.memory, control.access.keys, control.access.strengths, 3)
    for row in range(BATCH):
        before, following = matrix(state.links.before, row), matrix(state.links.after, row)
        for head in range(heads):
            w, modes = state.read_weights[row, head].tolist(), control.read_modes[row, head].tolist()
            blend = [
                modes[0] * sum(w[j] * before[j][i] for j in range(SLOTS))
                + modes[1] * content[row, head, i].item()
                + modes[2] * sum(w[j] * following[j][i] for j in range(SLOTS))
                for i in range(SLOTS)
            ]
            expected = torch.tensor(only_largest(blend, 3), dtype=torch.float64)
            torch.testing.assert_close(after.read_weights[row, head], expected, rtol=1e-12, atol=1e-12)


def test_backward_and_forward_links_are_transposes_if_nothing_is_dropped():
    _, state, _ = parts(links=SLOTS)
    for row in range(BATCH):
        before, after = (torch.tensor(matrix(part, row)) for part in (state.links.before, state.links.after))
        torch.testing.assert_close(before, after.mT)
        assert before.sum() > 0


def test_lists_hold_distinct_other_slots_with_a_sum_of_at_most_1():
    _, state, _ = parts(links=5)
    for part in (state.links.before, state.links.after, state.links.last):
        for places, weights in zip(part.places.flatten(0, -2), part.weights.flatten(0, -2), strict=True):
            somebody = places[weights > 0].tolist()
            assert len(set(somebody)) == len(somebody)
        assert (part.weights >= 0).all()
    assert (state.links.before.weights.sum(-1) <= 1).all()
    assert (state.links.last.weights.sum(-1) <= 1 + 1e-12).all()
    own = torch.arange(SLOTS)[:, None]
    for part in (state.links.before, state.links.after):
        assert not part.weights[part.places == own].any()


def test_writing_nothing_does_not_change_the_links():
    memory, state, control = parts()
    closed = torch.zeros_like(control.access.write_gates)
    changed = dataclasses.replace(control, access=dataclasses.replace(control.access, write_gates=closed))
    after = memory.write(changed, state)
    for row in range(BATCH):
        close(after.links.before, row, matrix(state.links.before, row))
        close(after.links.after, row, matrix(state.links.after, row))


def test_precedence_is_replaced_exactly_by_a_full_write():
    memory, state, _ = parts()
    weights = torch.tensor([0.7, 0.4, 0.3], dtype=torch.float64).expand(BATCH, HEADS, 3)
    weights = torch.nn.functional.pad(weights, (SLOTS - 3, 0))
    last = memory.links(weights, state.links, SLOTS).last
    assert last.places.sort(-1).values.tolist() == [[6, 7, 8]] * BATCH
    weights = weights.roll(2, -1)  # to slots 8, 0 and 1
    after = memory.links(weights, dataclasses.replace(state.links, last=last), SLOTS).last
    expected = torch.tensor([[1 / 2, 2 / 7, 3 / 14]] * BATCH, dtype=torch.float64)
    torch.testing.assert_close(after.weights, expected)
    torch.testing.assert_close(after.places, torch.tensor([[8.0, 0.0, 1.0]] * BATCH, dtype=torch.float64))


def test_links_are_followed_from_the_most_read_slots_and_others_have_no_gradient():
    memory, state, _ = parts()
    reading = torch.rand(BATCH, HEADS, SLOTS, dtype=torch.float64)
    few = torch.zeros_like(reading).scatter(-1, (top := reading.topk(3).indices), reading.gather(-1, top))
    for some, same in zip(*(memory.links.follow(x, state.links, 3) for x in (reading, few)), strict=True):
        torch.testing.assert_close(some, same)
    few.requires_grad_()
    backward, forward = memory.links.follow(few, state.links, SLOTS)
    (backward + forward).square().sum().backward()
    assert not few.grad[few == 0].any()
    assert few.grad[few > 0].any()


def test_a_head_in_forward_mode_reads_a_sequence_in_the_order_of_its_writes():
    memory = SparseComputerMemory(6, WIDTH, heads=1, nearest=2, links=2).double()
    ones, words = torch.ones(1, 1, dtype=torch.float64), torch.randn(4, 1, 1, WIDTH, dtype=torch.float64)

    def step(state, word, mode, open_gate):
        modes = torch.nn.functional.one_hot(torch.tensor([[mode]]), 3).double()
        control = SparseComputerInterface(HIDDEN, WIDTH).double()(torch.zeros(1, HIDDEN, dtype=torch.float64))
        access = dataclasses.replace(
            control.access, keys=word, add=word, write_gates=open_gate * ones, gates=0 * ones, strengths=1000 * ones
        )
        return memory(dataclasses.replace(control, access=access, read_modes=modes), state)

    state = memory.init_state(1, dtype=torch.float64)
    for word in words:
        _, state = step(state, word, 1, 1.0)
    _, state = step(state, words[0], 1, 0.0)
    for word in words[1:]:
        reads, state = step(state, words[0], 2, 0.0)
        torch.testing.assert_close(reads, word.flatten(1), rtol=1e-6, atol=1e-6)
    for word in reversed(words[:-1]):
        reads, state = step(state, words[0], 0, 0.0)
        torch.testing.assert_close(reads, word.flatten(1), rtol=1e-6, atol=1e-6)


def test_gradients_except_those_of_the_links_match_finite_differences(monkeypatch):
    monkeypatch.setattr(LinkLists, "forward", lambda self, weights, state, most: state)
    memory, state, control = parts()
    read_weights, words = state.read_weights.detach().requires_grad_(), control.access.add.detach().requires_grad_()
    modes = control.read_modes.detach().requires_grad_()

    def run(read_weights, words, modes):
        changed = dataclasses.replace(control, access=dataclasses.replace(control.access, add=words), read_modes=modes)
        reads, after = memory(changed, dataclasses.replace(state, read_weights=read_weights))
        return reads, after.memory, after.read_weights

    assert torch.autograd.gradcheck(run, (read_weights, words, modes), fast_mode=True)


def test_the_links_have_no_gradient():
    memory, state, control = parts()
    _, after = memory(control, state)
    assert not any(part.weights.requires_grad for part in (after.links.before, after.links.after, after.links.last))
    assert after.read_weights.requires_grad


@pytest.mark.parametrize("option", [{"links": 1}, {"nearest": 2}, {"threshold": 0.4}, {"strengths": "none"}], ids=str)
def test_every_option_of_the_sdnc_matters(option):
    def answer(**options):
        torch.manual_seed(0)
        usual = {"slots": 7, "width": 3, "heads": 2, "nearest": 3, "links": 3, "controller_size": 4}
        network = SDNC(3, 2, **(usual | {"initial_memory": "random"} | options)).double()
        for parameter in network.parameters():
            parameter.data += torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)).double()
        return network(torch.randn(2, 12, 3, generator=torch.Generator().manual_seed(2)).double())[0]

    assert not torch.allclose(answer(), answer(**option))


def test_links_below_one_are_refused():
    with pytest.raises(ValueError, match="links of LinkLists is 0, but it must be at least 1"):
        SDNC(3, 2, links=0)


def test_the_view_of_the_links_is_that_before_the_write():
    memory, state, control = parts()
    links = memory.links.matrix(state.links)
    for row in range(BATCH):
        expected = torch.tensor(matrix(state.links.before, row), dtype=torch.float64)
        torch.testing.assert_close(links[row], expected, rtol=1e-12, atol=1e-12)
    views = {view.name: view.values for view in memory.views(control, state)}
    assert torch.equal(views["links"], memory.links.matrix(memory(control, state)[1].links))


def test_links_of_very_many_slots_have_no_view(monkeypatch):
    monkeypatch.setattr("memtape.memory.sparse_computer.MOST_LINKED_SLOTS", SLOTS - 1)
    memory, state, control = parts()
    assert "links" not in [view.name for view in memory.views(control, state)]
