"""Hopfield: a layer that associates two sets of patterns; with one update it is attention."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from memtape.core import checks
from memtape.ops import attention_weights

MOST_UPDATES = 1000
"""Largest number of updates until convergence."""

DEVIATION = 0.02
"""Standard deviation of the initial weights, as in the authors' code."""


class Hopfield(nn.Module):
    r"""Associate state patterns with stored patterns by the update of a modern Hopfield network, and return their values.

    $$\xi \leftarrow K^\top \operatorname{softmax}(\beta K \xi), \qquad Z = W_o \, V^\top \operatorname{softmax}(\beta K \xi)$$

    Queries $\xi = W_q r$, keys $K = Y W_k^\top$ and values $V = P W_v^\top$ are projections of the state patterns $r$, the
    stored patterns $Y$ and the pattern projections $P$, each layer-normalised first. All updates but the last take place
    among the keys, and the last one returns values. With one update and $\beta = 1 / \sqrt{\text{hidden}}$ it is the
    attention of a transformer. Each query stops by itself as soon as its weights change by at most the tolerance, so that a
    result does not depend on the rest of the batch.

    Args:
        input_size: size of a state pattern.
        stored_size: size of a stored pattern; None means `input_size`.
        projection_size: size of a pattern projection; None means that of a stored pattern.
        hidden_size: size of a query and of a key of each head; None means `input_size` / `heads`.
        value_size: size of a value of each head; None means `hidden_size`.
        output_size: size of one output; None means `input_size`.
        heads: number of heads.
        beta: $\beta$; None means $1 / \sqrt{\text{hidden}}$, and 1 for a static layer.
        updates: number of updates; None repeats them until convergence.
        tolerance: largest change of the weights of a query, as a Euclidean distance, that ends its updates.
        normalise: layer-normalise the three inputs.
        dropout: in training, the probability that a weight of the last update is dropped.
        bias: whether the projections have biases.
        static: use the inputs as they are, without projections and normalisation: an associative memory without parameters.
            It has one head, and the sizes of its inputs.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, a number is outside its range, or a static layer is given heads or sizes.

    Example:
        >>> import torch
        >>> from memtape.nn import Hopfield
        >>> stored = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [-0.8, 0.6]]])
        >>> memory = Hopfield(2, static=True, beta=8.0, updates=3)
        >>> memory(torch.tensor([[[0.9, 0.5]]]), stored)
        tensor([[[9.9966e-01, 3.3908e-04]]])

    References:
        Ramsauer et al. (2020), "Hopfield networks is all you need", arXiv:2008.02217, section 3, and the authors' code, where
        `updates` is `update_steps_max` + 1.
    """

    def __init__(
        self,
        input_size: int,
        *,
        stored_size: int | None = None,
        projection_size: int | None = None,
        hidden_size: int | None = None,
        value_size: int | None = None,
        output_size: int | None = None,
        heads: int = 1,
        beta: float | None = None,
        updates: int | None = 1,
        tolerance: float = 1e-4,
        normalise: bool = True,
        dropout: float = 0.0,
        bias: bool = True,
        static: bool = False,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, heads=heads, updates=1 if updates is None else updates)
        checks.dropout_rates(self, dropout=dropout)
        checks.positive(beta=1.0 if beta is None else beta, tolerance=tolerance)
        given = {
            "stored_size": stored_size,
            "projection_size": projection_size,
            "hidden_size": hidden_size,
            "value_size": value_size,
            "output_size": output_size,
        }
        checks.module_sizes(self, **{name: size for name, size in given.items() if size is not None})
        if static and (heads > 1 or any(size is not None for size in given.values())):
            raise ValueError(
                "static is True, but a static layer has no projections, and so one head and the sizes of its inputs; leave "
                "heads and sizes out"
            )
        self.input_size, self.heads, self.static = input_size, heads, static
        self.stored_size = stored_size or input_size
        self.projection_size = projection_size or self.stored_size
        hidden_size = hidden_size or _per_head(input_size, heads)
        value_size = value_size or hidden_size
        self.output_size = output_size or input_size
        self.updates, self.tolerance, self.dropout = updates, tolerance, dropout
        self.beta = beta or (1.0 if static else 1 / math.sqrt(hidden_size))
        sizes = (input_size, self.stored_size, self.projection_size)
        if static:
            return
        self.norms = nn.ModuleList([nn.LayerNorm(size) if normalise else nn.Identity() for size in sizes])
        self.to_query = nn.Linear(sizes[0], heads * hidden_size, bias=bias)
        self.to_key = nn.Linear(sizes[1], heads * hidden_size, bias=bias)
        self.to_value = nn.Linear(sizes[2], heads * value_size, bias=bias)
        self.to_output = nn.Linear(heads * value_size, self.output_size, bias=bias)
        for layer in (self.to_query, self.to_key, self.to_value, self.to_output):
            nn.init.normal_(layer.weight, std=DEVIATION)
            if bias:
                nn.init.zeros_(layer.bias)

    def forward(
        self,
        states: Float[Tensor, "batch queries input"],
        stored: Float[Tensor, "batch slots stored"],
        projections: Float[Tensor, "batch slots projection"] | None = None,
        *,
        present: Bool[Tensor, "batch slots"] | None = None,
    ) -> Float[Tensor, "batch queries output"]:
        """Return the values that are associated with the state patterns.

        Args:
            states: $r$.
            stored: $Y$.
            projections: $P$; None means the stored patterns.
            present: True at the stored patterns that are present, False at padding; None means all.

        Raises:
            ValueError: a shape does not match.
        """
        projections = stored if projections is None else projections
        self._check(projections=(projections, self.projection_size))
        weights = self.weights(states, stored, present=present)
        if self.static:
            return weights[:, 0] @ projections
        weights = functional.dropout(weights, self.dropout, self.training)
        values = self._split(self.to_value(self.norms[2](projections)))
        return self.to_output((weights @ values).transpose(1, 2).flatten(2))

    def weights(
        self,
        states: Float[Tensor, "batch queries input"],
        stored: Float[Tensor, "batch slots stored"],
        *,
        present: Bool[Tensor, "batch slots"] | None = None,
    ) -> Float[Tensor, "batch heads queries slots"]:
        """Return the weights of the last update; `memtape.ops.metastable_size` counts how many of them matter.

        Args:
            states: $r$.
            stored: $Y$.
            present: True at the stored patterns that are present, False at padding; None means all.

        Raises:
            ValueError: a shape does not match.
        """
        self._check(states=(states, self.input_size), stored=(stored, self.stored_size))
        if present is None:
            present = torch.ones(stored.shape[:2], dtype=torch.bool, device=stored.device)
        queries, keys = states.unsqueeze(1), stored.unsqueeze(1)
        if not self.static:
            queries = self._split(self.to_query(self.norms[0](states)))
            keys = self._split(self.to_key(self.norms[1](stored)))
        weights = self._attend(queries, keys, present)
        active = torch.ones_like(weights[..., :1], dtype=torch.bool)
        for _ in range(1, self.updates or MOST_UPDATES):
            moved = self._attend(weights @ keys, keys, present)
            change = (moved - weights).detach().norm(dim=-1, keepdim=True)
            weights = torch.where(active, moved, weights)
            active = active & (change > self.tolerance)
            if not active.any():
                break
        return weights

    def _attend(self, queries: Tensor, keys: Tensor, present: Tensor) -> Float[Tensor, "batch heads queries slots"]:
        scores = self.beta * queries @ keys.mT
        return attention_weights(scores.flatten(1, 2), present).unflatten(1, scores.shape[1:3])

    def _split(self, vectors: Float[Tensor, "batch rows size"]) -> Float[Tensor, "batch heads rows part"]:
        return vectors.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def _check(self, **given: tuple[Tensor, int]) -> None:
        for name, (patterns, size) in given.items():
            if patterns.ndim != 3 or patterns.shape[-1] != size:
                raise ValueError(
                    f"{name} have shape {tuple(patterns.shape)}, but this Hopfield layer takes (batch, patterns, {size}); "
                    "reshape them or build the layer for their size"
                )


def _per_head(input_size: int, heads: int) -> int:
    if input_size % heads:
        raise ValueError(
            f"input_size is {input_size}, which {heads} heads do not divide; give hidden_size or another number of heads"
        )
    return input_size // heads
