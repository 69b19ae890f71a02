"""NTM assembly: build a Neural Turing Machine from its options."""

from collections.abc import Mapping
from typing import Any

from memtape.core import checks
from memtape.core.memory import AnyInterface, AnyMemory
from memtape.memory import ProgramOptions, TuringInterface, TuringMemory
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.controller import controller_of

SIZES = (
    "input_size",
    "output_size",
    "slots",
    "width",
    "read_heads",
    "write_heads",
    "controller_size",
    "controller_layers",
    "shift_range",
)
HEADS = ("read_heads", "write_heads")
OF_THE_CONTENTS = ("similarity", "read_first", "initial_memory")
OF_THE_INTERFACE = (
    "shift_range",
    "squash",
    "clip",
    "gate_bias",
    "sharpening_bias",
    "write_shift_bias",
    "read_stay_bias",
)


def chosen(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the options of these names."""
    return {name: options[name] for name in names}


def by_location(
    options: Mapping[str, Any], programs: ProgramOptions | None = None
) -> tuple[TuringMemory, TuringInterface]:
    """Build the memory with location-based addressing and its interface.

    Args:
        options: the options of an `NTMCell`; their sizes are valid.
        programs: stored programs of each head; None for a linear interface.

    Raises:
        ValueError: an option is invalid.
    """
    of_the_memory = chosen(options, *HEADS, *OF_THE_CONTENTS, "sequential_heads", "initial_weights")
    memory = TuringMemory(options["slots"], options["width"], **of_the_memory)
    of_the_interface = chosen(options, *HEADS, *OF_THE_INTERFACE)
    interface = TuringInterface(options["controller_size"], options["width"], **of_the_interface, programs=programs)
    return memory, interface


def assembled(options: Mapping[str, Any], memory: AnyMemory, interface: AnyInterface) -> AugmentedCell:
    """Connect the controller of the options to a memory and its interface.

    Raises:
        ValueError: an option is invalid.
    """
    controller = controller_of(
        options["controller"],
        options["input_size"] + memory.read_size,
        options["controller_size"],
        options["controller_layers"],
        options["initial_controller"],
        gain=options["controller_gain"],
    )
    return AugmentedCell(controller, interface, memory, **chosen(options, "input_size", "output_size", "initial_reads"))


def check_sizes(cell: Any, options: Mapping[str, Any]) -> None:
    """Raise unless all sizes are valid.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1.
    """
    checks.module_sizes(cell, **chosen(options, *SIZES))
