"""Vanishing: a penalty on the change of the gradient norm over one recurrent step."""

import torch
from jaxtyping import Float
from torch import Tensor


def vanishing_penalty(
    from_hidden: Float[Tensor, "hidden hidden"],
    slopes: Float[Tensor, "*steps hidden"],
    gradients: Float[Tensor, "*steps hidden"],
) -> Float[Tensor, "*steps"]:
    r"""Compute, for each step, a penalty on how much the gradient shrinks or grows as it passes to the previous step.

    $$\Omega_t = \left( \frac{\| W^\top \operatorname{diag}(f'_t)\, \nabla_{h_t} L \|}{\| \nabla_{h_t} L \|} - 1 \right)^2,
    \qquad \frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(f'_t)\, W$$

    Slopes and gradients are treated as constants; the penalty is differentiated with respect to the explicit $W$ alone.

    Args:
        from_hidden: $W$.
        slopes: $f'_t$, the derivative of the activation at step $t$; $1 - h_t^2$ for tanh.
        gradients: $\nabla_{h_t} L$, including the effect of $h_t$ through later steps. Only their directions matter, which
            are computed correctly even where the square of a norm would underflow.

    Returns:
        $\Omega_t$; 0 where the gradient is 0. It is at most 1 for a vanishing gradient.

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
