"""The fused recurrence against its equations: every option, and sizes around the width of a vector register."""

import itertools

import pytest
import torch

from memtape.kernels.recurrence import RecurrenceForm

# float32: rounding of 6e-8, amplified over the steps; the worst of these cases is 2e-6.
SINGLE = 1e-4

LENGTHS = torch.tensor([7, 0, 3, 1])

CAN_HAVE = {"lstm": ("normal", "bias", "peepholes"), "plain": ("normal", "bias", "leak")}

OPTIONS = {
    ", ".join((kind, activation, *names)): (kind, activation, names)
    for kind in ("lstm", "gru", "early_gru", "plain", "output")
    for activation in (("tanh", "relu") if kind in ("plain", "output") else ("tanh", "sigmoid"))
    for count in range(4)
    for names in itertools.combinations(CAN_HAVE.get(kind, ("normal", "bias")), count)
}

both_dtypes = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, SINGLE)], ids=["float64", "float32"]
)
each_form = pytest.mark.parametrize("name", ["lstm", "gru", "early gru", "plain", "output"])


@pytest.mark.parametrize(("kind", "activation", "names"), OPTIONS.values(), ids=OPTIONS)
def test_every_option_agrees(recurrence, kind, activation, names):
    form = RecurrenceForm(kind=kind, activation=activation, epsilon=1e-5)
    recurrence.agree(form, recurrence.drawn(kind, 5, batch=4, time=7, **dict.fromkeys(names, True)), LENGTHS)


@pytest.mark.parametrize("feedback", ["outputs", "softmax", "sigmoid", "argmax"])
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
def test_every_feedback_agrees(recurrence, feedback, lengths):
    form = RecurrenceForm(kind="output", feedback=feedback)
    recurrence.agree(form, recurrence.drawn("output", 9, batch=4, time=7), lengths)


@both_dtypes
@each_form
@pytest.mark.parametrize("size", [1, 3, 16, 17, 64, 100])
def test_any_size_agrees(recurrence, dtype, tolerance, name, size):
    form, parts = recurrence.forms[name]
    if parts.get("normal") and size == 1:
        parts = parts | {"normal": False}  # one number minus its mean is 0 up to rounding, which is magnified 300 times
    recurrence.agree(form, recurrence.drawn(form.kind, size, batch=3, time=4, dtype=dtype, **parts), None, tolerance)


@each_form
@pytest.mark.parametrize("batch", [0, 1, 2, 7, 8, 9, 21])
def test_any_batch_agrees(recurrence, name, batch):
    form, parts = recurrence.forms[name]
    lengths = torch.arange(batch) % 6
    recurrence.agree(form, recurrence.drawn(form.kind, 5, batch=batch, time=5, **parts), lengths)


@each_form
@pytest.mark.parametrize("time", [1, 2, 15, 16, 17, 33])
def test_any_time_agrees(recurrence, name, time):
    form, parts = recurrence.forms[name]
    recurrence.agree(form, recurrence.drawn(form.kind, 5, batch=2, time=time, **parts))
    recurrence.agree(form, recurrence.drawn(form.kind, 5, batch=2, time=time, **parts), torch.tensor([time - 1, time]))
