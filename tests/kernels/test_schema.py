"""Schemas: C structs and arguments for the library, generated from dataclasses."""

import ctypes
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.kernels import schema


@dataclass(frozen=True, kw_only=True)
class Form:
    """All arguments of a kernel except tensors."""

    kind: Literal["first", "second"]
    clip: float
    reads: bool
    nearest: int


@dataclass(frozen=True, kw_only=True)
class State:
    """A state of two tensors."""

    memory: Float[Tensor, "batch slots width"]
    weights: Float[Tensor, "batch heads slots"]


def test_a_form_becomes_integers_and_floats_in_the_order_of_its_fields():
    assert schema.form_numbers(Form(kind="second", clip=0.5, reads=True, nearest=4)) == ([1, 1, 4], [0.5])
    assert schema.form_numbers(Form(kind="first", clip=2.0, reads=False, nearest=0)) == ([0, 0, 0], [2.0])


def test_a_form_has_a_c_type_for_every_field():
    members = schema.form_members(Form)
    assert list(members) == ["kind", "clip", "reads", "nearest"]
    assert [name for name, kind in members.items() if kind is ctypes.c_double] == ["clip"]
    assert {kind for name, kind in members.items() if name != "clip"} == {ctypes.c_int64}


def test_sizes_are_those_of_the_named_axes():
    axes = schema.axes_of(State)
    assert list(axes) == ["batch", "slots", "width", "heads"]
    tensors = {"memory": torch.zeros(2, 5, 3), "weights": torch.zeros(2, 4, 5)}
    assert schema.sizes(axes, tensors) == {"batch": 2, "slots": 5, "width": 3, "heads": 4}


def test_a_layout_detects_swapped_and_resized_fields_and_other_arguments():
    def layout(*members, arguments=("sizes", "xs")):
        return schema.layout({"sizes": schema.struct(members)}, {"forward": arguments})

    slots, width, clip = ("slots", ctypes.c_int64), ("width", ctypes.c_int64), ("clip", ctypes.c_double)
    expected = layout(slots, width, clip)
    assert expected == "sizes(slots:int64@0,width:int64@8,clip:double@16) forward(sizes,xs)"
    others = [layout(width, slots, clip), layout(slots, clip), layout(slots, width, ("clip", ctypes.c_int64))]
    others.append(layout(slots, width, clip, arguments=("xs", "sizes")))
    assert expected not in others
    assert len({*others}) == len(others)


def test_a_struct_of_pointers_has_one_for_every_name():
    pointers = schema.pointers_to(schema.names_of(State))
    assert ctypes.sizeof(pointers) == 2 * ctypes.sizeof(ctypes.c_void_p)
    assert [name for name, _ in pointers._fields_] == ["memory", "weights"]
