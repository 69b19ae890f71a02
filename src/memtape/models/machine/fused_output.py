"""Fused output: the linear layer that follows a machine's controller in a fused kernel, and the layers after it.

The kernels end in a linear layer of the hidden vector and the reads. A machine with a tanh layer before its output has the
product of that layer there, beside the reads; tanh and the output layer are applied to whole sequences. So is the clipping of
outputs. A machine without an output has a layer of zeros there.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from memtape.core import padding
from memtape.core.known_parts import are_linear, unchanged
from memtape.models.machine.augmented import AugmentedCell


def has_known_output(cell: AugmentedCell) -> bool:
    """Return whether the fused kernels support all that follows the controller of a cell."""
    if cell.to_output is None:
        return True
    if not is_linear(cell.to_output):
        return False
    if type(cell.bypass) is nn.Dropout:
        return unchanged(cell.bypass) and not cell.bypass.training
    return cell.bypass is None or tanh_layer(cell) is not None


def output_layer(cell: AugmentedCell) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the linear layer with which a kernel ends, applied to the hidden vector and the reads."""
    if cell.to_output is None:
        return _no_output(cell)
    read, layer = cell.memory.read_size, tanh_layer(cell)
    weight, bias = weight_and_bias(cell.to_output if layer is None else layer)
    if layer is not None and cell.reads_to_output:
        reads = torch.eye(read, dtype=weight.dtype, device=weight.device)
        return torch.block_diag(weight, reads), functional.pad(bias, (0, read))
    if layer is not None or not cell.reads_to_output:
        weight = functional.pad(weight, (0, read))
    return weight, bias


def outputs(
    cell: AugmentedCell, ys: Float[Tensor, "batch time given"], lengths: Int[Tensor, " batch"] | None
) -> Float[Tensor, "batch time output"]:
    """Return the outputs of a cell from what a kernel returns, zero beyond a row's length."""
    if cell.to_output is None:
        return ys[..., :0]
    layer = tanh_layer(cell)
    if layer is not None:
        hidden, reads = ys.split([layer.out_features, ys.shape[-1] - layer.out_features], dim=-1)
        ys = padding.zero_beyond(cell.to_output(torch.cat([torch.tanh(hidden), reads], dim=-1)), lengths)
    return ys if cell.output_clip is None else ys.clamp(-cell.output_clip, cell.output_clip)


def tanh_layer(cell: AugmentedCell) -> nn.Linear | None:
    """Return the linear layer of a bypass that is a tanh layer, else None."""
    bypass: Any = cell.bypass
    if type(bypass) is not nn.Sequential or [type(part) for part in bypass] != [nn.Linear, nn.Tanh]:
        return None
    layer: Any = bypass[0]
    return layer if unchanged(bypass, bypass[1]) and is_linear(layer) else None


def is_linear(layer: nn.Module) -> bool:
    """Return whether a layer computes the function of a linear layer, with or without a bias."""
    return are_linear(layer, bias=getattr(layer, "bias", None) is not None)


def weight_and_bias(layer: nn.Linear) -> tuple[Tensor, Tensor]:
    """Return the weight and the bias of a linear layer; a layer without one has biases of 0."""
    bias: Tensor | None = layer.bias
    return layer.weight, layer.weight.new_zeros(layer.out_features) if bias is None else bias


def _no_output(cell: AugmentedCell) -> tuple[Tensor, Tensor]:
    """Return the smallest layer that a kernel accepts, of one output of 0."""
    bias = next(cell.parameters()).new_zeros(1)
    return bias.new_zeros(1, cell.controller.output_size + cell.memory.read_size), bias
