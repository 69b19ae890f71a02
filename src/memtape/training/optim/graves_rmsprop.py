"""Graves RMSprop: the variant of RMSprop that trained the Neural Turing Machine."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

EPSILON = 1e-4
"""Added inside the root, as published; it limits a step to 100 times the learning rate when gradients are small."""


class GravesRMSprop(torch.optim.Optimizer):
    r"""Divide each gradient by its running standard deviation, and add momentum.

    $$n \leftarrow \rho n + (1 - \rho) g^2, \quad m \leftarrow \rho m + (1 - \rho) g, \quad
    \Delta \leftarrow \mu \Delta - \eta \frac{g}{\sqrt{n - m^2 + \epsilon}}, \quad \theta \leftarrow \theta + \Delta$$

    `torch.optim.RMSprop(centered=True)` adds its epsilon outside the root.

    Args:
        parameters: the parameters to train.
        lr: $\eta$, the learning rate.
        smoothing: $\rho$.
        momentum: $\mu$.

    References:
        Graves (2013), "Generating sequences with recurrent neural networks", arXiv:1308.0850, eqs. 38-45.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], *, lr: float = 1e-4, smoothing: float = 0.95, momentum: float = 0.9
    ):
        super().__init__(parameters, {"lr": lr, "smoothing": smoothing, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Do one step: update every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            keep, momentum = group["smoothing"], group["momentum"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                memory = self.state[parameter]
                if not memory:
                    for name in ("square", "mean", "change"):
                        memory[name] = torch.zeros_like(parameter)
                gradient = parameter.grad
                memory["square"].mul_(keep).addcmul_(gradient, gradient, value=1 - keep)
                memory["mean"].mul_(keep).add_(gradient, alpha=1 - keep)
                deviation = (memory["square"] - memory["mean"] ** 2 + EPSILON).sqrt_()
                memory["change"].mul_(momentum).addcdiv_(gradient, deviation, value=-group["lr"])
                parameter.add_(memory["change"])
        return loss
