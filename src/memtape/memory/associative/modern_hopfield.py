"""Modern Hopfield network: continuous patterns, and an update that is softmax attention."""

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.memory.associative.patterns import checked_patterns, checked_states
from memtape.memory.associative.recollection import Recollection, recollect
from memtape.ops import modern_hopfield_energy, modern_hopfield_update


class ModernHopfieldNetwork:
    r"""Store continuous patterns, and recall them from corrupted ones by softmax attention.

    $$\xi \leftarrow X \operatorname{softmax}(\beta X^\top \xi)$$

    No update raises the energy of `memtape.ops.modern_hopfield_energy`. A fixed point is near a single pattern if it is well
    separated from the others, the mean of a cluster of similar patterns (a metastable state), or the mean of all patterns if
    $\beta$ is small. The number of patterns that can be stored grows exponentially with the width. `memtape.nn.Hopfield` is
    the layer for networks that are trained.

    Args:
        patterns: the patterns, the columns of $X$.
        beta: $\beta$, the inverse temperature.

    Raises:
        TypeError: the patterns are not a floating-point tensor.
        ValueError: the shape is not (patterns, units), an entry is not finite, or $\beta$ is not positive.

    References:
        Ramsauer et al. (2020), "Hopfield networks is all you need", arXiv:2008.02217.
    """

    def __init__(self, patterns: Float[Tensor, "patterns units"], *, beta: float = 1.0):
        checks.positive(beta=beta)
        self.patterns = checked_patterns(type(self).__name__, patterns, binary=False)
        self.beta = beta

    def energy(self, states: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch"]:
        """Return the energy of states, computed by `memtape.ops.modern_hopfield_energy`."""
        return modern_hopfield_energy(self._checked(states), self.patterns, self.beta)

    def weights(self, states: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch patterns"]:
        """Return the weight of each pattern in the next update of states."""
        return torch.softmax(self.beta * self._checked(states) @ self.patterns.mT, -1)

    def update(self, states: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch units"]:
        """Update states once, as `memtape.ops.modern_hopfield_update` does."""
        return modern_hopfield_update(self._checked(states), self.patterns, self.beta)

    def recall(
        self, probes: Float[Tensor, "*batch units"], *, most: int = 100, tolerance: float = 1e-4
    ) -> Recollection:
        """Update states until they change little.

        Args:
            probes: corrupted patterns.
            most: largest number of updates.
            tolerance: largest distance between two states that counts as no change.

        Raises:
            ValueError: the shape does not match, an entry is not finite, or the number of updates is below 1.
        """
        return recollect(self._checked(probes), self.update, self.energy, most=most, tolerance=tolerance)

    def _checked(self, states: Tensor) -> Tensor:
        return checked_states(type(self).__name__, states, self.patterns.shape[1], binary=False)
