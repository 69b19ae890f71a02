"""Inspection: the recorded views are those of the steps of the network."""

import numpy as np
import pytest
import torch

from memtape import DAM, DNC, NTM, SAM, SDNC, Babi, BiLSTM, Chomsky, Copy, EntNet, MemN2N, StackedLSTM, StackRNN
from memtape.experiments.inspection import graph_of, lookup_of, tape_of
from memtape.tasks.graph.shortest_path import ShortestPath
from memtape.tasks.graph.traversal import Traversal
from memtape.training.draw_batch import draw_batch
from memtape.viz.graph_figure import graph_figure

HEADS = {"read_heads": 2, "write_heads": 3}
SMALL = {"slots": 6, "width": 4, "controller_size": 5}


@pytest.mark.parametrize("addressing", [{}, {"addressing": "content", "initial_memory": "random"}])
def test_the_tape_records_every_step_of_the_heads(addressing):
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
        np.testing.assert_allclose(tape.view("adds")[t], control.add[0].detach(), atol=1e-6)
        np.testing.assert_allclose(tape.outputs[t], torch.sigmoid(y[0]), atol=1e-6)
        np.testing.assert_allclose(tape.view("reads")[t], state.reads.reshape(2, 4), atol=1e-6)
        np.testing.assert_allclose(tape.view("read_weights")[t], state.memory.read_weights[0], atol=1e-6)
        np.testing.assert_allclose(tape.view("write_weights")[t], state.memory.write_weights[0], atol=1e-6)
    np.testing.assert_allclose(tape.view("contents")[0], state.memory.memory[0], atol=1e-6)
    assert (tape.inputs == batch.inputs[0].numpy()).all()
    assert (tape.targets == batch.targets[0].numpy()).all()
    assert (tape.scored == batch.mask[0].numpy()).all()


def test_the_drawn_add_vectors_are_those_that_were_written():
    """Without erasing, the memory after a step is the memory before it plus the drawn add vectors at the drawn weights."""
    task = Copy(bits=2)
    model = NTM(task.input_size, task.output_size, **SMALL)
    with torch.no_grad():
        model.cell.machine.interface.head_parameters.linear.bias[-8:-4] = -20
        model.cell.machine.interface.head_parameters.linear.weight[-8:-4] = 0
    tape = tape_of(model, task, length=3, seed=0)
    batch = task.batch(0, 1, split="picture", lengths=(3, 3))
    _, state = model(batch.inputs)
    written = np.einsum("ths,thw->sw", tape.view("write_weights"), tape.view("adds"))
    np.testing.assert_allclose(state.memory.memory[0].detach() - 1e-6, written, atol=1e-5)


def test_a_network_without_a_tape_has_no_drawing_of_one():
    task = Copy(bits=2)
    assert tape_of(StackedLSTM(task.input_size, task.output_size, hidden_size=4), task, length=3, seed=0) is None


def test_a_bidirectional_network_has_no_drawing_of_a_tape():
    task = Copy(bits=2)
    assert tape_of(BiLSTM(task.input_size, task.output_size, hidden_size=4), task, length=3, seed=0) is None


def test_symbols_are_drawn_as_one_hot_vectors_with_the_probabilities_of_the_classes():
    task = Chomsky(problem="bucket-sort")
    model = StackRNN(task.input_size, task.output_size)
    tape = tape_of(model, task, length=4, seed=0)
    batch = task.batch(0, 1, split="picture", lengths=(4, 4))
    assert tape.inputs.shape == (8, task.input_size)
    assert (tape.inputs.sum(1) == 1).all()
    assert (tape.inputs.argmax(1) == batch.inputs[0].numpy()).all()
    assert (tape.targets.sum(1) == batch.mask[0].numpy()).all()
    assert (tape.targets.argmax(1)[4:] == batch.targets[0, 4:].numpy()).all()
    np.testing.assert_allclose(tape.outputs, model(batch.inputs)[0][0].softmax(-1).detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("links", ["dense", "sparse", "none"])
def test_the_views_of_a_dnc_are_those_of_each_step(links):
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
        gates = ("write_gates", "allocation_gates", "free_gates")
        for name in gates if links == "none" else (*gates, "read_modes"):
            np.testing.assert_allclose(record.view(name)[t], getattr(control, name)[0].detach(), atol=1e-6)
        np.testing.assert_allclose(record.view("usage")[t], state.memory.usage[0], atol=1e-6)
        np.testing.assert_allclose(record.view("write_weights")[t], state.memory.write_weights[0], atol=1e-6)
        np.testing.assert_allclose(record.view("adds")[t], control.add[0].detach(), atol=1e-6)
    if links == "dense":
        np.testing.assert_allclose(record.view("links")[0], state.memory.links.links[0], atol=1e-6)
    elif links == "sparse":
        backward, _ = model.cell.machine.memory.links.follow(torch.eye(6)[None], state.memory.links)
        np.testing.assert_allclose(record.view("links")[0], backward[0].transpose(0, 1), atol=1e-6)
    else:
        assert record.view("links") is None
        assert record.view("read_modes") is None


@pytest.mark.parametrize("network", [DNC, NTM])
@pytest.mark.parametrize("task", [Traversal(), ShortestPath()], ids=["traversal", "shortest-path"])
def test_a_query_on_a_graph_is_drawn_with_the_prediction_and_the_reads(task, network):
    torch.manual_seed(0)
    model = network(task.input_size, task.output_size, slots=6, width=4, controller_size=5, read_heads=2)
    picture, sources = graph_of(model, task, length=1, seed=0)
    steps = len(picture.steps)
    assert sources.shape == (steps, 2, steps)
    assert [prediction is None for prediction in picture.predicted] == [answer is None for answer in picture.answers]
    batch = draw_batch(task, model, 0, 1, seed=0, split="picture", lengths=(1, 1))
    outputs, state = model(batch.inputs)
    assert task.picture(batch, outputs) == picture
    written = sources[-1].sum(axis=1)
    np.testing.assert_array_less(written, state.memory.read_weights[0].sum(-1).detach().numpy() + 1e-6)
    graph_figure(picture, sources)
    assert tape_of(model, task, length=1, seed=0) is None


def test_a_network_without_heads_is_drawn_with_its_predictions():
    task = Traversal()
    picture, sources = graph_of(StackedLSTM(task.input_size, task.output_size, hidden_size=4), task, length=1, seed=0)
    assert sources is None
    assert any(picture.predicted)


def test_a_task_without_graphs_has_no_drawing_of_one():
    task = Copy(bits=2)
    assert graph_of(NTM(task.input_size, task.output_size, **SMALL), task, length=3, seed=0) is None


@pytest.mark.parametrize("network", [SAM, DAM, SDNC])
def test_the_views_of_a_sparse_memory_are_those_of_each_step(network):
    """The words written in a step are the change of the contents, after the least used slots are cleared."""
    torch.manual_seed(0)
    task = Copy(bits=2)
    model = network(task.input_size, task.output_size, slots=9, width=3, heads=2)
    tape = tape_of(model, task, length=4, seed=0)
    inputs = task.batch(0, 1, split="picture", lengths=(4, 4)).inputs
    state = model.init_state(1)
    for t in range(9):
        before = state.memory.memory[0]
        with torch.no_grad():
            _, state = model.cell(inputs[:, t], state)
        np.testing.assert_allclose(tape.view("reads")[t].reshape(-1), state.reads[0], atol=1e-6)
        np.testing.assert_allclose(tape.view("read_weights")[t], state.memory.read_weights[0], atol=1e-6)
        written = np.einsum("hs,hw->sw", tape.view("write_weights")[t], tape.view("adds")[t])
        after = state.memory.memory[0].numpy()
        kept = np.isclose(after, before.numpy() + written, atol=1e-6).all(axis=1)
        np.testing.assert_allclose(after[~kept], written[~kept], atol=1e-6)
    np.testing.assert_allclose(tape.view("contents")[0], state.memory.memory[0], atol=1e-6)


def test_a_graph_is_drawn_with_the_reads_of_a_sparse_memory():
    task = Traversal()
    model = SDNC(task.input_size, task.output_size, slots=8, width=3, heads=2)
    picture, sources = graph_of(model, task, length=1, seed=0)
    assert sources.shape == (len(picture.steps), 2, len(picture.steps))


@pytest.mark.parametrize("network", [MemN2N, EntNet])
def test_the_look_up_is_that_of_the_answer_to_a_test_question(network):
    torch.manual_seed(0)
    task = Babi(numbers="2")
    model = network(task.input_size, task.output_size, memory_size=4).eval()
    picture, looked = lookup_of(model, task, seed=0)
    batch = draw_batch(task, model, 0, 1, seed=0, split="picture")
    with torch.no_grad():
        outputs, expected = model(batch.inputs)
    assert picture == task.story(batch, outputs)
    assert picture.answer == task.vocabulary[int(outputs.argmax())]
    assert torch.equal(looked.weights, expected.weights)
    assert looked.weights.shape[2] == len(picture.sentences) > 4
    assert torch.equal(looked.shares, expected.shares)


def test_a_network_or_task_without_stories_has_no_look_up():
    task = Copy(bits=2)
    assert lookup_of(NTM(task.input_size, task.output_size, **SMALL), task, seed=0) is None
    assert lookup_of(StackedLSTM(4, 4, hidden_size=2), Babi(), seed=0) is None
