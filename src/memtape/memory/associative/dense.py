"""Dense associative memory: a Hopfield network with an energy of higher order, which stores more patterns than units."""

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.memory.associative.patterns import checked_patterns, checked_states
from memtape.memory.associative.recollection import Recollection, recollect
from memtape.memory.associative.sweep import order_of_units
from memtape.ops import dense_energy, dense_field, signs_of_fields
from memtape.ops.dense_associative import INTERACTIONS, Interaction


class DenseAssociativeMemory:
    r"""Store binary patterns by an energy that grows steeply with the overlap, and recall them from corrupted ones.

    $$E = -\sum_\mu F(\xi^\mu \cdot s), \qquad s_i \leftarrow \operatorname{sign}\Bigl(\sum_\mu F(\xi^\mu_i + r^\mu_i) -
    F(-\xi^\mu_i + r^\mu_i)\Bigr), \qquad r^\mu_i = \sum_{j \ne i} \xi^\mu_j s_j$$

    With $F(x) = x^2$ it is the Hopfield network. With $F(x) = x^n$ it stores a number of random patterns of order $N^{n-1}$ for
    $N$ units, and with $F(x) = e^x$ of order $2^{N/2}$. The patterns themselves are kept, not a matrix of weights.

    Args:
        patterns: the patterns $\xi^\mu$, of entries 1 and -1.
        interaction: $F$: "power", "rectified", the power of positive overlaps alone, or "exponential".
        degree: $n$, at least 2; without effect for "exponential".

    Raises:
        TypeError: the patterns are not a floating-point tensor, or the degree is not an integer.
        ValueError: the shape is not (patterns, units), an entry is not 1 or -1, the interaction is unknown, or the degree is
            below 2.

    References:
        Krotov & Hopfield (2016), "Dense associative memory for pattern recognition", arXiv:1606.01164; exponential:
        Demircigil, Heusel, Löwe, Upgang & Vermet (2017), "On a model of associative memory with huge storage capacity",
        arXiv:1702.01929.
    """

    def __init__(
        self, patterns: Float[Tensor, "patterns units"], *, interaction: Interaction = "rectified", degree: int = 3
    ):
        checks.one_of(INTERACTIONS, interaction=interaction)
        checks.at_least(2, degree=degree)
        self.patterns = checked_patterns(type(self).__name__, patterns, binary=True)
        self.interaction: Interaction = interaction
        self.degree = degree

    def energy(self, states: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch"]:
        """Return the energy of states, computed by `memtape.ops.dense_energy`."""
        return dense_energy(self._checked(states) @ self.patterns.mT, self.interaction, self.degree)

    def update(
        self, states: Float[Tensor, "*batch units"], *, generator: torch.Generator | None = None
    ) -> Float[Tensor, "*batch units"]:
        """Update each unit once, one after the other; the energy never rises.

        Args:
            states: states of entries 1 and -1.
            generator: draws the order of the units; without it they are updated from the first to the last.
        """
        states = self._checked(states).clone()
        overlaps = states @ self.patterns.mT
        for unit in order_of_units(self.patterns.shape[1], generator):
            bits = self.patterns[:, unit]
            rest = overlaps - states[..., unit, None] * bits
            field = dense_field(bits, rest, self.interaction, self.degree)
            states[..., unit] = signs_of_fields(field, states[..., unit])
            overlaps = rest + states[..., unit, None] * bits
        return states

    def recall(
        self, probes: Float[Tensor, "*batch units"], *, most: int = 100, generator: torch.Generator | None = None
    ) -> Recollection:
        """Update states until they no longer change.

        Args:
            probes: corrupted patterns, of entries 1 and -1.
            most: largest number of updates of all units.
            generator: draws the order of the units of each sweep.

        Raises:
            ValueError: the shape does not match, an entry is not 1 or -1, or the number of updates is below 1.
        """
        states = self._checked(probes)
        return recollect(states, lambda found: self.update(found, generator=generator), self.energy, most=most)

    def _checked(self, states: Tensor) -> Tensor:
        return checked_states(type(self).__name__, states, self.patterns.shape[1], binary=True)
