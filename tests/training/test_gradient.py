"""Gradient: parts of a batch add up to the whole, and truncation stops the gradient between chunks."""

import copy
from contextlib import contextmanager

import pytest
import torch
from accelerate import Accelerator

from memtape import NTM, Copy, RepeatCopy, StackedLSTM, tree
from memtape.training.gradient import gradient
from memtape.training.parallel.processes import Processes
from memtape.training.parallel.replicas import Replicas
from memtape.training.settings import TrainSettings

TASKS = {"copy": Copy(bits=2, max_length=4), "uneven": RepeatCopy(bits=2, max_length=3, max_repeats=3)}


@pytest.fixture(params=TASKS)
def task(request):
    return TASKS[request.param]


@pytest.fixture(params=["ntm", "lstm"])
def model(request, task):
    torch.manual_seed(0)
    sizes = (task.input_size, task.output_size)
    if request.param == "lstm":
        return StackedLSTM(*sizes, hidden_size=5, layers=2).double()
    return NTM(*sizes, slots=6, width=4, controller_size=8).double()


def double(batch):
    return type(batch)(
        inputs=batch.inputs.double(), targets=batch.targets.double(), mask=batch.mask, lengths=batch.lengths
    )


def gradients(model, task, carried=None, *, index=0, count=1, **options):
    """Return scores, state and gradients as computed by one of several processes, which are not added up."""
    settings = TrainSettings(device="cpu", batch_size=4, **options)
    model, processes = copy.deepcopy(model), Processes(settings)
    processes.index, processes.count, processes.sum = index, count, dict
    network = Replicas(model, settings, processes)
    scores, state, _ = gradient(
        network, task, double(task.batch(3, 4)), carried, settings=settings, processes=processes
    )
    return scores, state, [parameter.grad for parameter in model.parameters()]


def same(first, second):
    for mine, other in zip(first[2], second[2], strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)
    assert first[0] == pytest.approx(second[0], rel=1e-9)


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_accumulated_parts_have_the_gradient_of_the_batch(model, task, parts):
    same(gradients(model, task, accumulate=parts), gradients(model, task))


@pytest.mark.parametrize("options", [{}, {"accumulate": 2, "tbptt": 3}], ids=["whole", "parts and chunks"])
@pytest.mark.parametrize("count", [2, 3])
def test_the_mean_gradient_of_all_processes_is_that_of_the_batch(model, task, count, options):
    """Rows of other processes have other weights."""
    options = options if count == 2 else {"tbptt": options.get("tbptt")}
    shares = [gradients(model, task, index=index, count=count, **options) for index in range(count)]
    scores, _, whole = gradients(model, task, **options)
    assert sum(share[0]["loss"] for share in shares) == pytest.approx(scores["loss"], rel=1e-9)
    for parts, all_of_it in zip(zip(*(share[2] for share in shares), strict=True), whole, strict=True):
        torch.testing.assert_close(torch.stack(parts).mean(0), all_of_it, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("options", [{"accumulate": 3}, {"tbptt": 2}, {"accumulate": 2, "tbptt": 2}, {}])
def test_gradients_are_averaged_over_processes_in_the_last_backward_pass_only(model, task, monkeypatch, options):
    averaged, without = [], []

    @contextmanager
    def no_sync(_):
        without.append(1)
        yield
        without.pop()

    monkeypatch.setattr(Replicas, "no_sync", no_sync)
    monkeypatch.setattr(Accelerator, "backward", lambda _, loss: averaged.append(not without) or loss.backward())
    gradients(model, task, **options)
    chunks = -(-task.batch(3, 4).inputs.shape[1] // 2) if "tbptt" in options else 1
    assert averaged == [False] * (options.get("accumulate", 1) * chunks - 1) + [True]


@pytest.mark.parametrize("every", [None, 2])
def test_the_network_recomputes_as_the_settings_say(model, task, monkeypatch, every):
    seen, forward = [], type(model).forward
    monkeypatch.setattr(
        type(model),
        "forward",
        lambda *given, **options: seen.append(options.get("checkpoint_every")) or forward(*given, **options),
    )
    gradients(model, task, checkpoint_every=every)
    assert seen == [every]


@pytest.mark.parametrize("more", [0, 1, 1000])
def test_a_chunk_that_is_the_whole_is_full_back_propagation(model, task, more):
    whole = task.batch(3, 4).inputs.shape[1]
    same(gradients(model, task, tbptt=whole + more), gradients(model, task))


def test_recomputation_changes_memory_and_no_number(model, task):
    same(gradients(model, task, checkpoint_every=2), gradients(model, task))


@pytest.mark.parametrize("chunk", [1, 3, 5])
def test_truncation_detaches_the_state_between_chunks(model, task, chunk):
    """The reference is one loss over all chunks, with states detached in between."""
    batch = double(task.batch(3, 4))
    by_hand = copy.deepcopy(model)
    outputs, state = [], None
    for first in range(0, batch.inputs.shape[1], chunk):
        part = batch.steps(first, first + chunk)
        ys, state = by_hand(part.inputs, state, lengths=part.lengths)
        state = tree.detach(state)
        outputs.append(ys)
    task.loss(torch.cat(outputs, dim=1), batch).backward()
    scores, _, found = gradients(model, task, tbptt=chunk)
    for mine, parameter in zip(found, by_hand.parameters(), strict=True):
        torch.testing.assert_close(mine, parameter.grad, rtol=1e-9, atol=1e-12)
    assert scores["loss"] == pytest.approx(gradients(model, task)[0]["loss"], rel=1e-9)


def test_truncation_changes_the_gradient(model, task):
    whole, cut = gradients(model, task), gradients(model, task, tbptt=3)
    assert any(not torch.allclose(mine, other) for mine, other in zip(whole[2], cut[2], strict=True))


def test_a_carried_state_is_the_last_state_without_a_graph(model, task):
    batch = double(task.batch(3, 4))
    expected = model(batch.inputs, lengths=batch.lengths)[1]
    for options in ({}, {"tbptt": 3}, {"accumulate": 2}, {"tbptt": 3, "accumulate": 3}):
        _, state, _ = gradients(model, task, carry=True, **options)
        for mine, other in zip(tree.leaves(state), tree.leaves(expected), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)
            assert mine.grad_fn is None
            assert not mine.requires_grad


def test_training_starts_from_a_carried_state(model, task):
    _, state, _ = gradients(model, task, carry=True)
    fresh, on = gradients(model, task), gradients(model, task, state)
    assert fresh[0]["loss"] != on[0]["loss"]
    same(gradients(model, task, state, accumulate=2), on)


def test_without_carry_no_state_is_returned(model, task):
    assert gradients(model, task)[1] is None
