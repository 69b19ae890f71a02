"""Edge choices: the probabilities that outputs of digits give to the available edges."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape.tasks.graph.encoding import BLANK, digit_scores


def edge_scores(
    outputs: Float[Tensor, "steps 90"], triples: Int[Tensor, "steps edges 3"]
) -> Float[Tensor, "steps edges"]:
    """Return the log-probability of each edge, normalised over the available edges; blank triples are padding."""
    digits = torch.stack([triples // 100, triples // 10 % 10, triples % 10], dim=-1).flatten(-2).clamp(0, 9)
    scores = digit_scores(outputs)[:, None].expand(-1, digits.shape[1], -1, -1)
    total = scores.gather(-1, digits[..., None])[..., 0].sum(-1)
    return total.masked_fill(triples[..., 0] == BLANK, -torch.inf).log_softmax(-1)


def planner_nats(outputs: Float[Tensor, "steps 90"], choices: Int[Tensor, "steps edges 5"]) -> Float[Tensor, " steps"]:
    """Return the cross-entropy of the planner's edges in nats; `choices` are the targets of a `PathBatch`."""
    right = choices[..., 4].argmax(-1)
    return -edge_scores(outputs, choices[..., :3]).gather(1, right[:, None])[:, 0]
