"""Checks: validate inputs; each message names the value, the rule and the cure."""

import math
from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from memtape.core import state_tree
from memtape.core.integers import LARGEST, as_integers, is_integer, shown
from memtape.core.transforms import transforming

S = TypeVar("S")


def at_least(least: int, **values: int | float) -> None:
    """Raise unless every named value is an integer of at least `least`.

    Raises:
        TypeError: a value is not an integer.
        ValueError: a value is below `least`.
    """
    for name, value in values.items():
        _integer(name, name, value, least)


def probabilities(**values: float) -> None:
    """Raise unless every named value lies in 0..1.

    Raises:
        ValueError: a value is outside 0..1.
    """
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value}, but it is a probability; give a number in 0..1")


def dropout_rates(module: nn.Module, **values: float) -> None:
    """Raise unless every named value is at least 0 and below 1: at 1 nothing would be left.

    Raises:
        ValueError: a value is outside this range.
    """
    for name, value in values.items():
        if not 0 <= value < 1:
            raise ValueError(
                f"{name} of {type(module).__name__} is {value}, but it is a probability below 1; give at least 0 and "
                "less than 1"
            )


def positive(**values: float) -> None:
    """Raise unless every named value is finite and above 0.

    Raises:
        ValueError: a value is not finite or not above 0.
    """
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} is {value}, but it must be finite and above 0; give a positive number")


def finite_options(options: Mapping[str, Any]) -> None:
    """Raise an error if an argument of a constructor is a number that is not finite, which no file of JSON can hold.

    Raises:
        ValueError: names the argument.
    """
    for name, value in options.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} is {value}, but it must be finite; give another number")


def fit_in_64_bits(options: Mapping[str, Any]) -> None:
    """Raise an error if an argument of a constructor is an integer that no tensor can hold.

    Raises:
        ValueError: names the argument.
    """
    for name, value in options.items():
        if is_integer(value) and abs(value) > LARGEST:
            raise ValueError(f"{name} is {shown(value)}, but it must fit in 64 bits; give another number")


def one_of(choices: tuple[str, ...], **values: str) -> None:
    """Raise unless every named value is one of the choices.

    Raises:
        ValueError: a value is not among them.
    """
    for name, value in values.items():
        if value not in choices:
            names = ", ".join(repr(choice) for choice in choices)
            raise ValueError(f"{name} is {value!r}, but it must be one of {names}; choose one of them")


def sequences(cell: Any, xs: Any) -> None:
    """Raise unless `xs` has the shape (batch, time, input), the dtype and the device that a cell or a network needs.

    Raises:
        TypeError: `xs` is not a floating-point tensor.
        ValueError: `xs` has the wrong shape, dtype or device.
    """
    name = type(cell).__name__
    wanted = f"(batch, time, {cell.input_size})"
    if not isinstance(xs, Tensor):
        raise TypeError(f"the inputs are a {type(xs).__name__}, but {name} takes a tensor; pass one of shape {wanted}")
    if xs.ndim != 3 or xs.shape[2] != cell.input_size or xs.shape[1] < 1:
        raise ValueError(
            f"the inputs have shape {tuple(xs.shape)}, but {name} takes {wanted} with at least one step of time; "
            "reshape the inputs or build the network for their size"
        )
    _numbers(cell, xs, name)


def vectors(cell: Any, x: Tensor) -> None:
    """Raise unless `x` has the shape (batch, input), the dtype and the device that a single step of the cell needs.

    Raises:
        TypeError: `x` is not a floating-point tensor.
        ValueError: `x` has the wrong shape, dtype or device.
    """
    name = type(cell).__name__
    wanted = f"(batch, {cell.input_size})"
    if not isinstance(x, Tensor):
        raise TypeError(
            f"the input is a {type(x).__name__}, but a step of {name} takes a tensor; pass one of shape {wanted}"
        )
    if x.ndim != 2 or x.shape[1] != cell.input_size:
        raise ValueError(
            f"the input has shape {tuple(x.shape)}, but a step of {name} takes {wanted}; "
            "pass one step without an axis of time, or call the network for whole sequences"
        )
    _numbers(cell, x, name)


def lengths_of(xs: Tensor, lengths: Any) -> Int64[Tensor, " batch"]:
    """Check lengths, and return them as a tensor of int64 on the device of `xs`.

    Raises:
        TypeError: the lengths are not integers.
        ValueError: there is not one length for each row, or a length is outside 0..time.
    """
    batch, time = xs.shape[:2]
    result = as_integers("lengths", lengths, "numbers of steps", device=xs.device)
    if result.shape != (batch,):
        raise ValueError(
            f"lengths have shape {tuple(result.shape)}, but the batch has {batch} rows; pass one length for each row"
        )
    if torch.compiler.is_compiling():
        return result
    if batch and not 0 <= int(result.min()) <= int(result.max()) <= time:
        wrong = next(value for value in result.tolist() if not 0 <= value <= time)
        raise ValueError(
            f"a length is {wrong}, but every length must lie in 0..{time}, the time of the inputs; "
            "cut or pad the sequences"
        )
    return result


def starts_of(xs: Tensor, starts: Any) -> Tensor:
    """Check starts, and return them as a tensor on the device of `xs`.

    Raises:
        TypeError: the starts are not booleans.
        ValueError: the shape is not (batch, time).
    """
    result = torch.as_tensor(starts, device=xs.device)
    if result.dtype != torch.bool:
        raise TypeError(f"starts are {result.dtype}, but they must be one boolean for each step; pass a bool tensor")
    if result.shape != xs.shape[:2]:
        raise ValueError(
            f"starts have shape {tuple(result.shape)}, but the inputs have {tuple(xs.shape[:2])} (batch, time); "
            "pass one boolean for each step"
        )
    return result


def finite(xs: Tensor) -> None:
    """Raise if an input is NaN or infinite; padding must be zero. Under transforms, values are not checked.

    Raises:
        ValueError: an input is not finite; the message names the first one as (row, step, feature).
    """
    if torch.compiler.is_compiling() or transforming() or bool(torch.isfinite(xs).all()):
        return
    place = tuple(torch.nonzero(~torch.isfinite(xs))[0].tolist())
    raise ValueError(
        f"the inputs contain {xs[place].item()} at (row, step, feature) {place}, but they must be finite; "
        "clean the data, or pass lengths if that step is padding"
    )


def state_for(cell: Any, state: S, example: Any, batch: int) -> S:
    """Check that `state` is a state of this cell or network for this batch size, and return it.

    Raises:
        ValueError: the state has another structure, size, dtype, device or batch size.
    """
    if state_tree.alike(state, example):
        return state
    name = type(cell).__name__
    if not state_tree.same_structure(state, example):
        raise ValueError(
            f"the state is a {type(state).__name__} of another structure than the state of {name}; "
            "pass the state that this network returned, or None for the initial state"
        )
    wanted = state_tree.named_leaves(example)
    for path, leaf in state_tree.named_leaves(state).items():
        expected = wanted[path]
        if leaf.shape != expected.shape:
            raise ValueError(
                f"{path} of the state has shape {tuple(leaf.shape)}, but {name} with a batch of {batch} needs "
                f"{tuple(expected.shape)}; pass the state of the same network and batch, or None for the initial state"
            )
        if leaf.device != expected.device or leaf.dtype != expected.dtype:
            raise ValueError(
                f"{path} of the state is {leaf.dtype} on {leaf.device}, but the inputs need {expected.dtype} on "
                f"{expected.device}; move it with memtape.tree.move(state, ...)"
            )
    return state


def module_sizes(module: nn.Module, **sizes: int) -> None:
    """Raise unless every named size is an integer of at least 1.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1.
    """
    for size, value in sizes.items():
        _integer(f"{size} of {type(module).__name__}", size, value, 1)


def _integer(place: str, name: str, value: int | float, least: int) -> None:
    if not is_integer(value):
        raise TypeError(f"{place} is {value!r}, but it must be an integer; give one of at least {least}")
    if value < least:
        raise ValueError(f"{place} is {shown(value)}, but it must be at least {least}; give a larger {name}")
    if value > LARGEST:
        raise ValueError(f"{place} is {shown(value)}, but it must fit in 64 bits; give a smaller {name}")


def _numbers(cell: Any, xs: Tensor, name: str) -> None:
    """Raise unless inputs have the dtype and the device of the parameters."""
    if not xs.is_floating_point():
        raise TypeError(f"the inputs are {xs.dtype}, but {name} computes with floating-point numbers; pass xs.float()")
    parameter = _first(cell, "_parameters")
    if parameter is None:
        parameter = _first(cell, "_buffers")
    if parameter is None:
        return
    if torch.finfo(parameter.dtype).bits < 32:
        raise ValueError(
            f"the parameters of {name} are {parameter.dtype}, but a state that is carried over many steps needs at least "
            "float32; keep the network in float32 and run it under torch.autocast"
        )
    if xs.device != parameter.device:
        raise ValueError(
            f"the inputs are on {xs.device}, but {name} is on {parameter.device}; move one of them with .to(...)"
        )
    if xs.dtype != parameter.dtype and not torch.is_autocast_enabled(xs.device.type):
        raise ValueError(
            f"the inputs are {xs.dtype}, but the parameters of {name} are {parameter.dtype}; convert one of them with .to(...)"
        )


def _first(module: nn.Module, kind: str) -> Tensor | None:
    """Return the first parameter or buffer of a module; `Module.parameters` takes several times as long."""
    for tensor in getattr(module, kind).values():
        if tensor is not None:
            return tensor
    found = (_first(part, kind) for part in module._modules.values() if part is not None)
    return next((tensor for tensor in found if tensor is not None), None)
