"""Sparse parts: how the sparse machines and their dense twin are put together from their options."""

from collections.abc import Mapping
from typing import Any

from memtape.core.memory import AnyInterface
from memtape.memory import (
    SparseAccessInterface,
    SparseAccessMemory,
    SparseComputerInterface,
    SparseComputerMemory,
)
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.controller import controller_of

OF_THE_INTERFACE = ("heads", "strengths", "initial_strength", "squash", "clip")


def machine(memory: SparseAccessMemory | SparseComputerMemory, options: Mapping[str, Any]) -> AugmentedCell:
    """Build the machine around a memory of the options of its cell.

    Args:
        memory: the memory, which says what its heads have to be told.
        options: the options of the cell, all of them.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: an option that is refused.
    """
    size = options["controller_size"]
    controller = controller_of(
        options["controller"],
        options["input_size"] + memory.read_size,
        size,
        options["controller_layers"],
        options["initial_controller"],
    )
    told = {name: options[name] for name in OF_THE_INTERFACE}
    kind = SparseComputerInterface if isinstance(memory, SparseComputerMemory) else SparseAccessInterface
    interface: AnyInterface = kind(size, options["width"], **told)
    return AugmentedCell(
        controller,
        interface,
        memory,
        **{name: options[name] for name in ("input_size", "output_size", "initial_reads")},
    )
