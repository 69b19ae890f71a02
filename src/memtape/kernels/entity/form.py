"""Form: the tensors of a recurrent entity network that reads stories, and the interface of the engines."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class EntitySteps:
    r"""What the sentences of a batch of stories and the parameters give to each slot.

    All sentences of the first story come first, then those of the second, and so on. Sentence $t$ changes the content $h_j$
    of slot $j$, by the gate $g_j$:

    $$g_j = \sigma(s_t^\top h_j + k_{tj}), \qquad h_j \leftarrow h_j + g_j \, \phi(U h_j + c_j + v_t)$$

    $$h_j \leftarrow h_j / \lVert h_j \rVert$$

    where $\phi$ is a PReLU.
    """

    vectors: Float[Tensor, "sentences size"]
    """$s_t$."""
    by_key: Float[Tensor, "sentences slots"]
    """$k_{tj}$, the part of the scores that does not depend on the contents."""
    by_sentence: Float[Tensor, "sentences size"]
    """$v_t$."""
    constant: Float[Tensor, "slots size"]
    """$c_j$."""
    first: Float[Tensor, "slots size"]
    """$h_j$ before the first sentence."""
    weights: Float[Tensor, "size size"]
    """$U$."""
    slopes: Float[Tensor, " size"]
    """The slopes of $\\phi$ below 0."""


@runtime_checkable
class EntityEngine(Protocol):
    """An engine: let the slots read the sentences of all stories, one after another."""

    def __call__(
        self, steps: EntitySteps, lengths: Int[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch slots size"], Float[Tensor, "sentences slots"]]:
        """Return the contents after the last sentence of each story, and all gates."""
        ...
