"""The rows of the kernels' interface tables equal the blocks of the interfaces in `memtape.memory`, in size and
activation.
"""

import ctypes
import math

import pytest
import torch
from torch.nn import functional

from memtape import DNC, NTM, SAM, SDNC, BabyNTM, DequeLSTM, QueueLSTM, StackLSTM, TapeRNN, tree
from memtape.core.compiled_library import kernels
from memtape.kernels import schema
from memtape.kernels.machine import PARAMETERS, Given
from memtape.models.stack.nsrnn import NSRNN
from memtape.models.stack.stackrnn import StackRNN

ACTIVATIONS = {
    "identity": lambda x: x,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "oneplus": lambda x: 1 + functional.softplus(x),
}
FLOOR = 0.1
EVERYTHING = {"masked": True, "mask_floor": FLOOR, "sharpen_links": True, "write_heads": 2, "read_heads": 3}
SLOTS = {"slots": 7, "width": 4}
STACKS = {"stacks": 3, "width": 4, "no_op": True, "biases": True}
MACHINES = {
    "ntm": (NTM, {"read_heads": 2, "shift_range": 2}),
    "ntm, content": (NTM, {"addressing": "content", "write_heads": 2, "squash": False, "initial_memory": "random"}),
    "dnc": (DNC, {"read_heads": 2}),
    "dnc, softplus": (DNC, {"strengths": "softplus", "squash": True, "clip": 0.1}),
    "dnc, everything": (DNC, EVERYTHING),
    "sam": (SAM, {"heads": 2, "nearest": 2}),
    "sam, no strengths": (SAM, {"strengths": "none", "nearest": 2, "squash": True}),
    "sdnc": (SDNC, {"heads": 2, "nearest": 2, "strengths": "softplus"}),
    "stackrnn": (StackRNN, STACKS),
    "stackrnn, joint actions": (StackRNN, STACKS | {"joint_actions": True, "empty": 0.0, "push_activation": "tanh"}),
    "stackrnn, linear": (StackRNN, STACKS | {"no_op": False, "push_activation": "linear"}),
    "stacklstm": (StackLSTM, {"width": 4}),
    "queuelstm": (QueueLSTM, {"width": 4}),
    "dequelstm": (DequeLSTM, {"width": 4}),
    "taperrnn": (TapeRNN, {"tapes": 2, "write_layers": 0}),
    "babyntm": (BabyNTM, {"temperature": 0.5}),
}
WITH_SLOTS = (NTM, DNC, SAM, SDNC, BabyNTM, TapeRNN)


def built(model, options):
    return model(3, 2, controller_size=5, **(SLOTS if model in WITH_SLOTS else {}), **options)


@pytest.mark.parametrize("case", MACHINES.values(), ids=MACHINES)
def test_rows_of_the_table_are_the_blocks_of_the_interface(case):
    model, options = case
    torch.manual_seed(0)
    fused = sequences_of(built(model, options).double())
    parameters = fused.controller.parameters(fused.cell, fused.interface() if fused.interface else None)
    rows = rows_of(fused, parameters)
    hidden = torch.randn(6, 5, dtype=torch.float64)
    vector = functional.linear(hidden, parameters.interface_weight, parameters.interface_bias)
    clip = getattr(fused.form, "clip", math.inf)
    vector = vector.clamp(-clip, clip)
    sizes = [size if activation != "one" else 0 for _, size, activation, _ in rows]
    control = parameters_of(fused.cell.interface(hidden))
    assert {name for name, *_ in rows} == set(control)
    for (name, size, activation, group), block in zip(rows, vector.split(sizes, dim=-1), strict=True):
        assert control[name].flatten(1).shape[1] == size, name
        torch.testing.assert_close(control[name].flatten(1), activated(activation, group, block, size), msg=name)


ORDERED = {name: MACHINES[name] for name in ("ntm", "dnc, everything", "sam", "stackrnn", "dequelstm")}
ORDERED["nsrnn"] = (NSRNN, {"vector_size": 2})


@pytest.mark.parametrize("case", ORDERED.values(), ids=ORDERED)
def test_rows_are_in_the_order_of_the_blocks(case):
    model, options = case
    fused = sequences_of(built(model, options))
    blocks = fused.cell.interface.head_parameters
    rows = rows_of(fused, fused.controller.parameters(fused.cell))
    assert [(name, size) for name, size, *_ in rows] == list(zip(blocks.names, blocks.sizes, strict=True))


def sequences_of(network):
    """Return the run of whole sequences, which that of a tape machine contains."""
    fused = network.cell.fused("cpu")
    return getattr(fused, "sequences", fused)


def rows_of(fused, parameters):
    """Return name, size, activation and group of every row of a machine's table."""
    state = fused.plain(fused.cell.init_state(2))
    tensors = tuple(getattr(state, name) for name in fused.run.state)
    given = Given(torch.zeros(2, 1, 3), tuple(getattr(parameters, name) for name in PARAMETERS), tensors)
    sizes = fused.run.sizes(given, (None, None, None), *schema.form_numbers(fused.form))
    table = getattr(kernels().library, f"memtape_{fused.run.name}_interface")
    table.restype = ctypes.c_char_p
    rows = [row.split(":") for row in table(ctypes.byref(sizes)).decode().split(",")]
    return [(name, int(size), activation, int(group)) for name, size, activation, group in rows]


def parameters_of(control):
    """Return the tensors of a control by the names of their blocks."""
    found = {}
    for path, leaf in tree.named_leaves(control).items():
        *before, name = path.split(".")
        nested = before[-1:] in (["masks"], ["exponents"])
        found[f"{name}_{before[-1]}" if nested else name] = leaf
    return found


def activated(activation, group, block, size):
    if activation == "one":
        return torch.ones(len(block), size, dtype=block.dtype)
    if activation == "softmax":
        return block.unflatten(-1, (-1, group)).softmax(-1).flatten(1)
    if activation == "floored_sigmoid":
        return FLOOR + (1 - FLOOR) * torch.sigmoid(block)
    return ACTIVATIONS[activation](block)
