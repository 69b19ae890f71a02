"""Stack assembly: build the machines with superposition stacks or lists from their options."""

from collections.abc import Callable, Mapping
from typing import Any

from memtape.core.memory import AnyInterface, AnyMemory
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.controller import controller_of


def superposition_machine(
    memory: AnyMemory, interface: Callable[..., AnyInterface], options: Mapping[str, Any], **of_interface: Any
) -> AugmentedCell:
    """Build the machine of superposition stacks or lists from the options of its cell.

    Args:
        memory: the memory.
        interface: the class of the interface.
        options: all options of the cell.
        of_interface: the options of the interface besides its sizes and its bias.

    Raises:
        TypeError: a size is not an integer.
        ValueError: an option is invalid.
    """
    controller = controller_of(
        options["controller"],
        options["input_size"] + memory.read_size,
        options["controller_size"],
        options["controller_layers"],
        options["initial_controller"],
        activation=options["activation"],
        bias=options["biases"],
    )
    return AugmentedCell(
        controller,
        interface(options["controller_size"], options["width"], bias=options["biases"], **of_interface),
        memory,
        input_size=options["input_size"],
        output_size=options["output_size"],
        initial_reads="memory",
        reads_to_output=options["reads_to_output"],
        output_bias=options["biases"],
    )
