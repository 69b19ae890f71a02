"""Sparse assembly: build the sparse machines and their dense form from their options."""

from collections.abc import Callable, Mapping
from typing import Any

from memtape.core.memory import AnyInterface, AnyMemory
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.controller import controller_of

OF_THE_INTERFACE = ("heads", "strengths", "initial_strength", "squash", "clip")


def machine(memory: AnyMemory, interface: Callable[..., AnyInterface], options: Mapping[str, Any]) -> AugmentedCell:
    """Build the machine of a memory from the options of its cell.

    Args:
        memory: the memory.
        interface: the class of its interface.
        options: all options of the cell.

    Raises:
        TypeError: a size is not an integer.
        ValueError: an option is invalid.
    """
    size = options["controller_size"]
    controller = controller_of(
        options["controller"],
        options["input_size"] + memory.read_size,
        size,
        options["controller_layers"],
        options["initial_controller"],
    )
    return AugmentedCell(
        controller,
        interface(size, options["width"], **{name: options[name] for name in OF_THE_INTERFACE}),
        memory,
        **{name: options[name] for name in ("input_size", "output_size", "initial_reads")},
    )
