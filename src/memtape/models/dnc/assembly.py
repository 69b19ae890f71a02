"""DNC assembly: build a Differentiable Neural Computer from its options."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from memtape.cells import (
    Clipped,
    InputBypass,
    LearnedInitialState,
    Shortcuts,
    Stacked,
    TruncatedInput,
)
from memtape.core import checks
from memtape.core.cell import AnyCell
from memtape.core.memory import AnyInterface
from memtape.memory import DNCInterface, DNCMemory, Normalised
from memtape.memory.program_options import program_options
from memtape.models.machine.augmented import AugmentedCell
from memtape.models.machine.controller import CONTROLLERS
from memtape.models.machine.scheduled import OF_THE_SCHEDULE, ScheduledCell, scheduled

SIZES = (
    "input_size",
    "output_size",
    "slots",
    "width",
    "read_heads",
    "write_heads",
    "controller_size",
    "controller_layers",
)
OF_THE_MEMORY = (
    "links",
    "link_size",
    "deallocate",
    "usage_gradient",
    "usage_epsilon",
    "usage_tolerance",
    "norm_epsilon",
    "product_epsilon",
)
OF_THE_INTERFACE = ("masked", "mask_floor", "sharpen_links", "strengths", "initial_strength", "squash", "clip")


def machine(options: Mapping[str, Any], *, bypass_size: int = 0) -> AugmentedCell | ScheduledCell:
    """Build the machine from the options of a `DNCCell`.

    Args:
        options: all options; their sizes are valid.
        bypass_size: size of the last part of the input, which bypasses the controller and goes to the interface and
            the output.

    Raises:
        ValueError: an option is invalid.
    """
    checks.probabilities(bypass_dropout=options["bypass_dropout"])
    width, heads = options["width"], {name: options[name] for name in ("read_heads", "write_heads")}
    memory = DNCMemory(
        options["slots"],
        width,
        **heads,
        **{name: options[name] for name in OF_THE_MEMORY},
        initial_memory=options["initial_memory"],
        initial_weights=options["initial_weights"],
    )
    if options["read_feedback"]:
        network = controller(options, options["input_size"] + memory.read_size)
    else:
        network = TruncatedInput(controller(options, options["input_size"]), memory.read_size)
    if bypass_size:
        network = InputBypass(network, options["input_size"], bypass_size)
    interface: AnyInterface = DNCInterface(
        network.output_size,
        width,
        **heads,
        **{name: options[name] for name in OF_THE_INTERFACE},
        links=options["links"] != "none",
        programs=program_options(options),
    )
    whole = AugmentedCell(
        network,
        Normalised(interface, network.output_size) if options["layer_norm"] else interface,
        memory,
        input_size=options["input_size"] + bypass_size,
        output_size=options["output_size"],
        initial_reads=options["initial_reads"],
        bypass=nn.Dropout(options["bypass_dropout"]) if options["bypass_dropout"] else None,
        output_clip=options["output_clip"],
    )
    return scheduled(whole, options["slots"], **{name: options[name] for name in OF_THE_SCHEDULE})


def controller(options: Mapping[str, Any], input_size: int) -> AnyCell:
    """Build the controller from the options of a `DNCCell`, for a given input size.

    Raises:
        ValueError: a choice is unknown.
    """
    kind, size = options["controller"], options["controller_size"]
    checks.one_of(tuple(CONTROLLERS), controller=kind)
    checks.one_of(("zeros", "learned"), initial_controller=options["initial_controller"])
    own: dict[str, Any] = {"gain": options["controller_gain"]}
    if options["layer_norm"] and kind in ("lstm", "gru"):
        own["layer_norm"] = True
    shortcuts, bound = options["controller_shortcuts"], options["controller_clip"]
    sizes = [input_size] + [input_size + size if shortcuts else size] * (options["controller_layers"] - 1)
    cells = [CONTROLLERS[kind](below, size, **own) for below in sizes]
    cell = cells[0] if len(cells) == 1 else Shortcuts(cells) if shortcuts else Stacked(cells)
    if bound is not None:
        checks.positive(controller_clip=bound)
        cell = Clipped(cell, bound)
    return LearnedInitialState(cell) if options["initial_controller"] == "learned" else cell
