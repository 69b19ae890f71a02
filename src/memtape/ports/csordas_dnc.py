"""Csordas' DNC: the layout of RobertCsordas/dnc, the code of masked look-up, de-allocation and link sharpness."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from memtape.models.dnc.dnc import DNC
from memtape.ports.dnc_weights import ABRUPT_NORM, Layer, filled
from memtape.ports.given import Given

GATES = (1, 0, 3, 2)
"""Where i, f, g, o of an LSTM stand in that code, whose order is f, i, o, g."""


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

    That machine has an LSTM whose gates and whose raw parameters of heads stand in another order, and two linear layers to the
    output, which become one. It begins every call anew, as this one does without a state. Where only the top layer of its
    controller is seen, this one sees the others through weights of zero. The defaults of the options are those of that code.

    Args:
        state_dict: the tensors by their names in that layout; a machine with an LSTM whose layers are all as large, with norms
            in its look-ups and masks over keys as well as slots.
        slots: its `cell_count`, which no tensor tells.
        read_heads: its `n_read_heads`.
        masked: its `mask`.
        deallocate: its `dealloc_content`, which no tensor tells.
        sharpen_links: its `link_sharpness_control`.
        mask_floor: its `mask_min`, which no tensor tells.
        clip: its `clip_controller`; None leaves the raw parameters of the heads free.

    Returns:
        A DNC of the dtype of the tensors.

    Raises:
        ValueError: a tensor is missing or has another shape than the others and the options ask for, or layers differ in size.

    References:
        https://github.com/RobertCsordas/dnc, snapshot 2a2b6bf; Csordas & Schmidhuber (2019), "Improving differentiable neural
        computers through memory masking, de-allocation, and link distribution sharpness control", arXiv:1904.10278.
    """
    given = Given(state_dict, "the state dict", "a DNC of RobertCsordas/dnc", "pass model.state_dict() of one")
    depth = max(1, sum(re.match(r"controller\.in_to_all_\d+\.weight$", key) is not None for key in state_dict))
    sizes = {given(f"controller.out_to_all_{layer}.weight").shape[1] for layer in range(depth)}
    if len(sizes) > 1:
        raise ValueError(
            f"the layers of the controller have sizes {sorted(sizes)}, but those of a DNC here are all as large; pass the "
            "state dict of a machine with equal layer_sizes"
        )
    size = sizes.pop()
    from_reads = given.affine("read_to_out")
    output_size, read_size = len(from_reads), from_reads.shape[1] - 1
    if read_heads < 1 or read_size % read_heads:
        raise ValueError(
            f"read_heads is {read_heads}, but the output of the machine sees {read_size} numbers from the memory, and all "
            "heads read as many; give the read_heads that it was built with"
        )
    width = read_size // read_heads
    layers = [_layer(given, layer, size) for layer in range(depth)]
    seen = given("controller_to_out.weight", shape=(output_size, None)).shape[1]
    if seen not in (size, depth * size):
        raise ValueError(
            f"controller_to_out.weight has {seen} columns, but the controller has {depth} layers of {size} units, and either "
            "all or the top one are seen; pass the state dict of one machine"
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
    """Return the sizes of the blocks of raw parameters in their order there."""
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
    """Put columns of zeros before the others, until all layers of the controller have some."""
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
