"""Stack assembly: build the machines with stacks, lists, queues and deques from their options."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from memtape.core import checks
from memtape.core.memory import AnyInterface, AnyMemory
from memtape.memory import StrengthStack, StrengthStackInterface
from memtape.memory.strength_stack import Access
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.controller import controller_of


def strength_machine(access: Access, options: Mapping[str, Any]) -> AugmentedCell:
    """Build the machine of a strength stack, queue or deque from the options of its cell.

    Args:
        access: the kind of memory.
        options: all options of the cell.

    Raises:
        TypeError: a size is not an integer.
        ValueError: an option is invalid.
    """
    size = options["controller_size"]
    checks.at_least(1, input_size=options["input_size"], output_size=options["output_size"])
    memory = StrengthStack(options["width"], access=access, max_depth=options["max_depth"])
    controller = controller_of(
        options["controller"],
        options["input_size"] + memory.read_size,
        size,
        options["controller_layers"],
        options["initial_controller"],
    )
    biases = {name: options[name] for name in ("pop_bias", "push_bias")}
    return AugmentedCell(
        controller,
        StrengthStackInterface(size, options["width"], access=access, **biases),
        memory,
        input_size=options["input_size"],
        output_size=options["output_size"],
        initial_reads="zeros",
        bypass=nn.Sequential(nn.Linear(size, size), nn.Tanh()),
        reads_to_output=options["reads_to_output"],
    )


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
