"""Addressing: the weights with which a head of the Neural Turing Machine addresses slots (Graves et al. 2014, section 3.3)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Similarity = Literal["cosine", "dot"]

NORM_EPSILON = 1e-12
"""Added to a squared norm, since the square root has no derivative at a slot of zeros. The cosine tends to 0 for slots of a
norm below 1e-6; it is exact to eight digits for norms above 0.01."""

WEIGHT_EPSILON = 1e-12
"""Added to a weight before its logarithm, whose value and derivative at 0 are infinite; far below any significant weight,
and a normal number in float32."""

LARGEST_SCORE = 1e30
"""Largest absolute score passed to the softmax, where a difference of two infinities would be NaN."""


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
    r"""Compute content-based weights: a softmax over the similarity of each head's key to the slots.

    $$w^c[i] = \frac{\exp(\beta\, K(k, M[i]))}{\sum_j \exp(\beta\, K(k, M[j]))}, \qquad
    K(u, v) = \frac{u \cdot v}{\sqrt{|u|^2 + \epsilon}\sqrt{|v|^2 + \epsilon} + \epsilon'} \;\text{or}\; u \cdot v$$

    With masks $m$, $K(k, M[i])$ is replaced by $K(k \odot m, M[i] \odot m)$.

    Args:
        memory: $M$, the slots.
        keys: $k$, the key of each head.
        strengths: $\beta \ge 0$, the key strengths; 0 gives uniform weights.
        similarity: $K$, "cosine" similarity or "dot" product.
        masks: $m$ in $[0, 1]$, which columns each head compares; None means all of them.
        norm_epsilon: $\epsilon > 0$, added to squared norms.
        product_epsilon: $\epsilon' \ge 0$, added to the product of two norms.

    Returns:
        $w^c$; the weights of each head sum to 1. They are finite for every finite input: a slot of zeros has cosine 0.

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
    r"""Interpolate between the content-based weights and the weights of the previous step.

    $$w^g = g\, w^c + (1 - g)\, w_{t-1}$$

    Args:
        content: $w^c$, from `content_weights`.
        previous: $w_{t-1}$.
        gates: $g$ in $[0, 1]$, the interpolation gates; 0 keeps the previous weights.

    Returns:
        $w^g$.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, eq. 7.
    """
    return torch.lerp(previous, content, gates[:, :, None])


def shift(
    weights: Float[Tensor, "batch heads slots"], kernel: Float[Tensor, "batch heads offsets"]
) -> Float[Tensor, "batch heads slots"]:
    r"""Shift the weights of each head along the ring of slots, by circular convolution.

    $$\tilde w[i] = \sum_{j=-S}^{S} s[j]\; w^g[(i - j) \bmod N]$$

    Args:
        weights: $w^g$, from `interpolate`.
        kernel: $s$, a distribution over the offsets $-S, \dots, S$ in this order; a weight of 1 at offset $+1$ moves the
            focus from slot $i$ to slot $i + 1$.

    Returns:
        $\tilde w$.

    Raises:
        ValueError: the number of offsets is even.

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
            f"the kernel has {offsets} offsets, but the offsets -S..S are an odd number; pass 2 * S + 1 of them"
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
    r"""Sharpen weights, which a soft shift has blurred.

    $$w[i] = \frac{(\tilde w[i] + \epsilon)^\gamma}{\sum_j (\tilde w[j] + \epsilon)^\gamma}
    = \operatorname{softmax}_i\bigl(\gamma \log(\tilde w[i] + \epsilon)\bigr)$$

    The power is computed in log space: in float32 $\tilde w^\gamma$ can underflow to a vector of zeros.

    Args:
        weights: $\tilde w$, from `shift`; not negative.
        exponents: $\gamma \ge 1$, the sharpening; 1 leaves the weights unchanged.
        epsilon: $\epsilon > 0$, far below any significant weight; weights that are all 0 become uniform.

    Returns:
        $w$; the weights of each head sum to 1.

    References:
        Graves, Wayne & Danihelka (2014), "Neural Turing Machines", arXiv:1410.5401, eq. 9.
    """
    return torch.softmax(torch.log(weights + epsilon) * exponents[:, :, None], dim=-1)


def _scaled(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Divide each vector by its largest absolute entry if that exceeds 1, so that no square or product overflows."""
    scale = vectors.detach().abs().amax(dim=-1, keepdim=True).clamp(min=1)
    return vectors / scale, scale
