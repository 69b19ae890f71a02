"""Inspection: the tape that is pictured is the one that the network worked."""

import numpy as np
import pytest
import torch

from memtape import DAM, DNC, NTM, SAM, SDNC, BiLSTM, Copy, StackedLSTM
from memtape.experiments.inspection import graph_of, tape_of
from memtape.tasks.graph.shortest_path import ShortestPath
from memtape.tasks.graph.traversal import Traversal
from memtape.training.draw_batch import draw_batch
from memtape.viz.graph_figure import graph_figure

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


@pytest.mark.parametrize("links", ["dense", "sparse", "none"])
def test_what_a_dnc_was_told_is_pictured_step_by_step(links):
    torch.manual_seed(0)
    task = Copy(bits=2)
    model = DNC(task.input_size, task.output_size, **SMALL, **HEADS, links=links)
    record = tape_of(model, task, length=5, seed=0)
    batch = task.batch(0, 1, split="picture", lengths=(5, 5))
    state = model.init_state(1)
    for t in range(11):
        control = model.cell.control(batch.inputs[:, t], state)
        with torch.no_grad():
            _, state = model.cell(batch.inputs[:, t], state)
        for name in ("write_gates", "allocation_gates", "free_gates", "read_modes"):
            np.testing.assert_allclose(getattr(record, name)[t], getattr(control, name)[0].detach(), atol=1e-6)
        np.testing.assert_allclose(record.usage[t], state.memory.usage[0], atol=1e-6)
        np.testing.assert_allclose(record.tape.write_weights[t], state.memory.write_weights[0], atol=1e-6)
        np.testing.assert_allclose(record.tape.adds[t], control.add[0].detach(), atol=1e-6)
    if links == "dense":
        np.testing.assert_allclose(record.links, state.memory.links.links[0], atol=1e-6)
    elif links == "sparse":
        backward, _ = model.cell.machine.memory.links.follow(torch.eye(6)[None], state.memory.links)
        np.testing.assert_allclose(record.links, backward[0].transpose(0, 1), atol=1e-6)
    else:
        assert record.links.shape == (0, 6, 6)


@pytest.mark.parametrize("task", [Traversal(), ShortestPath()], ids=["traversal", "shortest-path"])
def test_a_question_about_a_graph_is_pictured_with_what_was_said_and_looked_at(task):
    torch.manual_seed(0)
    model = DNC(task.input_size, task.output_size, slots=6, width=4, controller_size=5, read_heads=2)
    picture, looks = graph_of(model, task, length=1, seed=0)
    steps = len(picture.steps)
    assert looks.shape == (steps, 2, steps)
    assert [said is None for said in picture.said] == [answer is None for answer in picture.answers]
    batch = draw_batch(task, model, 0, 1, seed=0, split="picture", lengths=(1, 1))
    outputs, state = model(batch.inputs)
    assert task.picture(batch, outputs) == picture
    written = looks[-1].sum(axis=1)
    np.testing.assert_array_less(written, state.memory.read_weights[0].sum(-1).detach().numpy() + 1e-6)
    graph_figure(picture, looks)
    assert tape_of(model, task, length=1, seed=0) is None


def test_a_network_without_heads_is_pictured_by_what_it_said():
    task = Traversal()
    picture, looks = graph_of(StackedLSTM(task.input_size, task.output_size, hidden_size=4), task, length=1, seed=0)
    assert looks is None
    assert any(picture.said)


def test_a_task_without_graphs_has_no_picture_of_one():
    task = Copy(bits=2)
    assert graph_of(NTM(task.input_size, task.output_size, **SMALL), task, length=3, seed=0) is None


@pytest.mark.parametrize("network", [SAM, DAM, SDNC])
def test_a_sparse_memory_has_no_tape(network):
    task = Copy(max_length=2)
    assert (
        tape_of(network(task.input_size, task.output_size, slots=8, width=3, heads=1), task, length=2, seed=0) is None
    )
