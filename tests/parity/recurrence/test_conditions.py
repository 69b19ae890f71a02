"""Conditions beyond plain runs, and torch's features for operators, for the fused recurrence."""

import dataclasses

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from memtape.core import compiled_library as loading
from memtape.kernels import calling

BATCH, TIME, HIDDEN = 5, 19, 6
LENGTHS = torch.tensor([19, 1, 17, 0, 9])

each_form = pytest.mark.parametrize("name", ["lstm", "gru", "early gru", "plain", "output"])


@pytest.fixture
def case(recurrence, name):
    """One form, and its inputs."""
    form, parts = recurrence.forms[name]
    return form, *recurrence.drawn(form.kind, HIDDEN, batch=BATCH, time=TIME, **parts)


def same_bits(actual, expected):
    for name, wanted in expected.items():
        assert torch.equal(actual[name], wanted), name


@each_form
@pytest.mark.parametrize("garbage", [float("nan"), float("inf"), 1e300])
def test_padding_has_no_influence(recurrence, case, garbage, equal_up_to_rounding):
    form, parameters, state, given = case
    alive = (torch.arange(TIME) < LENGTHS[:, None])[..., None]
    expected = recurrence.run(recurrence.fused, *case, LENGTHS)
    padded = torch.where(alive, given.detach(), garbage).requires_grad_()
    actual = recurrence.run(recurrence.fused, form, parameters, state, padded, LENGTHS)
    equal_up_to_rounding(actual, expected)
    for part in ("outputs", "gradient of given"):
        assert not actual[part][~alive.expand_as(actual[part])].any()


@each_form
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
def test_uninitialised_memory_is_not_read(recurrence, case, fresh_memory, lengths):
    fresh_memory(False)
    expected = recurrence.run(recurrence.fused, *case, lengths)
    fresh_memory(True)
    same_bits(recurrence.run(recurrence.fused, *case, lengths), expected)


@each_form
def test_tensors_may_have_any_strides(recurrence, case, equal_up_to_rounding):
    def scattered(record):
        parts = {name: None if part is None else part.detach().mT.contiguous().mT for name, part in matrices(record)}
        return dataclasses.replace(record, **{name: part.requires_grad_() for name, part in parts.items()})

    def matrices(record):
        return [(name, part) for name, part in vars(record).items() if part is not None and part.ndim == 2]

    form, parameters, state, given = case
    expected = recurrence.run(recurrence.fused, *case, LENGTHS)
    wide = torch.full((*given.shape, 2), torch.nan, dtype=given.dtype)
    wide[..., 0] = given.detach()
    other = (form, scattered(parameters), scattered(state), wide[..., 0].requires_grad_())
    every_other = torch.stack([LENGTHS, torch.zeros_like(LENGTHS)], dim=1)[:, 0]
    lengths = every_other.to(torch.int16).to(torch.int64)
    equal_up_to_rounding(recurrence.run(recurrence.fused, *other, lengths), expected)


@each_form
def test_threads_change_nothing_but_rounding(recurrence, case, equal_up_to_rounding):
    found = []
    for threads in (1, 2, 5, 16):
        torch.set_num_threads(threads)
        found.append(recurrence.run(recurrence.fused, *case, LENGTHS))
    for other in found[1:]:
        equal_up_to_rounding(other, found[0])


@each_form
def test_a_single_row_equals_that_row_of_a_batch(recurrence, case, equal_up_to_rounding):
    form, parameters, state, given = case
    ys, last = recurrence.fused(form, parameters, state, given, LENGTHS)
    for row in range(BATCH):
        mine = slice(row, row + 1)
        one = type(state)(**{name: None if part is None else part[mine] for name, part in vars(state).items()})
        own, end = recurrence.fused(form, parameters, one, given[mine], LENGTHS[mine])
        equal_up_to_rounding(own, ys[mine])
        equal_up_to_rounding(end.fed, last.fed[mine])


@each_form
@pytest.mark.parametrize("build", loading.LEVELS)
def test_every_build_agrees(recurrence, case, with_build, build):
    with_build(build)
    form, *drawing = case
    recurrence.agree(form, drawing, LENGTHS)


@each_form
def test_only_tensors_that_require_a_gradient_get_one(recurrence, case):
    form, parameters, state, given = case
    frozen = type(parameters)(
        **{name: part if part is None else part.detach() for name, part in vars(parameters).items()}
    )
    ys, _ = recurrence.fused(form, frozen, state, given.detach(), None)
    ys.sum().backward()
    assert state.fed.grad is not None
    assert given.grad is None


@each_form
def test_nothing_is_saved_if_no_gradient_is_required(recurrence, case):
    sizes = {}
    for keep in (True, False):

        class Results(TorchDispatchMode):
            def __torch_dispatch__(self, func, types, args=(), kwargs=None, keep=keep):
                found = func(*args, **(kwargs or {}))
                if func.namespace == "memtape":
                    sizes[keep] = sum(result.numel() for result in found)
                return found

        with torch.set_grad_enabled(keep), Results():
            ys, last = recurrence.fused(*case, None)
    assert sizes[False] == ys.numel() + sum(part.numel() for part in vars(last).values() if part is not None)
    assert sizes[True] >= 2 * ys.numel()


@each_form
def test_the_operator_passes_torch_s_checks(case):
    form, parameters, state, given = case
    tensors = (given, *vars(parameters).values(), *vars(state).values(), None)
    kind = ["lstm", "gru", "plain", "early_gru", "output"].index(form.kind)
    checks = ("test_schema", "test_faketensor", "test_aot_dispatch_static")
    torch.library.opcheck(
        torch.ops.memtape.recurrence.default, (*tensors, [kind, 0, 0], [1e-5], True), test_utils=checks
    )


@each_form
def test_second_derivatives_are_refused_with_one_sentence(recurrence, case):
    ys, _ = recurrence.fused(*case, None)
    (gradient,) = torch.autograd.grad((ys**2).sum(), case[-1], create_graph=True)
    message = 'a gradient of a gradient was requested from the fused recurrence, which has none; run the .*"reference"'
    with pytest.raises(RuntimeError, match=message):
        torch.autograd.grad(gradient.sum(), case[-1])


@each_form
def test_out_of_memory_is_reported_in_one_sentence(recurrence, case, monkeypatch):
    class Exhausted:
        """Kernels for which every call fails to allocate memory."""

        def __getattr__(self, name):
            return lambda *records: 1

    ys, _ = recurrence.fused(*case, None)
    monkeypatch.setattr(calling, "kernels", type("Found", (), {"library": Exhausted()}))
    message = "the fused recurrence ran out of memory; use a smaller batch or shorter sequences, or store fewer"
    with pytest.raises(MemoryError, match=message):
        recurrence.fused(*case, None)
    with pytest.raises(MemoryError, match=message):
        ys.sum().backward()
