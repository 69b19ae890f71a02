"""Torch weights: convert cells to `torch.nn.RNN`, `LSTM` and `GRU`, and back."""

from typing import Any

import torch
from torch import nn

from memtape.cells.elman import ElmanCell
from memtape.cells.gru import GRUCell
from memtape.cells.lstm import LSTMCell
from memtape.cells.stacked import Stacked
from memtape.core.cell import AnyCell

NETWORKS: dict[type[AnyCell], type[nn.RNNBase]] = {ElmanCell: nn.RNN, LSTMCell: nn.LSTM, GRUCell: nn.GRU}


def to_torch(cell: AnyCell) -> nn.RNNBase:
    """Convert a cell to the equivalent torch network (`batch_first=True`), with a copy of the weights.

    Args:
        cell: a plain `ElmanCell`, `LSTMCell` or `GRUCell`, or a `Stacked` of one kind and hidden size.

    Raises:
        ValueError: torch has no equivalent of the cell.
    """
    layers: list[Any] = list(cell.layers) if isinstance(cell, Stacked) else [cell]
    first = layers[0]
    same = {(type(layer), layer.output_size, getattr(layer, "activation", None)) for layer in layers}
    if type(first) not in NETWORKS or len(same) > 1 or not all(getattr(layer, "plain", True) for layer in layers):
        raise ValueError(
            f"torch has no equivalent of this {type(cell).__name__}; pass a plain ElmanCell, LSTMCell or GRUCell, or a stack "
            "of cells of one kind and size"
        )
    options: dict[str, Any] = {"nonlinearity": first.activation} if isinstance(first, ElmanCell) else {}
    options["dropout"] = cell.dropout if isinstance(cell, Stacked) else 0.0
    weight = first.from_input.weight
    network = NETWORKS[type(first)](
        first.input_size,
        first.output_size,
        len(layers),
        batch_first=True,
        device=weight.device,
        dtype=weight.dtype,
        **options,
    )
    with torch.no_grad():
        for layer, (from_input, from_hidden, bias, own_bias) in zip(layers, network.all_weights, strict=True):
            from_input.copy_(layer.from_input.weight)
            from_hidden.copy_(layer.from_hidden.weight)
            bias.copy_(layer.from_input.bias)
            own_bias.copy_(0 * bias if layer.from_hidden.bias is None else layer.from_hidden.bias)
    return network.train(cell.training)


def from_torch(network: nn.RNNBase) -> AnyCell:
    """Convert a torch network to the equivalent cell, with a copy of the weights.

    Args:
        network: an `nn.RNN`, `nn.LSTM` or `nn.GRU`. Two biases that are only added to each other become one.

    Returns:
        A cell for one layer, a `Stacked` for several.

    Raises:
        ValueError: the network is of another kind, bidirectional, or has projections.
    """
    kinds = {theirs: ours for ours, theirs in NETWORKS.items()}
    if type(network) not in kinds or network.bidirectional or network.proj_size:
        raise ValueError(
            f"no cell is equivalent to this {type(network).__name__}; pass an nn.RNN, nn.LSTM or nn.GRU of one direction "
            "and without projections"
        )
    build: Any = kinds[type(network)]
    options = {"activation": network.nonlinearity} if isinstance(network, nn.RNN) else {}
    layers = []
    for number, (from_input, from_hidden, *biases) in enumerate(network.all_weights):
        size = network.hidden_size if number else network.input_size
        layer = build(size, network.hidden_size, **options).to(device=from_input.device, dtype=from_input.dtype)
        bias, own_bias = biases or (torch.zeros(len(from_input)), torch.zeros(len(from_input)))
        with torch.no_grad():
            layer.from_input.weight.copy_(from_input)
            layer.from_hidden.weight.copy_(from_hidden)
            if layer.from_hidden.bias is None:
                layer.from_input.bias.copy_(bias + own_bias)
            else:
                layer.from_input.bias.copy_(bias)
                layer.from_hidden.bias.copy_(own_bias)
        layers.append(layer)
    cell = layers[0] if len(layers) == 1 else Stacked(layers, dropout=network.dropout)
    return cell.train(network.training)
