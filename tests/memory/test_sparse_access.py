"""Sparse access: a scalar implementation of the paper's equations, and invariants of every step."""

import dataclasses
import math

import pytest
import torch

from memtape import use_backend
from memtape.core.backends import backends
from memtape.memory import SparseAccessInterface, SparseAccessMemory
from memtape.models.sam.dam import DAM
from memtape.models.sam.sam import SAM

BATCH, SLOTS, WIDTH, HEADS, HIDDEN = 2, 9, 3, 2, 4


def parts(**options):
    """Return a memory in float64, its state after some steps, and a control for the next one."""
    torch.manual_seed(3)
    memory = SparseAccessMemory(SLOTS, WIDTH, heads=HEADS, **({"nearest": 3, "initial_memory": "random"} | options))
    memory = memory.double()
    interface = SparseAccessInterface(HIDDEN, WIDTH, heads=HEADS).double()
    state = memory.init_state(BATCH, dtype=torch.float64)
    for _ in range(4):
        _, state = memory(interface(torch.randn(BATCH, HIDDEN, dtype=torch.float64)), state)
    return memory, state, interface(torch.randn(BATCH, HIDDEN, dtype=torch.float64))


def scalar_step(memory, control, state, row):
    """Return memory, read weights, usage and reads after one step, computed with scalars."""
    slots, words = range(SLOTS), state.memory[row].tolist()
    before, usage = state.read_weights[row].tolist(), state.usage[row].tolist()
    keys, add = control.keys[row].tolist(), control.add[row].tolist()
    alpha, gamma = control.write_gates[row].tolist(), control.gates[row].tolist()
    beta = control.strengths[row].tolist()
    oldest = sorted(slots, key=lambda i: (usage[i], i))[:HEADS]
    writing = [
        [alpha[h] * (gamma[h] * before[h][i] + (1 - gamma[h]) * (i == oldest[h])) for i in slots] for h in range(HEADS)
    ]
    words = [
        [
            (0.0 if i in oldest else words[i][f]) + sum(writing[h][i] * add[h][f] for h in range(HEADS))
            for f in range(WIDTH)
        ]
        for i in slots
    ]
    reading, reads = [], []
    for h in range(HEADS):
        cos = []
        for i in slots:
            dot = sum(keys[h][f] * words[i][f] for f in range(WIDTH))
            norms = [math.sqrt(sum(v * v for v in vector) + 1e-6) for vector in (keys[h], words[i])]
            cos.append(dot / (norms[0] * norms[1]))
        seen = sorted(slots, key=lambda i: (-cos[i], i))[: memory.nearest or SLOTS]
        total = sum(math.exp(beta[h] * cos[i]) for i in seen)
        reading.append([math.exp(beta[h] * cos[i]) / total if i in seen else 0.0 for i in slots])
        reads += [sum(reading[h][i] * words[i][f] for i in slots) for f in range(WIDTH)]
    used = [sum(writing[h][i] + reading[h][i] for h in range(HEADS)) for i in slots]
    if memory.usage == "last_access":
        now = max(usage) + 1
        usage = [now if used[i] > memory.threshold else usage[i] for i in slots]
    else:
        usage = [memory.discount * usage[i] + used[i] for i in slots]
    return words, reading, usage, reads


FORMS = {
    "sam": {},
    "one nearest": {"nearest": 1, "threshold": 0.2},
    "dam": {"nearest": None, "usage": "discounted", "discount": 0.7},
    "dense reads, last access": {"nearest": None, "threshold": 0.3},
}


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
def test_a_step_computes_the_paper_s_equations(options):
    memory, state, control = parts(**options)
    reads, after = memory(control, state)
    for row in range(BATCH):
        expected = scalar_step(memory, control, state, row)
        for actual, wanted in zip((after.memory, after.read_weights, after.usage, reads), expected, strict=True):
            torch.testing.assert_close(actual[row], torch.tensor(wanted, dtype=torch.float64), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
def test_a_step_is_write_address_and_read(options):
    memory, state, control = parts(**options)
    reads, after = memory(control, state)
    written = memory.write(control, state)
    assert torch.equal(written.read_weights, state.read_weights)
    assert torch.equal(written.usage, state.usage)
    moved = memory.address(control, written)
    assert torch.equal(moved.memory, written.memory)
    assert torch.equal(memory.read(moved), reads)
    for actual, wanted in ((moved.memory, after.memory), (moved.read_weights, after.read_weights)):
        assert torch.equal(actual, wanted)


def test_a_look_up_does_not_depend_on_the_order_of_the_slots():
    memory, state, control = parts()
    order = torch.randperm(SLOTS)
    shuffled = dataclasses.replace(state, memory=state.memory[:, order])
    expected = memory.address(control, state).read_weights[:, :, order]
    torch.testing.assert_close(memory.address(control, shuffled).read_weights, expected)


def test_a_head_reads_no_more_slots_than_its_nearest():
    _, state, _ = parts()
    assert ((state.read_weights > 0).sum(-1) == 3).all()
    torch.testing.assert_close(state.read_weights.sum(-1), torch.ones(BATCH, HEADS, dtype=torch.float64))


def test_of_equally_near_slots_the_first_are_read():
    memory = SparseAccessMemory(SLOTS, WIDTH, heads=1, nearest=4)
    control = SparseAccessInterface(HIDDEN, WIDTH)(torch.ones(1, HIDDEN))
    state = memory.address(control, memory.init_state(1, dtype=torch.float32))
    assert state.read_weights[0, 0].nonzero().flatten().tolist() == [0, 1, 2, 3]


def test_heads_clear_different_slots_the_least_recently_accessed_first():
    memory, state, control = parts()
    usage = torch.tensor([[5.0, 3, 9, 3, 1, 7, 7, 7, 7], [0, 0, 0, 0, 0, 0, 0, 0, 0]], dtype=torch.float64)
    closed = dataclasses.replace(control, write_gates=torch.zeros_like(control.write_gates))
    after = memory.write(closed, dataclasses.replace(state, usage=usage))
    for row, cleared in enumerate(([4, 1], [0, 1])):
        assert not after.memory[row, cleared].any()
        kept = [slot for slot in range(SLOTS) if slot not in cleared]
        assert torch.equal(after.memory[row, kept], state.memory[row, kept])


def test_the_least_recently_accessed_slot_is_the_one_with_the_longest_time_since_access():
    memory, state, control = parts(threshold=0.0)
    accessed = [set(range(SLOTS))]
    for _ in range(3):
        before = state
        _, state = memory(control, state)
        latest = state.usage == state.usage.amax(-1, keepdim=True)
        accessed.append(set(latest[0].nonzero().flatten().tolist()))
        cleared = before.usage[0].argmin().item()
        assert before.usage[0, cleared] <= before.usage[0].min()
    assert state.usage[0].max() == before.usage[0].max() + 1


def test_a_word_written_to_a_fresh_slot_is_read_back():
    memory, state, control = parts(nearest=1)
    ones, zeros = torch.ones_like(control.gates), torch.zeros_like(control.gates)
    words = torch.randn(BATCH, HEADS, WIDTH, dtype=torch.float64)
    changed = dataclasses.replace(control, keys=words, add=words, write_gates=ones, gates=zeros, strengths=10 * ones)
    reads, _ = memory(changed, state)
    torch.testing.assert_close(reads, words.flatten(1))


def test_a_write_to_the_read_slots_only_adds():
    memory, state, control = parts()
    ones = torch.ones_like(control.gates)
    changed = dataclasses.replace(control, gates=ones, write_gates=0.5 * ones)
    after = memory.write(changed, dataclasses.replace(state, memory=torch.zeros_like(state.memory)))
    torch.testing.assert_close(after.memory, 0.5 * state.read_weights.mT @ control.add)


def test_usage_has_no_gradient():
    memory, state, control = parts(usage="discounted")
    usage = state.usage.clone().requires_grad_()
    _, after = memory(control, dataclasses.replace(state, usage=usage))
    assert not after.usage.requires_grad


@pytest.mark.parametrize("steps", [1, 7])
def test_sam_with_reads_of_all_slots_is_dam_with_last_access(steps):
    options = {"slots": 6, "width": 4, "heads": 2, "controller_size": 5, "initial_memory": "random", "threshold": 0.2}
    torch.manual_seed(0)
    sparse, dense = SAM(3, 2, nearest=6, **options).double(), DAM(3, 2, usage="last_access", **options).double()
    dense.load_state_dict(sparse.state_dict())
    xs = torch.randn(2, steps, 3, dtype=torch.float64)
    with use_backend("reference"):
        torch.testing.assert_close(sparse(xs)[0], dense(xs)[0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_more_slots_change_nothing_before_they_are_needed(backend):
    if backends()[backend]:
        pytest.skip(backends()[backend])
    torch.manual_seed(0)
    few = SAM(3, 2, slots=16, width=4, heads=2, nearest=2, controller_size=5).double()
    many, xs = few.with_slots(300), torch.randn(2, 5, 3, dtype=torch.float64)
    with use_backend(backend):
        (ys, last), (more, end) = few(xs), many(xs)
    torch.testing.assert_close(ys, more)
    torch.testing.assert_close(last.memory.memory, end.memory.memory[:, :16])


def test_a_memory_with_values_for_each_slot_has_a_fixed_number_of_slots():
    with pytest.raises(ValueError, match=r"slots is 32, but .* has a value for each of its 16 slots"):
        SAM(3, 2, slots=16, initial_memory="random").with_slots(32)


OTHERS = {
    "nearest": 1,
    "threshold": 0.4,
    "initial_memory": "zeros",
    "initial_reads": "learned",
    "initial_controller": "learned",
    "strengths": "none",
    "squash": True,
    "clip": 0.01,
    "controller": "gru",
    "controller_layers": 2,
}


def answers(network_class, **options):
    torch.manual_seed(0)
    usual = {"slots": 6, "width": 3, "heads": 2, "controller_size": 4, "initial_memory": "random"}
    network = network_class(3, 2, **(usual | options)).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(
                torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1), dtype=parameter.dtype)
            )
    xs = torch.randn(2, 12, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return network(xs)[0]


@pytest.mark.parametrize("option", OTHERS)
def test_every_option_of_sam_matters(option):
    assert not torch.allclose(answers(SAM, nearest=3), answers(SAM, **({"nearest": 3} | {option: OTHERS[option]})))


@pytest.mark.parametrize("option", [{"usage": "last_access"}, {"discount": 0.1}], ids=str)
def test_every_option_of_dam_matters(option):
    assert not torch.allclose(answers(DAM), answers(DAM, **option))


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 7}, "heads is 7, but the memory has 6 slots, and each of the heads needs its own slot"),
        ({"nearest": 7}, "nearest is 7, but the memory has 6 slots"),
        ({"nearest": 0}, "nearest of SparseAccessMemory is 0, but it must be at least 1"),
        ({"initial_memory": "ones"}, "initial_memory is 'ones', but it must be one of 'zeros', 'random', 'learned'"),
        ({"strengths": "tanh"}, "strengths is 'tanh', but it must be one of"),
        ({"controller": "mamba"}, "controller is 'mamba', but it must be one of"),
        ({"clip": -1.0}, "clip is -1.0, but it is a bound"),
    ],
)
def test_invalid_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SAM(3, 2, **({"slots": 6} | options))


def test_a_discount_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match=r"discount is 1.5, but it is a probability"):
        DAM(3, 2, discount=1.5)


@pytest.mark.usefixtures("shapes_unchecked")
def test_an_unknown_usage_is_refused():
    with pytest.raises(ValueError, match="usage is 'sum', but it must be one of"):
        DAM(3, 2, usage="sum")
