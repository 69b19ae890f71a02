"""DNC weights: copy weights of other code into a memtape DNC."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from memtape.cells import ElmanCell, GRUCell, LSTMCell
from memtape.models.dnc.dnc import DNC

ABRUPT_NORM = 1e-30
"""Replaces an epsilon of 0 in a norm: it does not change a norm in float32, and the square root keeps a derivative."""


class Layer(NamedTuple):
    """One layer of a controller: matrices of its input and its hidden vector, each with the bias as last column."""

    from_input: Tensor
    from_hidden: Tensor


def filled(network: DNC, layers: Sequence[Layer], interface: Mapping[str, Tensor], output: Tensor) -> DNC:
    """Copy weights into a DNC, and return it in their dtype.

    All matrices have their bias as their last column.

    Args:
        network: a DNC of the same sizes.
        layers: the layers of its controller, the lowest first.
        interface: the rows of the interface vector, by the names of its blocks.
        output: the rows of the outputs, over the controller's output and then the reads.
    """
    network = network.to(output.dtype)
    machine: Any = network.cell.machine
    cells = [part for part in machine.controller.modules() if isinstance(part, ElmanCell | GRUCell | LSTMCell)]
    heads = machine.interface.head_parameters
    with torch.no_grad():
        for cell, layer in zip(cells, layers, strict=True):
            cell.from_hidden.weight.copy_(layer.from_hidden[:, :-1])
            own_bias = layer.from_hidden[:, -1]
            if cell.from_hidden.bias is None:
                _copy(
                    cell.from_input,
                    torch.cat([layer.from_input[:, :-1], layer.from_input[:, -1:] + own_bias[:, None]], 1),
                )
            else:
                _copy(cell.from_input, layer.from_input)
                cell.from_hidden.bias.copy_(own_bias)
        _copy(heads.linear, torch.cat([interface[name] for name in heads.names]))
        _copy(machine.to_output, output)
    return network


def reordered_modes(rows: Tensor, *, read_heads: int, order: Sequence[int]) -> Tensor:
    """Return the rows of the read modes, permuted for each head.

    Args:
        rows: the rows, head after head.
        read_heads: number of read heads.
        order: for each position here, the position of that mode in the other code.
    """
    return rows.unflatten(0, (read_heads, -1))[:, list(order)].flatten(0, 1)


def _copy(linear: Any, affine: Tensor) -> None:
    linear.weight.copy_(affine[:, :-1])
    linear.bias.copy_(affine[:, -1])
