"""Machines that access their memory in some steps: the schedules of the paper, what they hold, and cached writing."""

import math

import pytest
import torch

from memtape import DNC, NTM, SAM, AugmentedCell, ScheduledCell, tree, unroll
from memtape.cells import GateNormLSTMCell
from memtape.memory import DNCInterface, DNCMemory
from memtape.models.machine.access_schedule import UniformSchedule
from memtape.models.machine.scheduled import CachedAttention

F64 = torch.float64
SIZES = {
    NTM: {"slots": 4, "width": 3, "controller_size": 5, "initial_memory": "random"},
    DNC: {"slots": 4, "width": 3, "controller_size": 5, "initial_memory": "random"},
    SAM: {"slots": 6, "width": 3, "controller_size": 5, "heads": 1, "nearest": 2, "initial_memory": "random"},
}
MACHINES = list(SIZES)


def network(model, **options):
    torch.manual_seed(4)
    built = model(2, 3, **(SIZES[model] | options)).double()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return built


def with_weights_of(plain, model, **options):
    built = network(model, **options)
    state = {
        name.replace("cell.machine.", "cell.machine.machine."): value for name, value in plain.state_dict().items()
    }
    built.load_state_dict(built.state_dict() | state)
    return built


def trace_of(built, xs):
    """Return reads and memories after each step, and the outputs."""
    ys, _, (reads, memories) = built(xs, collect=lambda state: (state.machine.reads, state.machine.memory.memory))
    return ys, reads[0], memories[0]


def accessed(built, time):
    """Return the steps, from 0, at which the contents of the memory change."""
    _, reads, memories = trace_of(built, torch.randn(1, time, 2, dtype=F64))
    start = built.init_state(1, dtype=F64).machine
    reads, memories = torch.cat([start.reads, reads]), torch.cat([start.memory.memory, memories])
    changed = [not torch.equal(memories[t], memories[t + 1]) for t in range(time)]
    read = [not torch.equal(reads[t], reads[t + 1]) for t in range(time)]
    assert changed == read
    return [t for t in range(time) if changed[t]]


@pytest.mark.parametrize("model", MACHINES)
def test_an_interval_of_one_is_the_plain_machine(model):
    plain, xs = network(model), torch.randn(3, 7, 2, dtype=F64)
    every = with_weights_of(plain, model, writing="uniform", writing_interval=1)
    torch.testing.assert_close(every(xs)[0], plain(xs)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", MACHINES)
def test_the_uniform_schedule_has_the_interval_of_the_paper(model):
    slots = SIZES[model]["slots"]
    time = 10 * (slots + 1)
    times = accessed(network(model, writing="uniform", writing_steps=time), time)
    assert times == [10 * number - 1 for number in range(1, slots + 2)]


def test_the_schedule_of_the_authors_code_counts_from_zero():
    """50 inputs and an end marker for 4 slots: writes in the steps 10, 20, 30, 40 and 50, counted from 0."""
    built = network(NTM, writing="uniform", writing_steps=50, writing_from_zero=True)
    assert accessed(built, 51) == [10, 20, 30, 40, 50]
    assert accessed(built, 54) == [10, 20, 30, 40, 50, 51, 52, 53]


def test_a_source_that_does_not_fill_the_slots_is_written_in_every_step():
    assert accessed(network(NTM, writing="uniform", writing_steps=3), 5) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("writing", ["uniform", "cached", "random"])
def test_steps_after_the_source_have_accesses(writing):
    built = network(NTM, writing=writing, writing_steps=12, writing_interval=5)
    assert accessed(built, 18)[-6:] == [12, 13, 14, 15, 16, 17]


def test_random_steps_are_drawn_once_with_the_probability_of_the_paper():
    first = network(NTM, writing="random", writing_steps=5000, slots=499)
    chosen, probability = first.cell.machine.schedule.steps, 500 / 5000
    assert abs(chosen.sum() - 5000 * probability) < 5 * math.sqrt(5000 * probability * (1 - probability))
    small = network(NTM, writing="random", writing_steps=40, writing_interval=4)
    assert accessed(small, 40) == accessed(small, 40)
    other = network(NTM, writing="random", writing_steps=40, writing_interval=4, writing_seed=1)
    assert accessed(small, 40) != accessed(other, 40)
    assert 3 <= len(accessed(small, 40)) <= 20
    again = network(NTM, writing="random", writing_steps=40, writing_interval=4, writing_seed=1)
    again.load_state_dict(small.state_dict())
    assert accessed(again, 40) == accessed(small, 40)


@pytest.mark.parametrize("model", [NTM, DNC])
def test_heads_may_read_between_writes(model):
    built = network(model, writing="uniform", writing_interval=3, hold_reads=False)
    _, reads, memories = trace_of(built, torch.randn(1, 6, 2, dtype=F64))
    assert [not torch.equal(memories[t], memories[t + 1]) for t in range(5)] == [False, True, False, False, True]
    assert all(not torch.equal(reads[t], reads[t + 1]) for t in range(5))


def test_reads_between_writes_do_not_change_what_belongs_to_writing():
    built = network(DNC, writing="uniform", writing_interval=4, hold_reads=False)
    xs = torch.randn(2, 7, 2, dtype=F64)
    _, at_four = built(xs[:, :4])
    _, at_seven = built(xs)
    for name in ("memory", "usage", "write_weights", "links"):
        one, other = (getattr(state.machine.memory, name) for state in (at_four, at_seven))
        assert all(map(torch.equal, tree.leaves(one), tree.leaves(other))), name


def test_a_memory_without_reads_alone_is_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="SparseAccessMemory cannot be read without a write; leave hold_reads at True"):
        network(SAM, writing="uniform", writing_interval=2, hold_reads=False)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize("controller", ["lstm", "rnn"])
def test_cached_writing_attends_to_the_hidden_vectors_of_an_interval(controller):
    """Algorithm 1, step by step: the attention is computed by scalars, the controller and the memory by the machine."""
    interval, time = 3, 8
    built = network(NTM, writing="cached", writing_interval=interval, writing_steps=7, controller=controller)
    cell = built.cell.machine
    xs = torch.randn(1, time, 2, dtype=F64)
    ys, _, _ = trace_of(built, xs)
    state = cell.machine.init_state(1, dtype=F64)
    cache = []
    for t in range(1, time + 1):
        hidden = state.controller.hidden[0].tolist()
        reads = state.reads[0].tolist()
        cache.append(hidden)
        before = state
        if t <= 7 and t % interval == 0:
            attended = attention_by_scalars(cell.attention, hidden, reads, cache[-interval:])
            replaced = tree.named_leaves(state) | {"controller.hidden": torch.tensor([attended], dtype=F64)}
            before = tree.from_named_tensors(replaced, state)
        y, after = cell.machine(xs[:, t - 1], before)
        if t <= 7 and t % interval:
            held = {name: leaf for name, leaf in tree.named_leaves(state).items() if not name.startswith("controller")}
            after = tree.from_named_tensors(tree.named_leaves(after) | held, after)
            h = after.controller.hidden
            y = cell.machine.output(h, state.reads)
        torch.testing.assert_close(ys[:, t - 1], y, rtol=1e-10, atol=1e-12)
        state = after


def attention_by_scalars(attention, hidden, reads, cached):
    def times(layer, vector):
        return [sum(w * x for w, x in zip(row, vector, strict=True)) for row in layer.weight.tolist()]

    def energy(one):
        parts = zip(
            times(attention.of_hidden, hidden),
            times(attention.of_cached, one),
            times(attention.of_reads, reads),
            strict=True,
        )
        return sum(
            v * math.tanh(a + b + c) for v, (a, b, c) in zip(attention.score.weight[0].tolist(), parts, strict=True)
        )

    exponentials = [math.exp(energy(one)) for one in cached]
    total = sum(exponentials)
    return [
        sum(weight / total * one[unit] for weight, one in zip(exponentials, cached, strict=True))
        for unit in range(len(hidden))
    ]


def test_the_views_show_the_accesses():
    built = network(NTM, writing="uniform", writing_interval=3)
    trace = built.trace(torch.randn(1, 7, 2, dtype=F64))
    assert trace["accesses"][:, 0].tolist() == [0, 0, 1, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"hold_reads": False},
            'hold_reads is False, but it has no effect with writing="every"; leave it out or choose writing="uniform"',
        ),
        (
            {"writing": "uniform", "writing_interval": 2, "writing_seed": 3},
            'writing_seed is 3, but it has no effect with writing="uniform"; leave it out or choose writing="random"',
        ),
        (
            {"writing": "random", "writing_steps": 9, "cache_attention_size": 3},
            'cache_attention_size is 3, but it has no effect with writing="random"; leave it out or choose writing="cached"',
        ),
        ({"writing": "often"}, "writing is 'often', but it must be one of 'every', 'uniform', 'cached', 'random'"),
        (
            {"writing": "uniform"},
            r"writing is \"uniform\", but the number of steps .* is not given; give writing_steps",
        ),
        ({"writing": "random", "writing_interval": 2}, r"writing is \"random\", but the number of steps"),
        ({"writing": "uniform", "writing_interval": 0}, "writing_interval is 0, but it must be at least 1"),
        ({"writing": "uniform", "writing_steps": 0}, "writing_steps is 0, but it must be at least 1"),
        ({"writing": "random", "writing_steps": 0}, "writing_steps is 0, but it must be at least 1"),
        (
            {"writing": "random", "writing_steps": 9, "writing_interval": 0},
            "writing_interval is 0, but it must be at least 1",
        ),
        (
            {"writing": "cached", "writing_interval": 2, "controller": "feedforward"},
            "the controller is FeedforwardCell, but cached writing replaces the hidden vector of one recurrent layer",
        ),
        ({"writing": "cached", "writing_interval": 2, "controller_layers": 2}, "the controller is Stacked, but cached"),
        (
            {"writing": "cached", "writing_interval": 2, "cache_attention_size": 0},
            "cache_attention_size of CachedAttention is 0",
        ),
    ],
)
def test_bad_options_are_refused_in_one_sentence(options, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        network(NTM, **options)


def network_of_the_paper(hidden_size):
    """Return the machine of the experiments: a controller with normalised gates, and no biases."""
    return AugmentedCell(
        GateNormLSTMCell(10 + 64, hidden_size),
        DNCInterface(hidden_size, 64, bias=False),
        DNCMemory(4, 64),
        input_size=10,
        output_size=10,
        initial_reads="constant",
        output_bias=False,
    )


def test_the_parameters_are_as_many_as_those_of_the_authors():
    """Their totals have two embeddings of 10 x 10 that no computation uses."""
    unused, machine = 200, network_of_the_paper(100)
    uniform = ScheduledCell(machine, UniformSchedule(10, 50))
    cached = ScheduledCell(network_of_the_paper(95), UniformSchedule(5, 50), attention=CachedAttention(95, 64, 16))
    for cell, count in ((machine, 98_840), (uniform, 98_840), (cached, 96_120)):
        assert sum(parameter.numel() for parameter in cell.parameters()) + unused == count
        ys, _, _ = unroll(cell, torch.randn(2, 12, 10))
        assert ys.isfinite().all()
