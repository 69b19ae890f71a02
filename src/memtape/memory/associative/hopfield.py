"""Hopfield network: binary patterns are the minima of an energy, and recall goes downhill."""

from typing import Final, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.memory.associative.patterns import checked_patterns, checked_states
from memtape.memory.associative.recollection import Recollection, recollect
from memtape.memory.associative.sweep import order_of_units
from memtape.ops import hebbian_weights, hopfield_energy, projection_weights, signs_of_fields

RULES: Final = {"hebb": hebbian_weights, "projection": projection_weights}


class HopfieldNetwork:
    r"""Store binary patterns, and recall them from corrupted ones (attractor dynamics).

    $$s_i \leftarrow \operatorname{sign}\Bigl(\sum_j W_{ij} s_j\Bigr), \qquad E = -\tfrac{1}{2} s^\top W s$$

    Updated one after the other, the units never raise the energy, so each state reaches a fixed point. Updated all at once,
    they may alternate between two states. By Hebb's rule, up to about $0.138\, n$ random patterns are fixed points with few
    wrong units. The negative of a fixed point is another one, and so are mixtures of an odd number of patterns.

    Args:
        patterns: the patterns, of entries 1 and -1.
        rule: "hebb", which `memtape.ops.hebbian_weights` computes, or "projection" (`memtape.ops.projection_weights`), by which
            correlated patterns are fixed points too.

    Raises:
        TypeError: the patterns are not a floating-point tensor.
        ValueError: the shape is not (patterns, units), an entry is not 1 or -1, or the rule is unknown.

    Example:
        >>> import torch
        >>> from memtape.memory import HopfieldNetwork
        >>> patterns = torch.tensor([[1.0, 1, 1, 1, -1, -1, -1, -1], [1, -1, 1, -1, 1, -1, 1, -1]])
        >>> network = HopfieldNetwork(patterns)
        >>> probe = patterns[0].clone()
        >>> probe[0] = -1
        >>> found = network.recall(probe)
        >>> torch.equal(found.states, patterns[0]), found.energies.tolist()
        (True, [-1.5, -3.0, -3.0])

    References:
        Hopfield (1982), "Neural networks and physical systems with emergent collective computational abilities", PNAS 79,
        doi:10.1073/pnas.79.8.2554; capacity: Amit, Gutfreund & Sompolinsky (1985), "Storing infinite numbers of patterns in a
        spin-glass model of neural networks", Physical Review Letters 55, doi:10.1103/PhysRevLett.55.1530.
    """

    def __init__(self, patterns: Float[Tensor, "patterns units"], *, rule: Literal["hebb", "projection"] = "hebb"):
        checks.one_of(tuple(RULES), rule=rule)
        self.patterns = checked_patterns(type(self).__name__, patterns, binary=True)
        self.weights = RULES[rule](self.patterns)

    def energy(self, states: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch"]:
        """Return the energy of states, computed by `memtape.ops.hopfield_energy`."""
        return hopfield_energy(self._checked(states), self.weights)

    def update(
        self, states: Float[Tensor, "*batch units"], *, generator: torch.Generator | None = None
    ) -> Float[Tensor, "*batch units"]:
        """Update each unit once, one after the other (an asynchronous sweep).

        Args:
            states: states of entries 1 and -1.
            generator: draws the order of the units; without it they are updated from the first to the last.
        """
        states = self._checked(states).clone()
        for unit in order_of_units(len(self.weights), generator):
            states[..., unit] = signs_of_fields(states @ self.weights[unit], states[..., unit])
        return states

    def update_at_once(self, states: Float[Tensor, "*batch units"]) -> Float[Tensor, "*batch units"]:
        """Update all units at the same time (a synchronous update), which may raise the energy.

        Args:
            states: states of entries 1 and -1.
        """
        states = self._checked(states)
        return signs_of_fields(states @ self.weights, states)

    def recall(
        self,
        probes: Float[Tensor, "*batch units"],
        *,
        synchronous: bool = False,
        most: int = 100,
        generator: torch.Generator | None = None,
    ) -> Recollection:
        """Update states until they no longer change.

        Args:
            probes: corrupted patterns, of entries 1 and -1.
            synchronous: update all units at once instead of one after the other; a state that alternates does not settle.
            most: largest number of updates of all units.
            generator: draws the order of the units of each sweep.

        Raises:
            ValueError: the shape does not match, an entry is not 1 or -1, or the number of updates is below 1.
        """

        def sweep(states: Tensor) -> Tensor:
            return self.update_at_once(states) if synchronous else self.update(states, generator=generator)

        return recollect(self._checked(probes), sweep, self.energy, most=most)

    def _checked(self, states: Tensor) -> Tensor:
        return checked_states(type(self).__name__, states, len(self.weights), binary=True)
