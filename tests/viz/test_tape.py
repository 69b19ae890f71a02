"""A tape refuses arrays that do not fit on one time axis."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from memtape.core.view import View
from memtape.viz.tape import Tape

pytestmark = pytest.mark.usefixtures("shapes_unchecked")

FIELDS = ["inputs", "outputs", "targets", "scored"]
VIEWS = ["adds", "reads", "write_weights", "read_weights"]


@pytest.mark.parametrize("name", FIELDS[1:])
def test_a_field_with_fewer_steps_than_the_inputs_is_refused(copy_tape: Callable[..., Tape], name: str) -> None:
    tape = copy_tape(4)
    with pytest.raises(ValueError, match=rf"{name} of the tape has 8 along its time axis, but inputs has 9"):
        replace(tape, **{name: getattr(tape, name)[:8]})


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_with_fewer_steps_than_the_inputs_is_refused(
    copy_tape: Callable[..., Tape], changed: Callable[..., Tape], name: str
) -> None:
    tape = copy_tape(4)
    with pytest.raises(ValueError, match=rf"{name} of the tape has 8 along its time axis, but inputs has 9"):
        changed(tape, **{name: tape.view(name)[:8]})


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_with_a_batch_axis_is_refused(copy_tape: Callable[..., Tape], name: str) -> None:
    tape = copy_tape(4)
    with pytest.raises(ValueError, match=rf"{name} of the tape has shape \(1, 9.*without a batch axis"):
        replace(tape, **{name: getattr(tape, name)[None]})


def test_targets_and_outputs_must_agree_on_their_size(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    with pytest.raises(ValueError, match="targets of the tape has 1 along its output axis, but outputs has 2"):
        replace(tape, targets=tape.targets[:, :1])


def test_views_must_agree_on_the_slots(copy_tape: Callable[..., Tape], changed: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    with pytest.raises(
        ValueError, match="read_weights of the tape has 3 along its slots axis, but write_weights has 16"
    ):
        changed(tape, read_weights=tape.view("read_weights")[:, :, :3])


def test_a_matrix_has_one_step(copy_tape: Callable[..., Tape], view: Callable[..., View]) -> None:
    tape = copy_tape(4)
    contents = view("contents", "Contents", np.zeros((9, 16, 3)), "slot", "width")
    with pytest.raises(
        ValueError, match="contents of the tape has 9 along its last step axis, but a matrix has 1, and both"
    ):
        replace(tape, views=(contents,))


def test_a_tape_without_steps_is_refused(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    with pytest.raises(ValueError, match="at least one step of time"):
        replace(tape, views=(), **{name: getattr(tape, name)[:0] for name in FIELDS})


@pytest.mark.parametrize("name", ["adds", "inputs"])
def test_names_of_arrays_must_be_unique(copy_tape: Callable[..., Tape], view: Callable[..., View], name: str) -> None:
    tape = copy_tape(4)
    twice = view(name, "Adds again", np.zeros((9, 1, 3)), "head", "width")
    with pytest.raises(ValueError, match=f"the tape has 2 arrays of the name '{name}', but names must be unique; give"):
        replace(tape, views=(*tape.views, twice))


def test_logits_instead_of_probabilities_are_refused(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    with pytest.raises(ValueError, match=r"outputs of the tape spans -4\.\..*pass the sigmoid of the logits"):
        replace(tape, outputs=8 * tape.targets - 4)


def test_weights_above_one_are_refused(copy_tape: Callable[..., Tape], changed: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    with pytest.raises(
        ValueError, match=r"read_weights of the tape spans 0\.\.2.*in 0\.\.1; pass .* of another scale than"
    ):
        changed(tape, read_weights=2 * tape.view("read_weights"))


def test_amounts_below_zero_are_refused(copy_tape: Callable[..., Tape], view: Callable[..., View]) -> None:
    own = view("own", "Own", np.full((9, 1), -2.0), "thing", scale="amount", measure="thing")
    with pytest.raises(
        ValueError, match=r"own of the tape spans -2\.\.-2, but it must lie in 0\.\.inf; pass such numbers"
    ):
        replace(copy_tape(4), views=(own,))


def test_numbers_that_are_not_finite_are_refused_with_their_index(
    copy_tape: Callable[..., Tape], changed: Callable[..., Tape]
) -> None:
    tape = copy_tape(4)
    adds = tape.view("adds").copy()
    adds[2, 0, 1] = np.nan
    with pytest.raises(ValueError, match=r"adds of the tape is nan at \(2, 0, 1\)"):
        changed(tape, adds=adds)


def test_an_array_of_an_invalid_type_is_refused(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    with pytest.raises(TypeError, match="inputs of the tape is a list, but it must be a numpy array of floats"):
        replace(tape, inputs=tape.inputs.tolist())
    with pytest.raises(TypeError, match="targets of the tape has dtype int64, but it must contain floats"):
        replace(tape, targets=tape.targets.astype(np.int64))
    with pytest.raises(TypeError, match="scored of the tape has dtype float64, but it must contain truth values"):
        replace(tape, scored=tape.scored.astype(float))


def test_only_scored_bits_count_as_wrong(copy_tape: Callable[..., Tape]) -> None:
    tape = copy_tape(4)
    assert not tape.wrong.any()
    outputs = tape.outputs.copy()
    outputs[[0, 7], 1] = 1 - tape.targets[[0, 7], 1]
    assert np.argwhere(replace(tape, outputs=outputs).wrong).tolist() == [[7, 1]]
