"""Options of the DNC for the differences of other implementations from the paper."""

import dataclasses

import pytest
import torch

from memtape import DNC, DNCCell, tree, unroll, use_backend
from memtape.cells import Clipped, LSTMCell, TruncatedInput
from memtape.core.backends import backends

INPUT, OUTPUT, SLOTS, WIDTH, HIDDEN, BATCH, TIME = 3, 2, 5, 4, 6, 2, 7
F64 = torch.float64
SIZES = {"slots": SLOTS, "width": WIDTH, "controller_size": HIDDEN}


def machine(**options):
    torch.manual_seed(1)
    return DNC(INPUT, OUTPUT, **SIZES, **options).double()


def with_same_weights(network, **options):
    other = machine(**options)
    other.load_state_dict(network.state_dict(), strict=False)
    return other


def sequences():
    return torch.randn(BATCH, TIME, INPUT, generator=torch.Generator().manual_seed(2), dtype=F64)


def test_without_shortcuts_a_layer_reads_the_layer_below_and_only_the_top_one_is_output():
    deep = machine(controller_layers=3, controller_shortcuts=False)
    controller = deep.cell.machine.controller
    assert [layer.input_size for layer in controller.layers] == [INPUT + WIDTH, HIDDEN, HIDDEN]
    assert controller.output_size == HIDDEN
    assert deep.cell.machine.to_output.in_features == HIDDEN + WIDTH


def test_a_clipped_cell_clips_its_outputs_and_its_whole_state():
    cell = LSTMCell(INPUT, HIDDEN).double()
    x = 5 * sequences()[:, 0]
    state = tree.move(cell.init_state(BATCH), dtype=F64)
    y, after = cell(x, state)
    clipped_y, clipped = Clipped(cell, 0.1)(x, state)
    for whole, cut in ((y, clipped_y), (after.hidden, clipped.hidden), (after.cell, clipped.cell)):
        assert torch.equal(cut, whole.clamp(-0.1, 0.1))
        assert not torch.equal(cut, whole)


def test_outputs_are_clipped_and_the_state_is_not(equal_up_to_rounding):
    network = machine()
    with use_backend("reference"):
        ys, state = network(sequences())
        cut, same = with_same_weights(network, output_clip=0.1)(sequences())
    equal_up_to_rounding(cut, ys.clamp(-0.1, 0.1))
    equal_up_to_rounding(tree.named_tensors(same), tree.named_tensors(state))


def test_without_feedback_the_controller_does_not_depend_on_the_reads(equal_up_to_rounding):
    cell = DNCCell(INPUT, OUTPUT, **SIZES, read_feedback=False).double()
    state = cell.init_state(BATCH, dtype=F64)
    control = cell.control(sequences()[:, 0], state)
    again = cell.control(sequences()[:, 0], dataclasses.replace(state, reads=state.reads + 1))
    equal_up_to_rounding(tree.named_tensors(again), tree.named_tensors(control))


def test_a_cell_with_truncated_input_is_the_cell_on_the_first_entries():
    cell = LSTMCell(INPUT - 1, HIDDEN).double()
    for backend in (None, *backends()):
        fused = None if backend is None else TruncatedInput(cell, 1).fused(backend)
        run = fused or (lambda xs, state, lengths: unroll(TruncatedInput(cell, 1), xs, state)[:2])
        ys, _ = run(sequences(), cell.init_state(BATCH, dtype=F64), None)
        torch.testing.assert_close(ys, unroll(cell, sequences()[..., :-1])[0])


def test_initial_weights_have_the_values_of_their_names():
    initial = machine(initial_memory="even", initial_weights="constant", initial_reads="constant").init_state(1)
    assert initial.memory.memory.unique().tolist() == [1 / (SLOTS * WIDTH)]
    assert initial.memory.read_weights.unique().tolist() == initial.memory.write_weights.unique().tolist() == [1e-6]
    assert initial.reads.unique().tolist() == [1e-6]
    network = machine(initial_weights="random", read_heads=2)
    first, second = network.init_state(3), network.init_state(3)
    assert torch.equal(first.memory.read_weights, second.memory.read_weights)
    weights = torch.cat([first.memory.read_weights, first.memory.write_weights], dim=1)
    assert weights.unique(dim=1).shape == (3, 3, SLOTS)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 3, dtype=F64))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"controller_clip": 0.0}, "controller_clip is 0.0, but it must be finite and above 0; give a positive number"),
        ({"output_clip": -1.0}, "output_clip is -1.0, but it must be finite and above 0; give a positive number"),
        ({"initial_weights": "ones"}, "initial_weights is 'ones', but it must be one of 'constant', 'random', 'zeros'"),
    ],
)
def test_invalid_options_are_refused(options, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        DNCCell(INPUT, OUTPUT, **SIZES, **options)


def test_truncated_inputs_have_a_size():
    with pytest.raises(ValueError, match="size is 0, but it must be at least 1"):
        TruncatedInput(LSTMCell(INPUT, HIDDEN), 0)
    with pytest.raises(ValueError, match=r"bound is 0\.0, but it must be finite and above 0"):
        Clipped(LSTMCell(INPUT, HIDDEN), 0.0)
