"""Torch weights: convert cells to `torch.nn.RNN`, `LSTM` and `GRU`, and back."""

from typing import Any

import torch
from torch import Tensor, nn

from memtape.cells.bidirectional import Bidirectional
from memtape.cells.elman import ElmanCell
from memtape.cells.gru import GRUCell
from memtape.cells.layers import Layers
from memtape.cells.lstm import LSTMCell
from memtape.cells.stacked import Stacked
from memtape.core.cell import AnyCell
from memtape.core.type_name import a_type

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
    same = {(type(layer), layer.output_size, getattr(layer, "activation", None), _has_bias(layer)) for layer in layers}
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
        bias=_has_bias(first),
        batch_first=True,
        device=weight.device,
        dtype=weight.dtype,
        **options,
    )
    with torch.no_grad():
        for layer, (from_input, from_hidden, *biases) in zip(layers, network.all_weights, strict=True):
            from_input.copy_(layer.from_input.weight)
            from_hidden.copy_(layer.from_hidden.weight)
            if biases:
                bias, own_bias = biases
                bias.copy_(layer.from_input.bias)
                own_bias.copy_(0 * bias if layer.from_hidden.bias is None else layer.from_hidden.bias)
    return network.train(cell.training)


def from_torch(network: nn.RNNBase) -> AnyCell | Bidirectional | Layers:
    """Convert a torch network to the equivalent cell, with a copy of the weights.

    Args:
        network: an `nn.RNN`, `nn.LSTM` or `nn.GRU` with `batch_first=True`. Two biases that are only added to each other
            become one; those of a network without are zeros that are not trained, buffers instead of parameters.

    Returns:
        A cell for one layer, a `Stacked` for several; for a bidirectional network a `Bidirectional`, or a `Layers` of
        them, which are called with whole sequences.

    Raises:
        TypeError: the network is of another kind.
        ValueError: the network has projections, or does not have the batch first.
    """
    kinds = {theirs: ours for ours, theirs in NETWORKS.items()}
    if type(network) not in kinds:
        raise TypeError(
            f"the network is {a_type(network)}, but no cell is equivalent; pass an nn.RNN, nn.LSTM or nn.GRU"
        )
    if network.proj_size:
        raise ValueError(
            f"proj_size of the {type(network).__name__} is {network.proj_size}, but no cell has projections; "
            "pass one without them"
        )
    if not network.batch_first:
        raise ValueError(
            f"the {type(network).__name__} has batch_first=False, but cells run over inputs of shape (batch, time, input); "
            "set network.batch_first = True, and transpose the inputs"
        )
    build: Any = kinds[type(network)]
    options = {"activation": network.nonlinearity} if isinstance(network, nn.RNN) else {}
    cells = []
    for weights in network.all_weights:
        cell = build(weights[0].shape[1], network.hidden_size, **options)
        cells.append(_filled(cell.to(device=weights[0].device, dtype=weights[0].dtype), *weights))
    if network.bidirectional:
        both = [Bidirectional(*pair) for pair in zip(cells[::2], cells[1::2], strict=True)]
        whole: Any = both[0] if len(both) == 1 else Layers(both, dropout=network.dropout)
    else:
        whole = cells[0] if len(cells) == 1 else Stacked(cells, dropout=network.dropout)
    return whole.train(network.training)


def _has_bias(cell: AnyCell) -> bool:
    """Return whether a cell has trained biases."""
    return any(name.endswith("bias") for name, _ in cell.named_parameters())


def _filled(cell: Any, from_input: Tensor, from_hidden: Tensor, *biases: Tensor) -> Any:
    """Copy the weights of one layer and direction into a cell, and return the cell."""
    with torch.no_grad():
        cell.from_input.weight.copy_(from_input)
        cell.from_hidden.weight.copy_(from_hidden)
        if not biases:
            for part in (cell.from_input, cell.from_hidden):
                if part.bias is not None:
                    zeros = torch.zeros_like(part.bias)
                    del part.bias
                    part.register_buffer("bias", zeros)
        elif cell.from_hidden.bias is None:
            cell.from_input.bias.copy_(biases[0] + biases[1])
        else:
            cell.from_input.bias.copy_(biases[0])
            cell.from_hidden.bias.copy_(biases[1])
    return cell
