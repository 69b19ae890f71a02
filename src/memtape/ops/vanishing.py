"""Vanishing: how far a recurrent step is from handing its gradient on at full length."""

import torch
from jaxtyping import Float
from torch import Tensor


def vanishing_penalty(
    from_hidden: Float[Tensor, "hidden hidden"],
    slopes: Float[Tensor, "*steps hidden"],
    gradients: Float[Tensor, "*steps hidden"],
) -> Float[Tensor, "*steps"]:
    r"""Measure, for each step, by how much the gradient that it hands to the step before shrinks or grows.

    $$\Omega_t = \left( \frac{\| W^\top \operatorname{diag}(f'_t)\, \nabla_{h_t} L \|}{\| \nabla_{h_t} L \|} - 1 \right)^2,
    \qquad \frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(f'_t)\, W$$

    Slopes and gradients count as constants in the derivative, which is taken by $W$ where it stands in this equation alone.

    Args:
        from_hidden: $W$.
        slopes: $f'_t$, the derivative of the activation at step $t$; $1 - h_t^2$ for tanh.
        gradients: $\nabla_{h_t} L$, over all the ways in which $h_t$ reaches the loss. Only their directions count,
            which are right also where the square of a length would underflow.

    Returns:
        $\Omega_t$, 0 where the gradient is 0 and so has no direction. It is at most 1 for a gradient that vanishes.

    Example:
        >>> import torch
        >>> vanishing_penalty(0.5 * torch.eye(3), torch.ones(3), torch.tensor([0.0, 2.0, 1.0]))
        tensor(0.2500)

    References:
        Pascanu, Mikolov & Bengio (2013), "On the difficulty of training recurrent neural networks", arXiv:1211.5063,
        section 3.3; Goodfellow, Bengio & Courville (2016), "Deep Learning", MIT Press, eq. 10.52.
    """
    gradients = gradients.detach().to(from_hidden.dtype)
    largest = gradients.abs().amax(dim=-1, keepdim=True)
    present = largest > 0
    directions = torch.where(present, gradients / largest, 0)
    lengths = torch.linalg.vector_norm(directions, dim=-1)
    handed_on = (slopes.detach().to(from_hidden.dtype) * directions) @ from_hidden
    stretch = torch.linalg.vector_norm(handed_on, dim=-1) / lengths.clamp(min=1)
    return torch.where(present.squeeze(-1), (stretch - 1).square(), 0)
