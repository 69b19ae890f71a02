"""Assembly: machines with DNC memories for encoders and decoders."""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Int
from torch import Tensor
from torch.nn import functional

from memtape.cells import Embedded, LSTMCell
from memtape.core.cell import AnyCell
from memtape.core.inputs.pairs import BOUNDARY
from memtape.core.memory import AnyInterface, AnyMemory
from memtape.memory import DNCInterface, DNCMemory, SeveralInterfaces, SeveralMemories
from memtape.models.dnc.dnc_machine import DNCMachine
from memtape.models.machine.augmented import AugmentedCell


def dnc_memory(slots: int, width: int, read_heads: int) -> DNCMemory:
    """Build a memory with the initial values of the authors' code: 1e-6 for contents and weights."""
    return DNCMemory(
        slots, width, read_heads=read_heads, initial_memory="constant", initial_weights="constant", usage_gradient=True
    )


def reader(
    symbols: int,
    output_size: int | None,
    interfaces: Sequence[AnyInterface],
    memories: Sequence[AnyMemory],
    *,
    controller_size: int,
    embedding_size: int | None,
) -> AnyCell:
    """Build a cell that reads symbols with an LSTM as the controller of memories; there are no biases but those of the LSTM.

    Args:
        symbols: number of symbols.
        output_size: size of an output; None for no output.
        interfaces: the interface of each memory.
        memories: the memories.
        controller_size: number of units of the controller.
        embedding_size: size of the embeddings of symbols; None for one-hot vectors.
    """
    alone = len(memories) == 1
    memory: Any = memories[0] if alone else SeveralMemories(memories)
    size = symbols if embedding_size is None else embedding_size
    machine = AugmentedCell(
        LSTMCell(size + memory.read_size, controller_size),
        interfaces[0] if alone else SeveralInterfaces(interfaces),
        memory,
        input_size=size,
        output_size=output_size,
        initial_reads="constant",
        output_bias=False,
    )
    cell = DNCMachine(machine)
    return cell if embedding_size is None else Embedded(cell, symbols)


def dnc_interface(hidden_size: int, width: int, read_heads: int) -> DNCInterface:
    """Build an interface without biases and bounds."""
    return DNCInterface(hidden_size, width, read_heads=read_heads, clip=None, bias=False)


def closed(
    symbols: Int[Tensor, "batch time"], lengths: Int[Tensor, " batch"]
) -> tuple[Int[Tensor, "batch closed_time"], Int[Tensor, " batch"]]:
    """Return rows that end with the boundary, so that an encoder knows where its source ends, and their lengths.

    Args:
        symbols: the symbols, with the boundary, 0, for padding.
        lengths: number of symbols of each row.
    """
    return functional.pad(symbols, (0, 1), value=BOUNDARY), lengths + 1
