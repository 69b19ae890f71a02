"""Schema: derive the C structs of a kernel from the dataclasses of its form, its parameters and its state."""

import ctypes
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Literal, NamedTuple, get_args, get_origin

from torch import Tensor

CType = Any
"""A type of ctypes."""


def names_of(record: type) -> tuple[str, ...]:
    """Return the names of a dataclass's fields."""
    return tuple(field.name for field in fields(record))


def struct(members: Iterable[tuple[str, CType]]) -> type[ctypes.Structure]:
    """Return a C struct with the given members."""
    return type("Struct", (ctypes.Structure,), {"_fields_": list(members)})


def pointers_to(names: Iterable[str]) -> type[ctypes.Structure]:
    """Return a C struct with one pointer for each name."""
    return struct((name, ctypes.c_void_p) for name in names)


class _Number(NamedTuple):
    """A field of a form as a number."""

    name: str
    is_float: bool
    choices: tuple[Any, ...]
    """The choices of a Literal, of which the number is the index; empty for other types."""


_NUMBERS: dict[type, tuple[_Number, ...]] = {}
"""The fields of each form; compilers of graphs cannot trace how they follow from the types."""


def form_members(form: type) -> dict[str, CType]:
    """Return the C type of every field of a form: a double for float, int64 for bool, int and the choices of a Literal."""
    return {number.name: ctypes.c_double if number.is_float else ctypes.c_int64 for number in _numbers_of(form)}


def form_numbers(form: Any) -> tuple[list[int], list[float]]:
    """Return the integers and the floats of a form, each in the order of its fields; a choice is its index."""
    integers: list[int] = []
    floats: list[float] = []
    for name, is_float, choices in _numbers_of(type(form)):
        value = getattr(form, name)
        if is_float:
            floats.append(float(value))
        else:
            integers.append(choices.index(value) if choices else int(value))
    return integers, floats


def _numbers_of(form: type) -> tuple[_Number, ...]:
    if form not in _NUMBERS:
        _NUMBERS[form] = tuple(
            _Number(field.name, field.type is float, get_args(field.type) if get_origin(field.type) is Literal else ())
            for field in fields(form)
        )
    return _NUMBERS[form]


def axes_of(record: type) -> dict[str, tuple[str, int]]:
    """Return where each named axis of a dataclass of tensors occurs first: the field and the dimension."""
    found: dict[str, tuple[str, int]] = {}
    for field in fields(record):
        for dimension, axis in enumerate(field.type.dim_str.split()):  # type: ignore[union-attr]
            found.setdefault(axis, (field.name, dimension))
    return found


def sizes(axes: Mapping[str, tuple[str, int]], tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Return the size of each axis."""
    return {axis: tensors[name].shape[dimension] for axis, (name, dimension) in axes.items()}


def layout(structs: Mapping[str, type[ctypes.Structure]], functions: Mapping[str, Iterable[str]]) -> str:
    """Return the layout of structs and functions, in the format of `memtape_NAME_layout` of csrc/base/layout.hpp."""
    kinds = {ctypes.c_int64: "int64", ctypes.c_double: "double", ctypes.c_void_p: "pointer"}
    members = {
        name: [f"{field}:{kinds[kind]}@{getattr(record, field).offset}" for field, kind in record._fields_]  # type: ignore[misc]
        for name, record in structs.items()
    }
    return " ".join(f"{name}({','.join(parts)})" for name, parts in (*members.items(), *functions.items()))
