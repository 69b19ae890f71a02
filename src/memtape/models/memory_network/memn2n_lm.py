"""End-to-end memory network as a language model: its memory is the last symbols."""

from typing import Any

from torch import nn

from memtape.cells import Embedded
from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.models.memory_network.sliding_memory import SlidingMemoryCell
from memtape.sharing.shareable import Shareable


def memn2n_lm_network(
    input_size: int,
    output_size: int,
    *,
    embedding_size: int = 150,
    hops: int = 6,
    memory_size: int = 100,
    spread: float = 0.05,
) -> AnyCell:
    r"""Build an end-to-end memory network that reads its last symbols in hops, all with the same parameters.

    $$m_i = A x_i + T^A_i, \qquad c_i = C x_i + T^C_i, \qquad i = 1 \text{ (oldest)} \dots M \text{ (newest)}$$

    The query is a constant, $u^1 = 0.1$, and the output has its own matrix. At the start of a sequence the memory has fewer
    than $M$ symbols; the newest always has the terms of row $M$. The state holds $A x_i$ and $C x_i$ of the last symbols, so
    that chunks of a sequence give the outputs of the whole.

    Args:
        input_size: number of symbols, or size of one input vector.
        output_size: size of one output vector; outputs are logits.
        embedding_size: size of $m_i$ and $c_i$; half of the entries of the query between hops are linear, half have a ReLU.
        hops: the number of hops $K$.
        memory_size: $M$.
        spread: standard deviation of the initial parameters.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the spread is not above 0.

    References:
        Sukhbaatar, Szlam, Weston & Fergus (2015), "End-to-end memory networks", arXiv:1503.08895, section 5.
    """
    checks.at_least(1, input_size=input_size)
    cell = SlidingMemoryCell(embedding_size, output_size, hops=hops, memory_size=memory_size, spread=spread)
    network = Embedded(cell, input_size)
    nn.init.normal_(network.table, std=spread)
    return network


class MemN2NLanguageModel(Recurrent[Any], Shareable):
    """End-to-end memory network whose memory is the last symbols; the arguments are those of `memn2n_lm_network`."""

    __init__ = runs(memn2n_lm_network)


CARD = ModelCard(
    name="memn2n-lm",
    summary="End-to-end memory network as a language model: a memory of the last symbols, read in several hops.",
    paper=("sukhbaatar2015",),
    small={"embedding_size": 4, "hops": 2, "memory_size": 5},
)
