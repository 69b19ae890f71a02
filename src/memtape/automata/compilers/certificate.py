"""Certificate: under which conditions a compiled network computes exactly what its machine computes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

INTEGERS = {"float32": 2**24, "float64": 2**53}
"""The integer up to which each dtype represents all integers."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Under which conditions a compiled network computes exactly what its machine computes.

    Attributes:
        construction: the construction, in one sentence.
        units: number of hidden units that represent configurations of the machine.
        parameters: number of parameters of the network.
        margin: smallest distance of a unit's input from the value at which its state would change.
        exact_in: the dtypes in which every state of the network is exactly that of the construction, each with the largest
            content of a stack or counter, or number of derivations, for which it is exact; None for any.
        limit: a further condition, empty if there is none.
    """

    construction: str
    units: int
    parameters: int
    margin: float
    exact_in: Mapping[str, int | None] = field(default_factory=dict)
    limit: str = ""

    def __str__(self) -> str:
        exact = [f"{name} to {most:,}" if most else name for name, most in self.exact_in.items()]
        return (
            f"{self.construction} {self.units} units, {self.parameters} parameters, margin {self.margin:g}; "
            f"{'exact in ' + ' and '.join(exact) if exact else 'right, but not exact, in float32 and float64'}"
            f"{', ' + self.limit if self.limit else ', at any length'}."
        )


def set_parameter(parameter: Tensor, value: Tensor) -> None:
    """Give a parameter a value."""
    with torch.no_grad():
        parameter.copy_(value)


def parameters_of(network: nn.Module) -> int:
    """Return the number of parameters of a network."""
    return sum(parameter.numel() for parameter in network.parameters())
