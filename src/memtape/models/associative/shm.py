"""SHM: layers of stable Hadamard memories, and a readout."""

from typing import Any, Literal

from memtape.cells import StableHadamardCell
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.models.recurrent.layered import layered
from memtape.sharing.shareable import Shareable


def shm_network(
    input_size: int,
    output_size: int,
    *,
    memory_size: int = 32,
    rows: int = 128,
    row: Literal["random", "first"] = "random",
    state_clamp: float | None = None,
    shortcut: bool = True,
    layers: int = 1,
    embedding_size: int | None = None,
    dropout: float = 0.0,
) -> AnyCell:
    """Build a network of stable Hadamard memories, each a `StableHadamardCell`.

    The input of each memory is layer-normalised. Inputs of few numbers need an embedding, since normalisation removes
    their mean and their scale.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        memory_size: number of rows and of columns of each memory.
        rows: number of rows of the learned table from which the gates of a step are computed.
        row: which row: one drawn at each step, or the first row at all steps.
        state_clamp: largest magnitude of an entry of a memory; None for no limit. With a limit sequences run step by step.
        shortcut: add a linear map of the normalised input to the reading of each memory.
        layers: number of memories; each one reads the output of the one before it.
        embedding_size: size of the learned embeddings of symbols or of the linear map of input vectors; None for no
            embedding.
        dropout: in training, the probability that an entry of a memory's output is dropped, the same entries at all steps
            of a sequence.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, `row` is unknown, the clamp is not above 0, or the dropout is outside 0..1.

    References:
        Le, Do, Nguyen, Gupta & Venkatesh (2025), "Stable Hadamard memory: revitalizing memory-augmented agents for
        reinforcement learning", arXiv:2410.10132, section 3.
    """

    def memory(size: int) -> AnyCell:
        return StableHadamardCell(size, memory_size, rows=rows, row=row, state_clamp=state_clamp, shortcut=shortcut)

    return layered(memory, input_size, output_size, layers=layers, embedding_size=embedding_size, dropout=dropout)


class SHM(Recurrent[Any], Shareable):
    """Run stable Hadamard memories over sequences; the arguments are those of `shm_network`.

    Example:
        >>> import torch
        >>> from memtape import SHM
        >>> ys, state = SHM(input_size=5, output_size=3, memory_size=4)(torch.zeros(2, 7, 5))
        >>> ys.shape, state.memory.shape
        (torch.Size([2, 7, 3]), torch.Size([2, 4, 4]))
    """

    __init__ = runs(shm_network)


CARD = ModelCard(
    name="shm",
    summary="Stable Hadamard memory: a matrix with a gate for each entry, computed in parallel over time.",
    paper=("le2025",),
    inputs=("sequences",),
    small={"memory_size": 3, "rows": 4, "row": "first", "embedding_size": 4},
)
