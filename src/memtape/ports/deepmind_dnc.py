"""DeepMind's DNC: load weights of deepmind/dnc, the TensorFlow code of the paper's authors."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from memtape.core import checks
from memtape.core.type_name import a_type
from memtape.models.dnc.dnc import DNC
from memtape.ports.dnc_weights import Layer, filled, reordered_modes
from memtape.ports.given import Given

LINEAR = {
    "read_keys": "read_keys",
    "read_strengths": "read_strengths",
    "write_keys": "write_keys",
    "write_strengths": "write_strengths",
    "erase": "erase_vectors",
    "add": "write_vectors",
    "free_gates": "free_gate",
    "allocation_gates": "allocation_gate",
    "write_gates": "write_gate",
    "read_modes": "read_mode",
}
"""Blocks of the interface, and the names of their linear layers."""

GATES = (0, 2, 1, 3)
"""The positions of the gates i, f, g, o of an LSTM in that code, whose order is i, g, f, o."""

FORGET_BIAS = 1.0
"""The constant that code adds to f, besides the learned bias."""


def dnc_from_deepmind_dnc(variables: Mapping[str, Any], *, slots: int, clip: float | None = 20.0) -> DNC:
    """Build the DNC whose outputs equal those of DeepMind's code with these variables.

    That machine has strengths of at least 0, clips its controller's state and its outputs, adds 1e-6 in three places
    and has another order of read modes; here, these become options and permutations. The sizes are taken from the
    arrays.

    Args:
        variables: numpy arrays or tensors by the names of the variables, with or without the prefix of the scope,
            as `{name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}` returns them from a
            checkpoint's reader; other variables are ignored.
        slots: its `memory_size`, which no variable contains.
        clip: its `clip_value`; None does not clip controller and outputs.

    Returns:
        A DNC of the dtype of the arrays.

    Raises:
        ValueError: a variable is missing, duplicated, or of a shape that does not fit the others.

    References:
        https://github.com/deepmind/dnc.
    """
    given = Given(
        _by_last_parts(variables), "the mapping", "a DNC of deepmind/dnc", "pass all variables of one by their names"
    )
    checks.at_least(1, slots=slots)
    keys = given("memory_access/write_keys/w", shape=(None, None))
    controller_size = len(keys)
    gate_biases = [given(f"memory_access/{name}/b", shape=(None,)) for name in ("free_gate", "write_gate")]
    read_heads, write_heads = map(len, gate_biases)
    if not write_heads or keys.shape[1] % write_heads:
        raise ValueError(
            f"memory_access/write_keys/w has {keys.shape[1]} columns, but there are {write_heads} write heads by "
            "memory_access/write_gate/b, whose keys have equal widths; pass the variables of one machine"
        )
    width = keys.shape[1] // write_heads
    output_size, read_size = len(given("output_linear/b", shape=(None,))), read_heads * width
    gates = _affine(given, "lstm/w_gates", "lstm/b_gates", inputs=None, outputs=4 * controller_size)
    input_size = gates.shape[1] - 1 - controller_size - read_size
    if input_size < 1:
        raise ValueError(
            f"lstm/w_gates has {gates.shape[1] - 1} rows, but {read_size} are for what was read and {controller_size} for the "
            "last output, and there must be one for the input; pass the variables of one machine"
        )
    network = DNC(
        input_size,
        output_size,
        slots=slots,
        width=width,
        read_heads=read_heads,
        write_heads=write_heads,
        controller="lstm",
        controller_size=controller_size,
        controller_clip=clip,
        output_clip=clip,
        strengths="softplus",
        squash=False,
        clip=None,
        usage_gradient=False,
        usage_epsilon=1e-6,
        usage_tolerance=0.0,
        norm_epsilon=1e-6,
        product_epsilon=1e-6,
    )
    heads: Any = network.cell.machine.interface.head_parameters
    interface = {
        block: _affine(
            given, f"memory_access/{name}/w", f"memory_access/{name}/b", inputs=controller_size, outputs=size
        )
        for (block, name), size in zip(LINEAR.items(), heads.sizes, strict=True)
    }
    order = [*range(write_heads), 2 * write_heads, *range(write_heads, 2 * write_heads)]
    interface["read_modes"] = reordered_modes(interface["read_modes"], read_heads=read_heads, order=order)
    output = _affine(
        given, "output_linear/w", "output_linear/b", inputs=controller_size + read_size, outputs=output_size
    )
    return filled(network, [_layer(gates, controller_size)], interface, output)


def _by_last_parts(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables by their names without the prefix of the scope."""
    known = {f"memory_access/{name}/{part}" for name in LINEAR.values() for part in "wb"}
    known |= {"lstm/w_gates", "lstm/b_gates", "output_linear/w", "output_linear/b"}
    found: dict[str, str] = {}
    if not isinstance(variables, Mapping) or not all(isinstance(name, str) for name in variables):
        raise TypeError(
            f"the variables are {a_type(variables)}, but they must map names to arrays; pass all variables of a machine"
        )
    for name in variables:
        bare = name.removesuffix(":0")
        own = next((last for last in known if bare == last or bare.endswith(f"/{last}")), None)
        if own in found:
            raise ValueError(
                f"the mapping has both {found[own]} and {name}, but a machine has {own} once; pass the variables of one machine"
            )
        if own is not None:
            found[own] = name
    return {own: variables[name] for own, name in found.items()}


def _affine(given: Given, weight: str, bias: str, *, inputs: int | None, outputs: int) -> Tensor:
    """Return a linear layer, stored with its inputs along the rows, as one matrix whose last column is its bias."""
    rows = given(weight, shape=(inputs, outputs)).T
    return torch.cat([rows, given(bias, shape=(outputs,))[:, None]], dim=1)


def _layer(gates: Tensor, size: int) -> Layer:
    gates = gates.clone()
    gates[2 * size : 3 * size, -1] += FORGET_BIAS
    ours = torch.cat([gates.chunk(4)[gate] for gate in GATES])
    below, own, bias = ours[:, : -size - 1], ours[:, -size - 1 : -1], ours[:, -1:]
    return Layer(torch.cat([below, bias], dim=1), torch.cat([own, torch.zeros_like(bias)], dim=1))
