"""pytorch-ntm: load weights of loudinthecloud/pytorch-ntm, the most used public NTM in PyTorch."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from memtape.models.ntm.ntm import NTM
from memtape.ports.given import Given

READ_BLOCKS = ("keys", "strengths", "gates", "kernel", "exponents")
WRITE_BLOCKS = (*READ_BLOCKS, "erase", "add")


def ntm_from_pytorch_ntm(state_dict: Mapping[str, Tensor]) -> NTM:
    """Build the NTM whose outputs equal those of an `EncapsulatedNTM` with this state dict.

    That machine returns sigmoid(logits), this one the logits. Its heads act one after another, its weights start at
    zero, its memory starts at a fixed random buffer, and its first shift weight moves the focus forwards; here, these
    become options and a permutation of rows. The sizes are taken from the tensors.

    Args:
        state_dict: the tensors by their names in that layout.

    Returns:
        An NTM of the dtype of the tensors.

    Raises:
        ValueError: a tensor is missing or has a shape that does not fit the others.

    References:
        https://github.com/loudinthecloud/pytorch-ntm, snapshot 3c64937.
    """
    given = Given(state_dict, "the state dict", "an EncapsulatedNTM of pytorch-ntm", "pass model.state_dict() of one")
    heads = {int(number) for key in given.tensors if (number := _head_number(key)) is not None}
    pairs = len(heads) // 2
    if heads != set(range(2 * pairs)) or not pairs:
        raise ValueError(
            f"the state dict has heads {sorted(heads)}, but this layout counts read and write heads in turn from 0; "
            "pass the state dict of a whole EncapsulatedNTM"
        )
    contents = given("memory.mem_bias", "ntm.memory.mem_bias", shape=(None, None))
    hidden_bias = given("ntm.controller.lstm_h_bias", shape=(None, 1, None))
    slots, width = contents.shape
    layers, _, size = hidden_bias.shape
    cell_bias = given("ntm.controller.lstm_c_bias", shape=(layers, 1, size))
    output = given("ntm.fc.weight", shape=(None, size + pairs * width))
    into_lowest = given("ntm.controller.lstm.weight_ih_l0", shape=(4 * size, None))
    input_size = into_lowest.shape[1] - pairs * width
    if input_size < 1:
        raise ValueError(
            f"ntm.controller.lstm.weight_ih_l0 has {into_lowest.shape[1]} columns, but {pairs * width} are for what was read, "
            "and there must be one for the input; pass the state dict of one machine"
        )
    ntm = NTM(
        input_size,
        len(output),
        slots=slots,
        width=width,
        read_heads=pairs,
        write_heads=pairs,
        controller="lstm",
        controller_size=size,
        controller_layers=layers,
        sequential_heads=True,
        initial_memory="random",
        initial_weights="zeros",
        squash=False,
        clip=None,
    ).to(output.dtype)

    ours: dict[str, Tensor] = {}
    controller = "cell.machine.controller"
    for layer in range(layers):
        theirs = "ntm.controller.lstm"
        place = f"{controller}.cell" if layers == 1 else f"{controller}.cell.layers.{layer}"
        below = size if layer else into_lowest.shape[1]
        weight = given(f"{theirs}.weight_ih_l{layer}", shape=(4 * size, below))
        ours[f"{place}.from_input.weight"] = weight
        ours[f"{place}.from_hidden.weight"] = given(f"{theirs}.weight_hh_l{layer}", shape=(4 * size, size))
        biases = [given(f"{theirs}.bias_{kind}_l{layer}", shape=(4 * size,)) for kind in ("ih", "hh")]
        ours[f"{place}.from_input.bias"] = biases[0] + biases[1]
        ours[f"{controller}.biases.{2 * layer}"] = hidden_bias[layer, 0]
        ours[f"{controller}.biases.{2 * layer + 1}"] = cell_bias[layer, 0]
    affines = {
        "interface.head_parameters.linear": _head_rows(given, pairs, width, size),
        "to_output": given.affine("ntm.fc", columns=size + pairs * width),
    }
    for name, affine in affines.items():
        ours[f"cell.machine.{name}.weight"], ours[f"cell.machine.{name}.bias"] = affine[:, :-1], affine[:, -1]
    reads = [given(f"ntm.read{pair}_bias", shape=(1, width))[0] for pair in range(pairs)]
    ours["cell.machine.initial_reads"] = torch.cat(reads)
    ours["cell.machine.memory.initial_slots.contents"] = contents
    ntm.load_state_dict(ours)
    return ntm


def _head_rows(given: Given, pairs: int, width: int, size: int) -> Tensor:
    """Collect the rows of all heads block by block, read heads first, each with its bias as last column."""
    blocks: dict[str, list[Tensor]] = {name: [] for name in WRITE_BLOCKS}
    sizes = {"keys": width, "kernel": 3, "erase": width, "add": width}
    for first, layer, names in ((0, "fc_read", READ_BLOCKS), (1, "fc_write", WRITE_BLOCKS)):
        for pair in range(pairs):
            counts = [sizes.get(name, 1) for name in names]
            rows = given.affine(f"ntm.heads.{2 * pair + first}.{layer}", rows=sum(counts), columns=size)
            parts = rows.split(counts)
            for name, part in zip(names, parts, strict=True):
                blocks[name].append(part.flip(0) if name == "kernel" else part)
    return torch.cat([part for parts in blocks.values() for part in parts])


def _head_number(key: str) -> str | None:
    found = re.match(r"ntm\.heads\.(\d+)\.fc_", key)
    return found.group(1) if found else None
