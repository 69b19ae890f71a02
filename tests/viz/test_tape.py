"""A tape refuses what does not belong on one time axis."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from memtape.viz.tape import Tape

pytestmark = pytest.mark.usefixtures("shapes_unchecked")

FIELDS = ["inputs", "outputs", "targets", "scored", "adds", "reads", "write_weights", "read_weights"]


@pytest.mark.parametrize("name", FIELDS[1:])
def test_a_field_with_fewer_steps_than_the_inputs_is_refused(copy_tape: Callable[..., Tape], name: str) -> None:
    tape = copy_tape(4)
    with pytest.raises(ValueError, match=rf"{name} of the tape has 8 along its time axis, but inputs has 9"):
        replace(tape, **{name: getattr(tape, name)[:8]})


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_with_a_batch_axis_is_refused(copy_tape: Callable[..., Tape], name: str) -> None:
    tape = copy_tape(4)
    with pytest.raises(ValueError, match=rf"{name} of the tape has shape \(1, 9.*without a batch axis"):
        replace(tape, **{name: getattr(tape, name)[None]})


@pytest.mark.parametrize(
    ("name", "axis"),
    [("targets", "output"), ("reads", "width"), ("write_weights", "write_heads"), ("read_weights", "slots")],
)
def test_fields_that_share_an_axis_must_agree_on_it(copy_tape: Callable[..., Tape], name: str, axis: str) -> None:
    tape = copy_tape(4, heads=2)
    array = getattr(tape, name)
    place = {"targets": 1, "reads": 2, "write_weights": 1, "read_weights": 2}[name]
    with pytest.raises(ValueError, match=f"{name} of the tape has .* along its {axis} axis"):
        replace(tape, **{name: np.take(array, [0], axis=place)})


def test_a_tape_without_steps_is_refused(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    with pytest.raises(ValueError, match="at least one step of time"):
        replace(tape, **{name: getattr(tape, name)[:0] for name in FIELDS})


def test_logits_are_no_probabilities(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    with pytest.raises(ValueError, match=r"outputs of the tape spans -4\.\..*pass the sigmoid of the logits"):
        replace(tape, outputs=8 * tape.targets - 4)


def test_weights_above_one_are_refused(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    with pytest.raises(ValueError, match=r"read_weights of the tape spans 0\.\.2.*after their softmax"):
        replace(tape, read_weights=2 * tape.read_weights)


def test_numbers_of_a_diverged_run_are_refused_with_their_place(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    adds = tape.adds.copy()
    adds[2, 0, 1] = np.nan
    with pytest.raises(ValueError, match=r"adds of the tape is nan at \(2, 0, 1\)"):
        replace(tape, adds=adds)


def test_what_is_no_array_of_the_right_kind_is_refused(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    with pytest.raises(TypeError, match="inputs of the tape is a list, but it must be a numpy array of floats"):
        replace(tape, inputs=tape.inputs.tolist())
    with pytest.raises(TypeError, match="targets of the tape has dtype int64, but it must hold floats"):
        replace(tape, targets=tape.targets.astype(np.int64))
    with pytest.raises(TypeError, match="scored of the tape has dtype float64, but it must hold truth values"):
        replace(tape, scored=tape.scored.astype(float))


def test_only_scored_bits_count_as_wrong(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    assert not tape.wrong.any()
    outputs = tape.outputs.copy()
    outputs[[0, 7], 1] = 1 - tape.targets[[0, 7], 1]
    assert np.argwhere(replace(tape, outputs=outputs).wrong).tolist() == [[7, 1]]
