"""Inspection: the tape that is pictured is the one that the network worked."""

import numpy as np
import pytest
import torch

from memtape import NTM, BiLSTM, Copy, StackedLSTM
from memtape.recipes.inspection import tape_of

HEADS = {"read_heads": 2, "write_heads": 3}
SMALL = {"slots": 6, "width": 4, "controller_size": 5}


@pytest.mark.parametrize("addressing", [{}, {"addressing": "content", "initial_memory": "random"}])
def test_the_tape_is_what_the_heads_did_step_by_step(addressing):
    task = Copy(bits=2)
    model = NTM(task.input_size, task.output_size, **SMALL, **HEADS, **addressing)
    tape = tape_of(model, task, length=5, seed=0)
    batch = task.batch(0, 1, split="picture", lengths=(5, 5))
    state = model.init_state(1)
    for t in range(11):
        x = batch.inputs[:, t]
        control = model.cell.control(x, state)
        with torch.no_grad():
            y, state = model.cell(x, state)
        np.testing.assert_allclose(tape.adds[t], control.add[0].detach(), atol=1e-6)
        np.testing.assert_allclose(tape.outputs[t], torch.sigmoid(y[0]), atol=1e-6)
        np.testing.assert_allclose(tape.reads[t], state.reads.reshape(2, 4), atol=1e-6)
        np.testing.assert_allclose(tape.read_weights[t], state.memory.read_weights[0], atol=1e-6)
        np.testing.assert_allclose(tape.write_weights[t], state.memory.write_weights[0], atol=1e-6)
    assert (tape.inputs == batch.inputs[0].numpy()).all()
    assert (tape.targets == batch.targets[0].numpy()).all()
    assert (tape.scored == batch.mask[0].numpy()).all()


def test_the_adds_that_are_pictured_are_those_that_were_written():
    """With nothing erased, the memory after a step is the memory before it and the pictured adds at the pictured weights."""
    task = Copy(bits=2)
    model = NTM(task.input_size, task.output_size, **SMALL)
    with torch.no_grad():
        model.cell.machine.interface.head_parameters.linear.bias[-8:-4] = -20
        model.cell.machine.interface.head_parameters.linear.weight[-8:-4] = 0
    tape = tape_of(model, task, length=3, seed=0)
    batch = task.batch(0, 1, split="picture", lengths=(3, 3))
    _, state = model(batch.inputs)
    written = np.einsum("ths,thw->sw", tape.write_weights, tape.adds)
    np.testing.assert_allclose(state.memory.memory[0].detach() - 1e-6, written, atol=1e-5)


def test_a_network_without_a_tape_has_no_picture_of_one():
    task = Copy(bits=2)
    assert tape_of(StackedLSTM(task.input_size, task.output_size, hidden_size=4), task, length=3, seed=0) is None


def test_a_network_that_reads_from_both_ends_has_none_either():
    task = Copy(bits=2)
    assert tape_of(BiLSTM(task.input_size, task.output_size, hidden_size=4), task, length=3, seed=0) is None
