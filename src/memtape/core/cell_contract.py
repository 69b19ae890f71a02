"""Cell contract: what a cell must be and return; every breach is named in one sentence with its cure."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from memtape.core import growth, state_tree
from memtape.core.cell import Cell
from memtape.core.integers import is_integer
from memtape.core.type_name import a_type

TORCH_CELLS = {nn.RNNCell: "ElmanCell", nn.LSTMCell: "LSTMCell", nn.GRUCell: "GRUCell"}
"""The cells of torch, and the names of those in `memtape.cells`."""

BREACHES = (AttributeError, IndexError, RuntimeError, TypeError, ValueError)
"""The errors that a cell may raise, or cause in the cell around it, because it breaks the contract."""


def require_cells(owner: str, *cells: Any) -> None:
    """Raise unless all arguments are cells with sizes.

    Args:
        owner: the class or function that takes them, for the error message.
        cells: the arguments.

    Raises:
        TypeError: an argument is not a `Cell`, or has no size.
    """
    for cell in cells:
        if not isinstance(getattr(cell, "_orig_mod", cell), Cell):  # a compiled cell holds the cell itself
            raise TypeError(f"{owner} was given {a_type(cell)}, but it takes a cell of memtape; {_cure(cell)}")
        for size in ("input_size", "output_size"):
            if not is_integer(getattr(cell, size, None)):
                raise TypeError(
                    f"{type(cell).__name__} has no {size}, but a cell has the sizes of its vectors as integers; "
                    f"set self.{size} in its __init__"
                )


def initial_state(cell: Cell[Any], batch: int, xs: Tensor) -> Any:
    """Return the initial state of a cell, checked.

    Args:
        cell: the cell.
        batch: number of sequences.
        xs: the inputs, whose device and dtype the state must have.

    Raises:
        TypeError: `init_state` does not take these arguments, or returns something else than tensors.
        ValueError: a tensor of the state has another batch size, device or dtype.
    """
    if torch.compiler.is_compiling():
        return cell.init_state(batch, device=xs.device, dtype=xs.dtype)
    try:
        state = cell.init_state(batch, device=xs.device, dtype=xs.dtype)
    except TypeError as error:
        for part in _parts(cell):
            if not _takes(part.init_state, batch, device=xs.device, dtype=xs.dtype):
                raise TypeError(
                    f"init_state of {type(part).__name__} was called with a batch size, device= and dtype=, but does not "
                    "take them; declare it as init_state(self, batch_size, *, device=None, dtype=None)"
                ) from error
        raise
    for leaf in state_tree.leaves(state):
        if not isinstance(leaf, Tensor):
            _check_state(f"init_state of {type(cell).__name__} returned", state)
        if leaf.shape[:1] != (batch,):
            raise ValueError(
                f"init_state of {type(cell).__name__} returned a tensor of shape {tuple(leaf.shape)}, but the batch has "
                f"{batch} rows; make the batch axis of every tensor of a state its first"
            )
        converted = leaf.dtype != xs.dtype and leaf.is_floating_point()
        if leaf.device != xs.device or (converted and not torch.is_autocast_enabled(xs.device.type)):
            raise ValueError(
                f"init_state of {type(cell).__name__} returned {leaf.dtype} on {leaf.device}, but the inputs are {xs.dtype} "
                f"on {xs.device}; make the tensors with the device= and dtype= that init_state receives"
            )
    return state


def first_step(cell: Cell[Any], step: Callable[[Tensor, Any], Any], x: Tensor, state: Any) -> tuple[Tensor, Any]:
    """Take the first step of a sequence, and check what the cell returns.

    Args:
        cell: the cell.
        step: the cell, or its compiled step.
        x: the inputs of the step.
        state: the state before the step.

    Raises:
        TypeError: the cell or a part of it does not take an input and a state, or does not return an output and a state.
        ValueError: the output or the state that it returns has another shape.
    """
    if torch.compiler.is_compiling():
        return step(x, state)
    try:
        result = step(x, state)
        _check_step(cell, x, state, result)
    except BREACHES as error:
        _raise_breach_of_part(cell, x, state, error)
        raise
    return result


def _check_step(cell: Cell[Any], x: Tensor, state: Any, result: Any) -> None:
    name = type(cell).__name__
    several = isinstance(result, tuple | list)
    if not several or len(result) != 2 or not isinstance(result[0], Tensor):
        found = f"{len(result)} values" if several and len(result) != 2 else a_type(result)
        raise TypeError(
            f"one step of {name} returned {found}, but it must return an output and the next state; return (y, state)"
        )
    y, moved = result
    wanted = (len(x), cell.output_size)
    if y.shape != wanted:
        raise ValueError(
            f"one step of {name} returned an output of shape {tuple(y.shape)}, but its output_size and the batch make "
            f"{wanted}; correct the output or self.output_size"
        )
    _check_state(f"one step of {name} returned", moved)
    if not state_tree.same_structure(moved, state):
        raise ValueError(
            f"one step of {name} returned a state of another structure than that before it; "
            "return the same class of state with the same fields"
        )
    before = state_tree.named_leaves(state)
    for path, leaf in state_tree.named_leaves(growth.cut(moved, state)).items():
        if leaf.shape != before[path].shape:
            raise ValueError(
                f"one step of {name} returned {path or 'a state'} of shape {tuple(leaf.shape)}, but it was "
                f"{tuple(before[path].shape)} before; a state keeps its shapes from step to step"
            )


def _check_state(found: str, state: Any) -> None:
    paths, _ = pytree.tree_flatten_with_path(state)
    for path, leaf in paths:
        if isinstance(leaf, Tensor):
            continue
        where = f"a state with {a_type(leaf)}" if path else a_type(leaf)
        if dataclasses.is_dataclass(leaf):
            cure = f"declare the class {type(leaf).__name__} with @memtape.state instead of @dataclass"
        elif path:
            cure = "make it a tensor with one row for each sequence"
        else:
            cure = "return a tensor, a tuple of tensors or a record declared with @memtape.state"
        raise TypeError(f"{found} {where}, but a state consists of tensors; {cure}")


def _raise_breach_of_part(cell: Cell[Any], x: Tensor, state: Any, error: BaseException) -> None:
    """Take the step again, and raise if a part of the cell breaks the contract before the error comes."""

    def check(part: Any, arguments: tuple[Any, ...], result: Any) -> None:
        _check_step(part, arguments[0], arguments[1], result)

    for part in _parts(cell):
        if not _takes(part.forward, x, state):
            raise TypeError(
                f"forward of {type(part).__name__} was called with an input and a state, but does not take them; "
                "declare it as forward(self, x, state)"
            ) from error
    handles = [part.register_forward_hook(check) for part in _parts(cell) if part is not cell]
    try:
        with torch.no_grad():
            cell(x, state)
    except BREACHES as found:
        if type(found) is not type(error) or str(found) != str(error):
            raise found from error
    finally:
        for handle in handles:
            handle.remove()


def _parts(cell: Cell[Any]) -> list[Cell[Any]]:
    """Return a cell and all cells within it, the innermost first."""
    return [part for part in cell.modules() if isinstance(part, Cell)][::-1]


def _takes(function: Callable[..., Any], *arguments: Any, **named: Any) -> bool:
    try:
        inspect.signature(function).bind(*arguments, **named)
    except TypeError:
        return False
    return True


def _cure(value: Any) -> str:
    if isinstance(value, type):
        return f"call it with its sizes, {value.__name__}(...)"
    if type(value) in TORCH_CELLS:
        return f"pass memtape.cells.{TORCH_CELLS[type(value)]}"
    if isinstance(value, nn.RNNBase):
        return "pass memtape.cells.from_torch(...) of it"
    return "pass one, or derive your class from memtape.Cell"
