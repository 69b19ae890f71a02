"""Sparse assembly: build the sparse machines and their dense form from their options."""

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
    """Build the machine of a memory from the options of its cell.

    Args:
        memory: the memory; it determines the interface.
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
    of_interface = {name: options[name] for name in OF_THE_INTERFACE}
    kind = SparseComputerInterface if isinstance(memory, SparseComputerMemory) else SparseAccessInterface
    interface: AnyInterface = kind(size, options["width"], **of_interface)
    return AugmentedCell(
        controller,
        interface,
        memory,
        **{name: options[name] for name in ("input_size", "output_size", "initial_reads")},
    )
