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
    heads = {int(number) for key in state_dict if (number := _head_number(key)) is not None}
    pairs = len(heads) // 2
    contents = given("memory.mem_bias", "ntm.memory.mem_bias")
    hidden_bias = given("ntm.controller.lstm_h_bias")
    cell_bias = given("ntm.controller.lstm_c_bias")
    output = given("ntm.fc.weight")
    slots, width = contents.shape
    layers, _, size = hidden_bias.shape
    into_lowest = given("ntm.controller.lstm.weight_ih_l0")
    if heads != set(range(2 * pairs)) or not pairs:
        raise ValueError(
            f"the state dict has heads {sorted(heads)}, but this layout counts read and write heads in turn from 0; "
            "pass the state dict of a whole EncapsulatedNTM"
        )
    ntm = NTM(
        into_lowest.shape[1] - pairs * width,
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
        ours[f"{place}.from_input.weight"] = given(f"{theirs}.weight_ih_l{layer}")
        ours[f"{place}.from_hidden.weight"] = given(f"{theirs}.weight_hh_l{layer}")
        biases = [given(f"{theirs}.bias_{kind}_l{layer}") for kind in ("ih", "hh")]
        ours[f"{place}.from_input.bias"] = biases[0] + biases[1]
        ours[f"{controller}.biases.{2 * layer}"] = hidden_bias[layer, 0]
        ours[f"{controller}.biases.{2 * layer + 1}"] = cell_bias[layer, 0]
    for kind in ("weight", "bias"):
        ours[f"cell.machine.interface.head_parameters.linear.{kind}"] = _head_rows(given, pairs, width, kind)
        ours[f"cell.machine.to_output.{kind}"] = given(f"ntm.fc.{kind}")
    ours["cell.machine.initial_reads"] = torch.cat([given(f"ntm.read{pair}_bias")[0] for pair in range(pairs)])
    ours["cell.machine.memory.initial_slots.contents"] = contents
    ntm.load_state_dict(ours)
    return ntm


def _head_rows(given: Given, pairs: int, width: int, kind: str) -> Tensor:
    """Collect the rows of all heads block by block, read heads first."""
    blocks: dict[str, list[Tensor]] = {name: [] for name in WRITE_BLOCKS}
    sizes = {"keys": width, "kernel": 3, "erase": width, "add": width}
    for first, layer, names in ((0, "fc_read", READ_BLOCKS), (1, "fc_write", WRITE_BLOCKS)):
        for pair in range(pairs):
            rows = given(f"ntm.heads.{2 * pair + first}.{layer}.{kind}")
            parts = rows.split([sizes.get(name, 1) for name in names])
            for name, part in zip(names, parts, strict=True):
                blocks[name].append(part.flip(0) if name == "kernel" else part)
    return torch.cat([part for parts in blocks.values() for part in parts])


def _head_number(key: str) -> str | None:
    found = re.match(r"ntm\.heads\.(\d+)\.fc_", key)
    return found.group(1) if found else None
