"""Correlation-matrix memory: pairs of keys and values, written one after the other into one matrix."""

from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.state import NoState, state
from memtape.ops import delta_write


@state
class CorrelationState:
    """The matrix, and with the rule "least-squares" the inverse of the sum of the outer products of keys."""

    matrix: Float[Tensor, "*batch value key"]
    inverse: Any


class CorrelationMemory:
    r"""Write pairs of keys and values into one matrix, and recall the value of a key.

    $$\text{hebb:} \quad M \leftarrow M + y x^\top \qquad \text{delta:} \quad M \leftarrow M + \eta (y - M x) x^\top$$

    $$\text{least-squares:} \quad P \leftarrow P - \frac{P x x^\top P}{1 + x^\top P x}, \qquad M \leftarrow M + (y - M x)
    (P x)^\top, \qquad P_0 = I / \lambda$$

    Recall is $M x$. Hebb's rule adds crosstalk of all other pairs whose keys are not orthogonal. The delta rule replaces the
    value of a key; written once each, the last of many pairs are remembered best. Recursive least squares is at each step
    the ridge regression of all values on all keys.

    Args:
        key_size: size of a key.
        value_size: size of a value.
        rule: "hebb", "delta" or "least-squares".
        rate: $\eta$ of the delta rule; without effect for the others.
        ridge: $\lambda$ of least squares; without effect for the others.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the rule is unknown, or the rate or the ridge is not positive.

    Example:
        >>> import torch
        >>> from memtape.memory import CorrelationMemory
        >>> memory = CorrelationMemory(key_size=3, value_size=2)
        >>> state = memory.init_state(1)
        >>> for key, value in zip(torch.eye(3)[:2], torch.tensor([[1.0, 2.0], [3.0, 4.0]])):
        ...     state = memory.write(state, key[None], value[None])
        >>> memory.read(state, torch.eye(3)[1:2])
        tensor([[3., 4.]])

    References:
        Kohonen (1972), "Correlation matrix memories", IEEE Transactions on Computers C-21, doi:10.1109/TC.1972.5008975; the
        delta rule: Widrow & Hoff (1960), "Adaptive switching circuits", IRE WESCON convention record 4.
    """

    def __init__(
        self,
        key_size: int,
        value_size: int,
        *,
        rule: Literal["hebb", "delta", "least-squares"] = "hebb",
        rate: float = 1.0,
        ridge: float = 0.01,
    ):
        checks.at_least(1, key_size=key_size, value_size=value_size)
        checks.one_of(("hebb", "delta", "least-squares"), rule=rule)
        checks.positive(rate=rate, ridge=ridge)
        self.key_size, self.value_size = key_size, value_size
        self.rule, self.rate, self.ridge = rule, rate, ridge

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> CorrelationState:
        """Return an empty memory."""
        matrix = torch.zeros(batch_size, self.value_size, self.key_size, device=device, dtype=dtype)
        if self.rule != "least-squares":
            return CorrelationState(matrix=matrix, inverse=NoState())
        inverse = torch.eye(self.key_size, device=device, dtype=dtype) / self.ridge
        return CorrelationState(matrix=matrix, inverse=inverse.repeat(batch_size, 1, 1))

    def write(
        self, state: CorrelationState, keys: Float[Tensor, "batch key"], values: Float[Tensor, "batch value"]
    ) -> CorrelationState:
        """Write one pair into each memory of the batch.

        Args:
            state: the memories.
            keys: $x$.
            values: $y$.

        Raises:
            ValueError: a shape does not match.
        """
        self._check("keys", keys, state, self.key_size)
        self._check("values", values, state, self.value_size)
        if self.rule == "hebb":
            matrix = state.matrix + values.unsqueeze(-1) * keys.unsqueeze(-2)
            return CorrelationState(matrix=matrix, inverse=state.inverse)
        if self.rule == "delta":
            return CorrelationState(matrix=delta_write(state.matrix, keys, values, self.rate), inverse=state.inverse)
        gain = _product(state.inverse, keys)
        scale = 1 + (keys * gain).sum(-1, keepdim=True)
        inverse = state.inverse - gain.unsqueeze(-1) * (gain / scale).unsqueeze(-2)
        error = values - _product(state.matrix, keys)
        matrix = state.matrix + error.unsqueeze(-1) * _product(inverse, keys).unsqueeze(-2)
        return CorrelationState(matrix=matrix, inverse=inverse)

    def read(self, state: CorrelationState, keys: Float[Tensor, "batch key"]) -> Float[Tensor, "batch value"]:
        """Recall the value of one key of each memory.

        Args:
            state: the memories.
            keys: $x$.

        Raises:
            ValueError: the shape does not match.
        """
        self._check("keys", keys, state, self.key_size)
        return _product(state.matrix, keys)

    def _check(self, name: str, vectors: Tensor, state: CorrelationState, size: int) -> None:
        wanted = (len(state.matrix), size)
        if tuple(vectors.shape) != wanted:
            raise ValueError(
                f"{name} have shape {tuple(vectors.shape)}, but this CorrelationMemory takes {wanted}; pass one vector for "
                "each memory of the batch"
            )


def _product(matrix: Float[Tensor, "batch rows columns"], vector: Float[Tensor, "batch columns"]) -> Tensor:
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)
