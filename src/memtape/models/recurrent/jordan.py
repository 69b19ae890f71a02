"""Jordan: plain units whose only recurrence is output feedback, trained with teacher forcing."""

from typing import Any, Literal

from memtape.cells import Embedded, JordanCell
from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import AnyCell
from memtape.core.recurrent import Recurrent, runs
from memtape.sharing.shareable import Shareable


def jordan_network(
    input_size: int,
    output_size: int,
    *,
    hidden_size: int = 128,
    activation: Literal["tanh", "relu"] = "tanh",
    feedback: Literal["outputs", "softmax", "sigmoid", "argmax"] = "outputs",
    teacher_forcing: bool = True,
    embedding_size: int | None = None,
) -> AnyCell:
    """Build a network of one layer of plain units with output feedback.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        hidden_size: number of units.
        activation: activation function of the units.
        feedback: function of the output that is fed back.
        teacher_forcing: feed back the targets in training, which computes all steps at once; otherwise the network
            feeds back its own outputs step by step, as it must if most steps have no target.
        embedding_size: size of the learned embeddings of symbols; none for one-hot vectors.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or a choice is unknown.

    References:
        Jordan (1986), "Serial order: a parallel distributed processing approach", ICS report 8604, University of
        California, San Diego; Goodfellow, Bengio & Courville (2016), "Deep Learning", section 10.2.1.
    """
    if embedding_size is not None:
        checks.at_least(1, embedding_size=embedding_size, input_size=input_size)
    cell = JordanCell(embedding_size or input_size, hidden_size, output_size, activation=activation, feedback=feedback)
    return cell if embedding_size is None else Embedded(cell, input_size)


class Jordan(Recurrent[Any], Shareable):
    """Run a Jordan network over sequences; the arguments are those of `jordan_network`."""

    __init__ = runs(jordan_network)

    @property
    def forced(self) -> bool:
        """Whether targets are fed back in training."""
        return bool(self.configuration["teacher_forcing"])


CARD = ModelCard(
    name="jordan",
    summary="Jordan network: units with feedback of the output, or in training of the target.",
    paper=("jordan1986",),
    inputs=("sequences",),
    small={"hidden_size": 8},
)
