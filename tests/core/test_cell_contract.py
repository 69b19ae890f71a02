"""A user's own cell that breaks the contract is refused in one sentence with the cure; a valid one runs."""

import dataclasses
import re
from typing import NamedTuple

import pytest
import torch
from torch import nn

import memtape
from memtape.cells import GRUCell, Readout, Stacked
from memtape.core.cell import Cell
from memtape.core.recurrent import Recurrent

ROWS, INPUT, SIZE = 2, 3, 4
XS = torch.ones(ROWS, 5, INPUT)

pytestmark = pytest.mark.usefixtures("shapes_unchecked")


@dataclasses.dataclass(frozen=True)
class Plain:
    """A plain dataclass, which torch does not look into."""

    hidden: torch.Tensor


@dataclasses.dataclass(slots=True)
class Slotted:
    """A plain dataclass with slots."""

    hidden: torch.Tensor


@memtape.state
class Holder:
    """A state with a field of any type."""

    hidden: torch.Tensor
    inner: object


class Named(NamedTuple):
    """A tuple with names."""

    hidden: torch.Tensor
    count: torch.Tensor


class Own(Cell):
    """A cell that adds up its inputs, with any form of state and result."""

    def __init__(self, begin=lambda zeros: zeros, step=None):
        super().__init__()
        self.input_size, self.output_size = INPUT, SIZE
        self.from_input = nn.Linear(INPUT, SIZE)
        self.begin, self.step = begin, step

    def init_state(self, batch_size, *, device=None, dtype=None):
        return self.begin(torch.zeros(batch_size, SIZE, device=device, dtype=dtype))

    def forward(self, x, state):
        return self.step(self.from_input(x), state)


def refused(cell, message, error=TypeError, xs=XS):
    for whole in (cell, Readout(cell, 2), Stacked([cell, GRUCell(SIZE, 3)])):
        with pytest.raises(error, match=re.escape(message)) as caught:
            Recurrent(whole)(xs)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("begin", "step"),
    [
        (lambda zeros: zeros, lambda x, state: (x + state, x + state)),
        (lambda zeros: (zeros, zeros), lambda x, state: (x + state[0], (x + state[0], state[1]))),
        (lambda zeros: {"hidden": zeros}, lambda x, state: (x + state["hidden"], {"hidden": x + state["hidden"]})),
        (lambda zeros: Named(zeros, zeros.long()), lambda x, s: (x + s.hidden, Named(x + s.hidden, s.count + 1))),
        (lambda zeros: (), lambda x, state: (x, ())),
    ],
    ids=["tensor", "tuple", "dict", "named tuple", "nothing"],
)
def test_a_state_may_have_any_form_of_tensors(begin, step):
    cell = Own(begin, step)
    ys, last = Recurrent(cell)(XS, lengths=[5, 3])
    again, _ = Recurrent(cell)(XS, last)
    assert again.shape == ys.shape == (ROWS, 5, SIZE)
    assert Recurrent(Stacked([cell, GRUCell(SIZE, 3)]))(XS)[0].shape == (ROWS, 5, 3)


@pytest.mark.parametrize("record", [Plain, Slotted])
def test_a_plain_dataclass_is_no_state(record):
    name = record.__name__
    cure = f"but a state consists of tensors; declare the class {name} with @memtape.state instead of @dataclass"
    step = lambda x, state: (x, state)  # noqa: E731
    message = f"init_state of Own returned a {name}, {cure}"
    with pytest.raises(TypeError, match=message):
        Recurrent(Own(record, step))(XS)
    refused(Own(lambda zeros: Holder(hidden=zeros, inner=record(zeros)), step), cure)
    refused(Own(step=lambda x, state: (x, record(x))), f"one step of Own returned a {name}, {cure}")


@pytest.mark.parametrize(("value", "named"), [(3, "an int"), (None, "nothing (None)"), ([1.0], "a float")])
def test_a_state_holds_tensors_only(value, named):
    cell = Own(lambda zeros: Holder(hidden=zeros, inner=value), lambda x, state: (x, state))
    refused(cell, f"returned a state with {named}, but a state consists of tensors; make it a tensor with one row for")


def test_no_state_at_all_is_refused():
    cell = Own(lambda zeros: None, lambda x, state: (x, state))
    with pytest.raises(
        TypeError, match=r"init_state of Own returned nothing \(None\), but a state consists of tensors; ret"
    ):
        Recurrent(cell)(XS)


@pytest.mark.parametrize(
    ("step", "found"),
    [
        (lambda x, state: x, "a Tensor"),
        (lambda x, state: (x, state, state), "3 values"),
        (lambda x, state: (x,), "1 values"),
        (lambda x, state: None, "nothing (None)"),
        (lambda x, state: ((x, x), state), "a tuple"),
    ],
)
def test_a_step_returns_an_output_and_a_state(step, found):
    refused(
        Own(step=step), f"one step of Own returned {found}, but it must return an output and the next state; return (y,"
    )


def test_an_output_has_the_size_of_the_cell():
    message = (
        "one step of Own returned an output of shape (2, 3), but its output_size and the batch make (2, 4); correct"
    )
    refused(Own(step=lambda x, state: (x[:, 1:], state)), message, ValueError)


def test_a_state_keeps_its_structure_and_its_shapes():
    message = (
        "one step of Own returned a state of another structure than that before it; return the same class of state"
    )
    refused(Own(step=lambda x, state: (x, (state, state))), message, ValueError)
    message = "one step of Own returned a state of shape (2, 8), but it was (2, 4) before; a state keeps its shapes"
    refused(Own(step=lambda x, state: (x, torch.cat([x, state], dim=1))), message, ValueError)


def test_a_state_has_the_batch_first_and_the_dtype_of_the_inputs():
    same = lambda x, state: (x, state)  # noqa: E731
    message = (
        "init_state of Own returned a tensor of shape (4, 2), but the batch has 2 rows; make the batch axis of every"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        Recurrent(Own(lambda zeros: zeros.T, same))(XS)
    message = "init_state of Own returned torch.float64 on cpu, but the inputs are torch.float32 on cpu; make the tensors with"
    with pytest.raises(ValueError, match=message):
        Recurrent(Own(lambda zeros: zeros.double(), same))(XS)


class WithoutKeywords(Own):
    """A cell whose initial state takes a batch size only."""

    def init_state(self, batch_size):
        return torch.zeros(batch_size, SIZE)


class WithoutState(Own):
    """A cell whose step takes an input only."""

    def forward(self, x):
        return self.from_input(x)


def test_the_methods_take_their_arguments():
    message = (
        "init_state of WithoutKeywords was called with a batch size, device= and dtype=, but does not take them; decl"
    )
    refused(WithoutKeywords(step=lambda x, state: (x, state)), message)
    refused(
        WithoutState(), "forward of WithoutState was called with an input and a state, but does not take them; declare"
    )


def test_an_error_inside_a_step_is_raised_as_it_is():
    def step(x, state):
        raise RuntimeError("mine")

    refused(Own(step=step), "mine", RuntimeError)


def without(size):
    cell = GRUCell(3, 4)
    delattr(cell, size)
    return cell


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (nn.GRUCell(3, 4), "was given a GRUCell, but it takes a cell of memtape; pass memtape.cells.GRUCell"),
        (nn.RNNCell(3, 4), "was given an RNNCell, but it takes a cell of memtape; pass memtape.cells.ElmanCell"),
        (nn.LSTM(3, 4), "was given an LSTM, but it takes a cell of memtape; pass memtape.cells.from_torch(...) of it"),
        (
            nn.Linear(3, 4),
            "was given a Linear, but it takes a cell of memtape; pass one, or derive your class from memtape.C",
        ),
        (GRUCell, "was given the class GRUCell, but it takes a cell of memtape; call it with its sizes, GRUCell(...)"),
        (None, "was given nothing (None), but it takes a cell of memtape; pass one"),
        (
            without("output_size"),
            "GRUCell has no output_size, but a cell has the sizes of its vectors as integers; set self.",
        ),
    ],
)
def test_what_is_no_cell_is_refused(cell, message):
    for owner in (Recurrent, lambda cell: Stacked([GRUCell(2, 3), cell]), lambda cell: Readout(cell, 2)):
        with pytest.raises(TypeError, match=re.escape(message)):
            owner(cell)
    with pytest.raises(TypeError, match=re.escape(message)):
        memtape.unroll(cell, XS)


def test_a_compiled_cell_is_a_cell():
    assert Recurrent(torch.compile(GRUCell(3, 4), backend="eager")).output_size == 4
