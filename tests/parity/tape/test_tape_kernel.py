"""The fused tape machines against single steps: outputs, last state, every gradient, and their own properties."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memtape import BabyNTM, TapeRNN

# float64: both sides round at 1e-16; the steps are sums of products without magnification.
EXACT = 1e-11
# float32: rounding of 6e-8, amplified over the steps.
SINGLE = 1e-4

INPUT, OUTPUT, BATCH, TIME = 3, 2, 3, 9
EVERYTHING = {
    "lengths": torch.tensor([TIME, 0, 6]),
    "starts": torch.tensor([[t in starts for t in range(TIME)] for starts in [(0, 4), (), (2, 3, 5)]]),
    "checkpoint_every": 4,
}
OPTIONS = {
    "jumps": (TapeRNN, {"jump_length": 3}),
    "jumps beyond the tape": (TapeRNN, {"jump_length": 12}),
    "jumps of length 0": (TapeRNN, {"jump_length": 0}),
    "jumps from the input": (TapeRNN, {"jump_from_input": True, "tapes": 2}),
    "one slot": (TapeRNN, {"slots": 1}),
    "two slots": (TapeRNN, {"slots": 2, "jump_length": 1}),
    "tapes": (TapeRNN, {"tapes": 3, "width": 2}),
    "gru": (TapeRNN, {"controller": "gru"}),
    "lstm of two layers": (TapeRNN, {"controller": "lstm", "controller_layers": 2, "initial_controller": "learned"}),
    "feedforward": (TapeRNN, {"controller": "feedforward", "activation": "sigmoid", "controller_layers": 2}),
    "reads to output": (TapeRNN, {"reads_to_output": True}),
    "blanks": (BabyNTM, {}),
    "blanks, one slot": (BabyNTM, {"slots": 1}),
    "blanks, two slots": (BabyNTM, {"slots": 2}),
    "blanks, temperature": (BabyNTM, {"temperature": 0.5, "reads_to_output": True}),
    "blanks, lstm": (BabyNTM, {"controller": "lstm", "controller_layers": 2}),
}


def build(model, dtype=torch.float64, *, seed=0, moved=0.3, **options):
    torch.manual_seed(seed)
    usual = {"slots": 5, "width": 3, "controller_size": 5} | ({"write_layers": 0} if model is TapeRNN else {})
    network = model(INPUT, OUTPUT, **(usual | options)).to(dtype)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(moved * (5 / max(5, parameter.shape[-1])) ** 0.5 * torch.randn_like(parameter))
    return network


def inputs_of(network, batch=BATCH, time=TIME, dtype=torch.float64):
    """Return random inputs; of the lengths of jumps some are not above 0."""
    xs = torch.randn(batch, time, INPUT, dtype=dtype)
    if getattr(network.cell, "jump_from_input", False):
        xs[:, :, -1] = torch.randint(-3, 8, (batch, time)) + 0.3 * torch.rand(batch, time)
    return xs


def agree(machine, network, dtype=torch.float64, tolerance=EXACT, batch=BATCH, time=TIME, **run):
    assert network.cell.fused("cpu") is not None
    xs = inputs_of(network, batch, time, dtype)
    machine.compare(network, xs, tolerance=tolerance)
    return machine.compare(network, xs, machine.a_state(network, batch, dtype), tolerance=tolerance, **run)


@pytest.mark.parametrize("case", OPTIONS.values(), ids=OPTIONS)
def test_every_option_agrees(machine, case):
    model, options = case
    agree(machine, build(model, **options), **EVERYTHING)


@pytest.mark.parametrize("model", [TapeRNN, BabyNTM])
@pytest.mark.parametrize("size", [1, 3, 17, 33, 64])
def test_any_width_and_size_agrees(machine, model, size):
    options = {"width": size, "controller_size": size, "slots": 7}
    agree(machine, build(model, **options))
    agree(machine, build(model, torch.float32, **options), torch.float32, SINGLE)


@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (2, 1), (9, 2), (17, 1)])
def test_any_batch_and_number_of_threads_agrees(machine, batch, threads):
    torch.set_num_threads(threads)
    network = build(TapeRNN, jump_from_input=True)
    agree(machine, network, batch=batch, lengths=torch.arange(batch) % TIME + 1)


WHERE = {
    "slots": st.integers(1, 12),
    "width": st.integers(1, 9),
    "controller": st.sampled_from(["lstm", "gru", "rnn", "feedforward"]),
    "controller_layers": st.integers(1, 2),
    "activation": st.sampled_from(["sigmoid", "tanh", "relu"]),
    "reads_to_output": st.booleans(),
}
JUMPS = {"tapes": st.integers(1, 3), "jump_length": st.integers(0, 15), "jump_from_input": st.booleans()}
MACHINES = st.one_of(
    st.tuples(st.just(TapeRNN), st.fixed_dictionaries(WHERE | JUMPS)),
    st.tuples(st.just(BabyNTM), st.fixed_dictionaries(WHERE | {"temperature": st.sampled_from([0.5, 1.0, 2.0])})),
)


@given(case=MACHINES, batch=st.sampled_from([1, 3, 17]), time=st.integers(1, 40), seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_any_machine_agrees(machine, case, batch, time, seed):
    model, options = case
    network = build(model, seed=seed, moved=0.2, **options)
    lengths = torch.randint(0, time + 1, (batch,)) if seed % 2 else None
    agree(machine, network, batch=batch, time=time, lengths=lengths)


@pytest.mark.parametrize("model", [TapeRNN, BabyNTM])
def test_long_sequences_agree_over_several_stretches(machine, model):
    agree(machine, build(model, moved=0.1), time=70, batch=2)


@pytest.mark.parametrize("model", [TapeRNN, BabyNTM])
def test_gradients_match_finite_differences(machine, model):
    machine.gradients_match_finite_differences(build(model), lengths=torch.tensor([3, 2]))


def test_the_last_length_of_a_jump_has_the_gradient_of_the_reference(machine):
    network = build(TapeRNN, jump_from_input=True)
    xs = inputs_of(network)
    xs[:2, :, -1] = -1  # two rows keep the length of the initial state
    state = machine.a_state(network, BATCH)
    machine.compare(network, xs, state, tolerance=EXACT, lengths=torch.tensor([TIME, 4, 5]))


@pytest.mark.parametrize("model", [TapeRNN, BabyNTM])
def test_without_a_gradient_of_the_positions_the_others_are_the_same(model):
    network = build(model)
    found = []
    for positions in (True, False):
        network.zero_grad()
        torch.manual_seed(1)
        ys, last = network(inputs_of(network))
        loss = ys.square().sum() + last.memory.memory.sum()
        if positions:
            loss = loss + 0 * last.memory.head_weights.sum()
        loss.backward()
        found.append([parameter.grad.clone() for parameter in network.parameters()])
    for with_them, without in zip(*found, strict=True):
        torch.testing.assert_close(with_them, without)


@pytest.mark.parametrize("options", [{}, {"jump_from_input": True}], ids=["fixed", "from input"])
def test_single_steps_are_those_of_a_sequence(options):
    network = build(TapeRNN, **options)
    xs = inputs_of(network)
    ys, last = network(xs)
    state, outputs = None, []
    for x in xs.unbind(1):
        y, state = network.step(x, state)
        outputs.append(y)
    torch.testing.assert_close(torch.stack(outputs, 1), ys)
    torch.testing.assert_close(state.memory.memory, last.memory.memory)


def test_padding_has_no_influence(machine):
    network = build(TapeRNN, jump_from_input=True)
    state = machine.a_state(network, BATCH)
    lengths = torch.tensor([4, 9, 1])
    machine.padding_has_no_influence(network, inputs_of(network), state, 1e30, lengths=lengths, tolerance=EXACT)


@pytest.mark.parametrize("model", [TapeRNN, BabyNTM])
def test_nan_stays_in_its_row(machine, model):
    network = build(model)
    machine.nan_stays_in_its_row(network, inputs_of(network), machine.a_state(network, 3), without="head_weights")


@pytest.mark.parametrize("model", [TapeRNN, BabyNTM])
def test_uninitialised_memory_is_not_read(machine, fresh_memory, model):
    network = build(model)
    xs, found = inputs_of(network), []
    for poisoned in (True, False):
        fresh_memory(poisoned)
        found.append(machine.run("cpu", network, xs))
    machine.same_bits(*found)


def test_what_needs_single_steps_has_no_fused_kernel():
    assert build(TapeRNN, write_layers=2).cell.fused("cpu") is None
    noisy = build(BabyNTM, gumbel=True)
    assert noisy.train().cell.fused("cpu") is None
    assert noisy.eval().cell.fused("cpu") is not None
