"""Superposition stack: a stack that is the mean of the stacks after each action, weighted by the actions' probabilities."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape.ops.near_ties import largest


def superpose(
    cells: Float[Tensor, "*batch depth width"],
    actions: Float[Tensor, "*batch actions"],
    pushed: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch depth+1 width"]:
    r"""Push, pop and do nothing, each with its probability, and return the mean of the stacks.

    $$s_t[0] = a^{\text{push}} v + a^{\text{pop}} s_{t-1}[1] + a^{\text{none}} s_{t-1}[0], \qquad
    s_t[i] = a^{\text{push}} s_{t-1}[i-1] + a^{\text{pop}} s_{t-1}[i+1] + a^{\text{none}} s_{t-1}[i]$$

    Beyond its last cell a stack is empty, which is zero. A stack whose empty cells have another value $e$ is the same stack
    of the differences $s - e$ and $v - e$, as long as the probabilities sum to 1.

    Args:
        cells: $s_{t-1}$, the cells from the top to the bottom.
        actions: $a$, the probabilities of push, pop and, if there are three, of no action.
        pushed: $v$, the value that is pushed.

    Returns:
        $s_t$, with one cell more, since every cell may have moved down.

    References:
        Joulin & Mikolov (2015), "Inferring algorithmic patterns with stack-augmented recurrent nets", arXiv:1503.01007,
        section 3.2.
    """
    depth = cells.shape[-2]
    below = functional.pad(cells, (0, 0, 0, 2))
    push, pop, *none = actions[..., None, None].unbind(-3)
    mean = push * torch.cat([pushed[..., None, :], cells], dim=-2) + pop * below.narrow(-2, 1, depth + 1)
    return mean + none[0] * below.narrow(-2, 0, depth + 1) if none else mean


def one_hot_of_largest(actions: Float[Tensor, "*batch actions"]) -> Float[Tensor, "*batch actions"]:
    r"""Round probabilities of actions: return 1 for the most probable action, the first of equals, and 0 for the others.

    The result has no gradient.

    Args:
        actions: the probabilities.

    References:
        Joulin & Mikolov (2015), arXiv:1503.01007, section 5.1, "Rounding".
    """
    places = torch.arange(actions.shape[-1], device=actions.device)
    return (places == largest(actions, 1)).to(actions.dtype)
