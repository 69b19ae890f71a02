"""A controller, an interface and a memory in an augmented cell, and their connections."""

import dataclasses

import pytest
import torch

from memtape import AugmentedCell, NTMCell, unroll
from memtape.cells import ElmanCell, GRUCell, LSTMCell, Stacked
from memtape.core.backends import backends
from memtape.memory import ContentInterface, ContentMemory, TuringInterface, TuringMemory
from memtape.models.ntm.fused import fused_ntm

INPUT, OUTPUT, SLOTS, WIDTH, HIDDEN, BATCH = 2, 3, 5, 4, 6, 2
F64 = torch.float64


def parts(**options):
    controller = ElmanCell(INPUT + 2 * WIDTH, HIDDEN)
    interface = TuringInterface(HIDDEN, WIDTH, read_heads=2)
    memory = TuringMemory(SLOTS, WIDTH, read_heads=2, initial_memory="random")
    return AugmentedCell(controller, interface, memory, input_size=INPUT, output_size=OUTPUT, **options)


def test_a_step_is_controller_interface_memory_and_output():
    cell = parts().double()
    xs = torch.randn(BATCH, 3, INPUT, dtype=F64)
    _, state, _ = unroll(cell, xs[:, :2])
    y, after = cell(xs[:, 2], state)
    hidden, controller = cell.controller(torch.cat([xs[:, 2], state.reads], dim=-1), state.controller)
    reads, memory = cell.memory(cell.interface(hidden), state.memory)
    assert torch.equal(y, cell.to_output(torch.cat([hidden, reads], dim=-1)))
    assert torch.equal(after.reads, reads)
    assert torch.equal(after.memory.memory, memory.memory)
    assert torch.equal(after.controller.hidden, controller.hidden)


def test_the_last_reads_are_read_back():
    cell = parts()
    state = cell.init_state(BATCH)
    x = torch.randn(BATCH, INPUT)
    y, _ = cell(x, state)
    other, _ = cell(x, dataclasses.replace(state, reads=state.reads + 1))
    assert not torch.allclose(y, other)


def test_the_initial_reads_are_learned_or_zero():
    learned, zeros = parts(), parts(initial_reads="zeros")
    assert torch.equal(learned.init_state(BATCH).reads, torch.zeros(BATCH, 2 * WIDTH))
    with torch.no_grad():
        learned.initial_reads.copy_(torch.arange(8.0))
    assert torch.equal(learned.init_state(BATCH).reads, torch.arange(8.0).expand(BATCH, -1))
    assert torch.equal(zeros.init_state(BATCH).reads, torch.zeros(BATCH, 2 * WIDTH))
    assert "initial_reads" not in dict(zeros.named_parameters())


@pytest.mark.parametrize("addressing", ["location", "content"])
def test_under_autocast_the_memory_still_computes_in_float32(addressing):
    cell = NTMCell(INPUT, OUTPUT, slots=SLOTS, width=WIDTH, addressing=addressing, initial_memory="random")
    seen = []

    def look(module, arguments, result):
        control, _ = arguments
        reads, after = result
        seen.extend([control.keys.dtype, control.add.dtype, reads.dtype, after.memory.dtype, after.read_weights.dtype])
        assert not torch.is_autocast_enabled("cpu")

    cell.machine.memory.register_forward_hook(look)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ys, _, _ = unroll(cell, torch.randn(BATCH, 3, INPUT))
        assert torch.is_autocast_enabled("cpu")
    assert set(seen) == {torch.float32}
    assert ys.dtype == torch.bfloat16


def test_a_controller_must_take_the_input_and_the_reads():
    memory, interface = ContentMemory(SLOTS, WIDTH), ContentInterface(HIDDEN, WIDTH)
    message = r"controller.input_size is 3, but it receives the input \(2\) and the last reads \(4\), so it must be 6"
    with pytest.raises(ValueError, match=message):
        AugmentedCell(LSTMCell(3, HIDDEN), interface, memory, input_size=INPUT, output_size=OUTPUT)


def test_sizes_and_choices_are_checked(shapes_unchecked):
    with pytest.raises(
        ValueError,
        match="initial_reads is 'ones', but it must be one of 'constant', 'learned', 'memory', 'zeros'; choose one",
    ):
        parts(initial_reads="ones")
    arguments = (LSTMCell(6, HIDDEN), ContentInterface(HIDDEN, WIDTH), ContentMemory(SLOTS, WIDTH))
    with pytest.raises(ValueError, match="output_size of AugmentedCell is 0, but it must be at least 1"):
        AugmentedCell(*arguments, input_size=INPUT, output_size=0)


@pytest.mark.parametrize(
    "controller",
    [
        lambda size: LSTMCell(size, 4, peepholes=True),
        lambda size: LSTMCell(size, 4, layer_norm=True),
        lambda size: LSTMCell(size, 4, candidate="sigmoid"),
        lambda size: LSTMCell(size, 4, recurrent_dropout=0.5),
        lambda size: GRUCell(size, 4, variant="reset_before"),
        lambda size: GRUCell(size, 4, layer_norm=True),
        lambda size: Stacked([ElmanCell(size, 4), ElmanCell(4, 4, activation="relu")]),
        lambda size: Stacked([GRUCell(size, 4), GRUCell(4, 4, variant="reset_before")]),
        lambda size: Stacked([GRUCell(size, 4), GRUCell(4, 4)], dropout=0.5),
    ],
)
def test_a_controller_without_a_kernel_runs_in_single_steps(controller):
    def machine(controller):
        memory = TuringMemory(5, 3, initial_memory="random", initial_weights="uniform")
        return AugmentedCell(
            controller, TuringInterface(4, 3), memory, input_size=2, output_size=3, initial_reads="zeros"
        )

    if backends()["cpu"] is None:
        assert fused_ntm(machine(GRUCell(5, 4)), "cpu") is not None
    assert fused_ntm(machine(controller(5)), "cpu") is None


def test_the_output_may_be_computed_from_the_hidden_vector_alone_and_without_bias():
    memory = TuringMemory(5, 3)
    options = {"input_size": 2, "output_size": 4, "reads_to_output": False, "output_bias": False}
    cell = AugmentedCell(GRUCell(5, 6), TuringInterface(6, 3), memory, **options)
    assert cell.to_output.weight.shape == (4, 6)
    assert cell.to_output.bias is None
    x, state = torch.randn(2, 2), cell.init_state(2)
    y, after = cell(x, state)
    torch.testing.assert_close(y, after.controller.hidden @ cell.to_output.weight.T)


def test_the_initial_reads_may_be_those_of_the_initial_memory():
    memory = TuringMemory(5, 3, initial_memory="random")
    cell = AugmentedCell(
        GRUCell(5, 6), TuringInterface(6, 3), memory, input_size=2, output_size=4, initial_reads="memory"
    )
    state = cell.init_state(2)
    torch.testing.assert_close(state.reads, memory.read(state.memory))
