"""Stored programs: choose between the programs of each head by keys, and mix what they compute."""

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.ops.addressing import NORM_EPSILON


def program_scores(
    keys: Float[Tensor, "heads programs key"],
    queries: Float[Tensor, "batch heads key"],
    strengths: Float[Tensor, "batch heads"],
) -> Float[Tensor, "batch heads programs"]:
    r"""Compute the score of each program of a head; their softmax over programs gives the weights of the programs.

    $$s_i = \beta \cos(k_i, q), \qquad \cos(u, v) = \frac{u \cdot v}{\sqrt{|u|^2 + \epsilon}\sqrt{|v|^2 + \epsilon}}$$

    Args:
        keys: $k_i$, the keys of the programs of each head.
        queries: $q$, the query of each head.
        strengths: $\beta \ge 0$, the strength of each query.

    Returns:
        $s$; 0 for a key or a query of zeros.

    References:
        Le, Tran & Venkatesh (2020), "Neural stored-program memory", arXiv:1906.08862, section 3.1.
    """
    return (unit(keys) @ unit(queries)[..., None])[..., 0] * strengths[:, :, None]


def mix_programs(
    products: Float[Tensor, "batch programs heads size"], weights: Float[Tensor, "batch heads programs"]
) -> Float[Tensor, "batch heads size"]:
    r"""Mix what the programs of each head compute; since programs are linear, this equals a mixture of their weights.

    $$\xi = \sum_i w_i (V_i h + b_i) = \left(\sum_i w_i V_i\right) h + \sum_i w_i b_i$$

    Args:
        products: $V_i h + b_i$.
        weights: $w_i$.

    References:
        Le, Tran & Venkatesh (2020), arXiv:1906.08862, section 3.1.
    """
    return (products * weights.transpose(1, 2)[:, :, :, None]).sum(1)


def key_similarity(keys: Float[Tensor, "heads programs key"]) -> Float[Tensor, ""]:
    r"""Compute the mean cosine of two keys of the same head, a penalty on programs that are chosen together.

    $$l_p = \frac{2}{H P (P - 1)} \sum_h \sum_{i < j} \cos(k_{hi}, k_{hj})$$

    Args:
        keys: $k$, of $H$ heads with $P$ programs each.

    Returns:
        $l_p$: 1 for equal keys, 0 for orthogonal keys and for a single program.

    Example:
        >>> import torch
        >>> key_similarity(torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])), key_similarity(torch.tensor([[[2.0], [4.0]]]))
        (tensor(0.), tensor(1.))

    References:
        Le, Tran & Venkatesh (2020), arXiv:1906.08862, section 3.1, and the authors' code.
    """
    heads, programs, _ = keys.shape
    directions = unit(keys)
    similar = (directions @ directions.mT).triu(1).sum()
    return similar / max(1, heads * programs * (programs - 1) // 2)


def unit(vectors: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key"]:
    """Divide each vector by its norm; a vector of zeros does not change."""
    return vectors * torch.rsqrt(vectors.square().sum(-1, keepdim=True) + NORM_EPSILON)
