"""Preference: which facts a hop of a memory network prefers to which, by their words and by their time."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from memtape.core.state import state


@state
class Preference:
    r"""How a hop compares the facts of each row, of which the last has no time.

    Fact $y$ is preferred to $y'$ if $s(x, y, y') > 0$ with

    $$s(x, y, y') = s_y - s_{y'} + \tau_1 [x \text{ older than } y] + \tau_2 [x \text{ older than } y']
    + \tau_3 [y \text{ older than } y']$$

    where facts are older than those after them. Nothing is older or newer than the last fact: brackets with it are 0.

    References:
        Weston, Chopra & Bordes (2015), "Memory networks", arXiv:1410.3916, section 3.4.
    """

    scores: Float[Tensor, "batch facts"]
    """$s_y$."""
    later: Float[Tensor, "batch facts"]
    """1 for a fact that $x$ is older than, else 0, as for the last fact."""
    times: Float[Tensor, "batch three"]
    r"""$\tau$."""
    present: Bool[Tensor, "batch facts"]


def preference(
    asked: Float[Tensor, "batch embedding"],
    vectors: Float[Tensor, "batch facts embedding"],
    times: Float[Tensor, "three embedding"] | None,
    *,
    last: Int[Tensor, " batch"],
    present: Bool[Tensor, "batch facts"],
) -> Preference:
    r"""Return how a hop compares facts, with $s_y = q \cdot v_y$ and $\tau_i = q \cdot t_i$.

    Args:
        asked: $q$.
        vectors: $v$.
        times: $t$, the vectors of the three brackets; None for $\tau = 0$.
        last: the fact whose age $x$ has; the last fact means that $x$ is newer than all.
        present: which facts there are.
    """
    scores = (vectors @ asked[:, :, None])[:, :, 0]
    at = torch.arange(scores.shape[1], device=scores.device)
    later = ((last[:, None] < at) & (at < len(at) - 1)).to(scores.dtype)
    return Preference(
        scores=scores,
        later=later,
        times=scores.new_zeros(len(scores), 3) if times is None else asked @ times.mT,
        present=present,
    )


def winner(given: Preference) -> Int[Tensor, " batch"]:
    """Compare each fact with the winner so far, from the newest to the oldest and then the last, which has no time.

    The winner changes when another fact is preferred to it. Where no fact is present, the last one wins.

    References:
        Weston, Chopra & Bordes (2015), "Memory networks", arXiv:1410.3916, algorithm 1.
    """
    x_before_y, x_before_other, y_before_other = given.times.split(1, dim=1)
    as_older = given.scores + given.later * x_before_y + y_before_other
    as_newer = given.scores - given.later * x_before_other
    end = given.scores.shape[1] - 1
    found = torch.full_like(given.times[:, 0], end, dtype=torch.long)
    score = torch.full_like(as_newer[:, 0], -torch.inf)
    for at in reversed(range(end)):
        better = given.present[:, at] & (as_older[:, at] > score)
        found = torch.where(better, at, found)
        score = torch.where(better, as_newer[:, at], score)
    better = given.present[:, end] & (given.scores[:, end] > score)
    return torch.where(better, end, found)


def preference_loss(
    given: Preference, label: Int[Tensor, " batch"], margin: float, *, both: bool
) -> Float[Tensor, " batch"]:
    r"""Return the margin ranking loss of a hop that should prefer the labelled fact $f$ to all others.

    $$\sum_{f' \neq f} \max(0, \gamma - s(x, f, f')) + \max(0, \gamma + s(x, f', f))$$

    Args:
        given: how the hop compares facts.
        label: $f$.
        margin: $\gamma$.
        both: whether to add the second term, which differs from the first by its time only.
    """
    scores, later, label = given.scores, given.later, label[:, None]
    at, end = torch.arange(scores.shape[1], device=scores.device), scores.shape[1] - 1
    x_before_y, x_before_other, y_before_other = given.times.split(1, dim=1)
    ahead, label_later = scores.gather(1, label) - scores, later.gather(1, label)
    label_older, label_newer = (label < at) & (at < end), (at < label) & (label < end)
    as_y = label_later * x_before_y + later * x_before_other + label_older * y_before_other
    loss = (margin - ahead - as_y).relu()
    if both:
        as_other = later * x_before_y + label_later * x_before_other + label_newer * y_before_other
        loss = loss + (margin - ahead + as_other).relu()
    return torch.where(given.present & (at != label), loss, 0).sum(1)
