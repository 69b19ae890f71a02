"""Addressing: where a head of the Neural Turing Machine looks (Graves et al. 2014, section 3.3)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Similarity = Literal["cosine", "dot"]

NORM_EPSILON = 1e-12
"""Added to a squared norm: the square root has no derivative at an empty slot. Slots shorter than its root, 1e-6, count
as nearly empty; eight digits of the cosine survive from norm 0.01 on."""

WEIGHT_EPSILON = 1e-12
"""Added to a weight before its logarithm, whose value and derivative at 0 are infinite; far below any weight that
matters, and a normal number in float32."""

LARGEST_SCORE = 1e30
"""Bound of a score before the softmax, where a difference of two infinities would be NaN."""


def content_weights(
    memory: Float[Tensor, "batch slots width"],
    keys: Float[Tensor, "batch heads width"],
    strengths: Float[Tensor, "batch heads"],
    *,
    similarity: Similarity = "cosine",
    masks: Float[Tensor, "batch heads width"] | None = None,
    norm_epsilon: float = NORM_EPSILON,
    product_epsilon: float = 0.0,
) -> Float[Tensor, "batch heads slots"]:
    r"""Focus each head on the slots that resemble its key.

    $$w^c[i] = \frac{\exp(\beta\, K(k, M[i]))}{\sum_j \exp(\beta\, K(k, M[j]))}, \qquad
    K(u, v) = \frac{u \cdot v}{\sqrt{|u|^2 + \epsilon}\sqrt{|v|^2 + \epsilon} + \epsilon'} \;\text{or}\; u \cdot v$$

    With masks $m$, $K(k \odot m, M[i] \odot m)$ stands in the place of $K(k, M[i])$.

    Args:
        memory: $M$, the slots.
        keys: $k$, what each head looks for.
        strengths: $\beta \ge 0$, how narrow the focus is; 0 looks everywhere alike.
        similarity: "cosine" or the plain "dot" product.
        masks: $m$ in $[0, 1]$, which columns each head compares; None means all of them.
        norm_epsilon: $\epsilon > 0$, below whose root a length counts as none.
        product_epsilon: $\epsilon' \ge 0$, below which the product of two lengths counts as none.

    Returns:
        $w^c$; each head's weights sum to 1. Finite for every finite input: an empty slot has cosine 0.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, eqs. 5-6; masks: Csordas & Schmidhuber
        (2019), "Improving differentiable neural computers through memory masking, de-allocation, and link distribution
        sharpness control", arXiv:1904.10278.
    """
    keys, key_scale = _scaled(keys)
    memory, memory_scale = _scaled(memory)
    scores = (keys if masks is None else keys * masks.square()) @ memory.mT
    if similarity == "cosine":
        if masks is None:
            of_keys, of_slots = keys.square().sum(-1), memory.square().sum(-1)[:, None]
        else:
            of_keys, of_slots = (keys * masks).square().sum(-1), masks.square() @ memory.square().mT
        of_keys = of_keys[:, :, None] + norm_epsilon / key_scale.square()
        of_slots = of_slots + norm_epsilon / memory_scale.square().mT
        if product_epsilon:
            lengths = torch.sqrt(of_keys) * torch.sqrt(of_slots)
            scores = scores / (lengths + product_epsilon / key_scale / memory_scale.mT) * strengths[:, :, None]
        else:
            scores = scores * torch.rsqrt(of_keys) * torch.rsqrt(of_slots) * strengths[:, :, None]
    else:
        scale = (key_scale * memory_scale.mT).clamp(max=LARGEST_SCORE)
        scores = (scores * scale * strengths[:, :, None]).clamp(-LARGEST_SCORE, LARGEST_SCORE)
    return torch.softmax(scores, dim=-1)


def interpolate(
    content: Float[Tensor, "batch heads slots"],
    previous: Float[Tensor, "batch heads slots"],
    gates: Float[Tensor, "batch heads"],
) -> Float[Tensor, "batch heads slots"]:
    r"""Blend the content focus with the focus of the step before.

    $$w^g = g\, w^c + (1 - g)\, w_{t-1}$$

    Args:
        content: $w^c$, from `content_weights`.
        previous: $w_{t-1}$.
        gates: $g$ in $[0, 1]$; 0 keeps the previous focus.

    Returns:
        $w^g$.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, eq. 7.
    """
    return torch.lerp(previous, content, gates[:, :, None])


def shift(
    weights: Float[Tensor, "batch heads slots"], kernel: Float[Tensor, "batch heads offsets"]
) -> Float[Tensor, "batch heads slots"]:
    r"""Rotate each head's focus along the ring of slots.

    $$\tilde w[i] = \sum_{j=-S}^{S} s[j]\; w^g[(i - j) \bmod N]$$

    Args:
        weights: $w^g$, from `interpolate`.
        kernel: $s$, a distribution over the offsets $-S, \dots, S$ in that order; all of it at $+1$ moves the focus from
            slot $i$ to slot $i + 1$.

    Returns:
        $\tilde w$.

    Raises:
        ValueError: an even number of offsets, which has no middle.

    Example:
        >>> import torch
        >>> shift(torch.tensor([[[0.0, 0.0, 1.0]]]), torch.tensor([[[0.0, 0.0, 1.0]]]))
        tensor([[[1., 0., 0.]]])

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, eq. 8.
    """
    offsets = kernel.shape[-1]
    if offsets % 2 == 0:
        raise ValueError(
            f"the kernel has {offsets} offsets, but offsets run from -S to S, an odd number; pass 2 * S + 1 of them"
        )
    reach = offsets // 2
    moved = [torch.roll(weights, offset, dims=-1) for offset in range(-reach, reach + 1)]
    return (kernel[:, :, None, :] @ torch.stack(moved, dim=-2)).squeeze(-2)


def sharpen(
    weights: Float[Tensor, "batch heads slots"],
    exponents: Float[Tensor, "batch heads"],
    *,
    epsilon: float = WEIGHT_EPSILON,
) -> Float[Tensor, "batch heads slots"]:
    r"""Undo the blur of a soft shift.

    $$w[i] = \frac{(\tilde w[i] + \epsilon)^\gamma}{\sum_j (\tilde w[j] + \epsilon)^\gamma}
    = \operatorname{softmax}_i\bigl(\gamma \log(\tilde w[i] + \epsilon)\bigr)$$

    The power is taken in log space: in float32 $\tilde w^\gamma$ underflows to an all-zero vector.

    Args:
        weights: $\tilde w$, from `shift`; not negative.
        exponents: $\gamma \ge 1$; 1 changes nothing.
        epsilon: $\epsilon > 0$, far below any weight that matters; weights that are all 0 become uniform.

    Returns:
        $w$; each head's weights sum to 1.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, eq. 9.
    """
    return torch.softmax(torch.log(weights + epsilon) * exponents[:, :, None], dim=-1)


def _scaled(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Divide vectors with entries beyond 1 by their largest, so that no square or product overflows."""
    scale = vectors.detach().abs().amax(dim=-1, keepdim=True).clamp(min=1)
    return vectors / scale, scale
