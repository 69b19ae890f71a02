"""Csordas' DNC: load weights of RobertCsordas/dnc, the code of key masks, de-allocation and link sharpness."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from memtape.core import checks
from memtape.models.dnc.dnc import DNC
from memtape.ports.dnc_weights import ABRUPT_NORM, Layer, filled
from memtape.ports.given import Given

GATES = (1, 0, 3, 2)
"""The positions of the gates i, f, g, o of an LSTM in that code, whose order is f, i, o, g."""


def dnc_from_csordas_dnc(
    state_dict: Mapping[str, Tensor],
    *,
    slots: int,
    read_heads: int,
    masked: bool = False,
    deallocate: bool = True,
    sharpen_links: bool = True,
    mask_floor: float = 0.0,
    clip: float | None = 20.0,
) -> DNC:
    """Build the DNC whose outputs equal those of a `DNC` of Csordas' code with this state dict.

    That machine has other orders of LSTM gates and head parameters, and two linear layers to the output, which become
    one. Every call starts from the initial state, as here without a state. If only the top layer of its controller is
    read out, the weights of the other layers are zero here. The defaults of the options are those of that code.

    Args:
        state_dict: the tensors by their names in that layout; a machine with LSTM layers of equal size, with norms in
            its look-ups and masks over keys as well as slots.
        slots: its `cell_count`, which no tensor contains.
        read_heads: its `n_read_heads`.
        masked: its `mask`.
        deallocate: its `dealloc_content`, which no tensor contains.
        sharpen_links: its `link_sharpness_control`.
        mask_floor: its `mask_min`, which no tensor contains.
        clip: its `clip_controller`; None does not clip the head parameters.

    Returns:
        A DNC of the dtype of the tensors.

    Raises:
        ValueError: a tensor is missing or has a shape that does not fit the others and the options, or layers differ in
            size.

    References:
        https://github.com/RobertCsordas/dnc, snapshot 2a2b6bf; Csordas & Schmidhuber (2019), "Improving differentiable neural
        computers through memory masking, de-allocation, and link distribution sharpness control", arXiv:1904.10278.
    """
    given = Given(state_dict, "the state dict", "a DNC of RobertCsordas/dnc", "pass model.state_dict() of one")
    depth = max(1, sum(re.match(r"controller\.in_to_all_\d+\.weight$", key) is not None for key in given.tensors))
    sizes = {given(f"controller.out_to_all_{layer}.weight", shape=(None, None)).shape[1] for layer in range(depth)}
    if len(sizes) > 1:
        raise ValueError(
            f"the layers of the controller have sizes {sorted(sizes)}, but those of a DNC here must be equal; pass the "
            "state dict of a machine with equal layer_sizes"
        )
    size = sizes.pop()
    checks.at_least(1, slots=slots)
    checks.at_least(0, read_heads=read_heads)
    from_reads = given.affine("read_to_out")
    output_size, read_size = len(from_reads), from_reads.shape[1] - 1
    if read_size < 1 or read_heads < 1 or read_size % read_heads:
        raise ValueError(
            f"read_heads is {read_heads}, but the output of the machine reads {read_size} numbers from the memory, and all "
            "heads read equally many; give the read_heads that it was built with"
        )
    width = read_size // read_heads
    layers = [_layer(given, layer, size) for layer in range(depth)]
    seen = given("controller_to_out.weight", shape=(output_size, None)).shape[1]
    if seen not in (size, depth * size):
        raise ValueError(
            f"controller_to_out.weight has {seen} columns, but the controller has {depth} layers of {size} units, and "
            "either all or the top one are read out; pass the state dict of one machine"
        )
    network = DNC(
        layers[0].from_input.shape[1] - 1 - read_size,
        output_size,
        slots=slots,
        width=width,
        read_heads=read_heads,
        controller="lstm",
        controller_size=size,
        controller_layers=depth,
        masked=masked,
        mask_floor=mask_floor,
        deallocate=deallocate,
        sharpen_links=sharpen_links,
        strengths="oneplus",
        squash=False,
        clip=clip,
        usage_gradient=False,
        usage_epsilon=1e-6,
        usage_tolerance=0.0,
        norm_epsilon=ABRUPT_NORM,
        product_epsilon=1e-6,
    )
    blocks = _blocks(width, read_heads, masked=masked, sharpen_links=sharpen_links)
    rows = _beside_unseen(given.affine("controller_to_controls", rows=sum(blocks.values()), columns=seen), depth * size)
    hidden = _beside_unseen(given.affine("controller_to_out", rows=output_size), depth * size)
    output = torch.cat([hidden[:, :-1], from_reads[:, :-1], hidden[:, -1:] + from_reads[:, -1:]], dim=1)
    return filled(network, layers, dict(zip(blocks, rows.split(list(blocks.values())), strict=True)), output)


def _blocks(width: int, read_heads: int, *, masked: bool, sharpen_links: bool) -> dict[str, int]:
    """Return the sizes of the blocks of head parameters, in the order of that code."""
    blocks = {"write_masks": width} if masked else {}
    blocks |= {"write_keys": width, "erase": width, "add": width, "free_gates": read_heads}
    blocks |= {"write_strengths": 1, "allocation_gates": 1, "write_gates": 1}
    if masked:
        blocks["read_masks"] = read_heads * width
    blocks |= {"read_keys": read_heads * width, "read_strengths": read_heads, "read_modes": 3 * read_heads}
    if sharpen_links:
        blocks |= {"forward_exponents": read_heads, "backward_exponents": read_heads}
    return blocks


def _beside_unseen(affine: Tensor, columns: int) -> Tensor:
    """Prepend columns of zeros, until all layers of the controller have columns."""
    return torch.cat([affine.new_zeros(len(affine), columns - affine.shape[1] + 1), affine], dim=1)


def _layer(given: Given, layer: int, size: int) -> Layer:
    seen = given.affine(f"controller.in_to_all_{layer}", rows=4 * size)
    own = given(f"controller.out_to_all_{layer}.weight", shape=(4 * size, size))
    parts = [seen[:, :-1], seen[:, -1:]]
    if layer:
        parts.insert(1, given(f"controller.prev_to_all_{layer - 1}.weight", shape=(4 * size, size)))
    from_hidden = torch.cat([own, torch.zeros_like(own[:, :1])], dim=1)
    return Layer(_in_our_order(torch.cat(parts, dim=1)), _in_our_order(from_hidden))


def _in_our_order(rows: Tensor) -> Tensor:
    return torch.cat([rows.chunk(4)[gate] for gate in GATES])
