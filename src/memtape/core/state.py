"""State: an immutable record of tensors that a cell passes from step to step."""

import dataclasses
from typing import Any, TypeVar, dataclass_transform

from torch.utils import _pytree as pytree

from memtape.core import state_tree

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True, eq_default=False)
def state(cls: type[T]) -> type[T]:
    """Turn a class of annotated fields into a frozen record that all torch transforms support.

    The record is a frozen keyword-only dataclass and a pytree node: it nests, and `vmap`, `checkpoint`, `compile` and
    the functions of `memtape.core.state_tree` map over its tensors. Rebuilding a record from its leaves skips
    `__init__`, because a transform may pass leaves that are not tensors.

    The record has a method `to` with the arguments of `torch.nn.Module.to`. It returns a new record on another device, or
    with its floats in another dtype; integers and booleans keep theirs.

    Args:
        cls: the class, whose annotated fields are tensors or other states; the leading axes of a tensor field are
            written `*batch`, so that states can be stacked over time.

    Returns:
        The class as a frozen dataclass, compared by identity.
    """
    record = dataclasses.dataclass(frozen=True, kw_only=True, eq=False)(cls)
    names = tuple(field.name for field in dataclasses.fields(record))  # type: ignore[arg-type]
    if "to" not in names and not hasattr(record, "to"):
        record.to = _to  # type: ignore[attr-defined]

    def flatten(value: Any) -> tuple[list[Any], None]:
        return [getattr(value, name) for name in names], None

    def flatten_with_keys(value: Any) -> tuple[list[tuple[Any, Any]], None]:
        return [(pytree.GetAttrKey(name), getattr(value, name)) for name in names], None

    def unflatten(leaves: Any, _: None) -> Any:
        value = object.__new__(record)
        for name, leaf in zip(names, leaves, strict=True):
            object.__setattr__(value, name, leaf)
        return value

    record.state_fields = names  # type: ignore[attr-defined]
    pytree.register_pytree_node(
        record,
        flatten,
        unflatten,
        serialized_type_name=exported_name(record),
        flatten_with_keys_fn=flatten_with_keys,
    )
    return record


def exported_name(record: type) -> str:
    """Return the name of a state class in exported programs: package and class, such as "memtape.NTMState".

    It does not contain the module, so that exported programs stay valid when the class moves within its package.

    Args:
        record: the class of the state.
    """
    package, _, _ = record.__module__.partition(".")
    return f"{package}.{record.__qualname__}"


def _to(self: T, *args: Any, **kwargs: Any) -> T:
    """Return the record on another device, or with its floats in another dtype; arguments of `torch.nn.Module.to`.

    Raises:
        TypeError: the dtype is not one of floating-point numbers.
    """
    return state_tree.move(self, **state_tree.destination(*args, **kwargs))


@state
class NoState:
    """The state of a part without state: no tensors."""
