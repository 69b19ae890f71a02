"""Outer-product attention: relate queries to keys feature by feature, and bind the result to values."""

import torch
from jaxtyping import Float
from torch import Tensor


def feature_similarities(
    queries: Float[Tensor, "*batch queries width"], keys: Float[Tensor, "*batch keys width"]
) -> Float[Tensor, "*batch queries keys width"]:
    r"""Return the similarity of each query and each key in each feature.

    $$g_{sij} = \tanh(q_{sj} k_{ij})$$

    Args:
        queries: $q$.
        keys: $k$.

    References:
        Le, Tran & Venkatesh (2020), "Self-attentive associative memory", arXiv:2002.03519, section 3.1.
    """
    return torch.tanh(queries.unsqueeze(-2) * keys.unsqueeze(-3))


def outer_product_attention(
    similarities: Float[Tensor, "batch queries keys width"], values: Float[Tensor, "batch keys value"]
) -> Float[Tensor, "batch queries width value"]:
    r"""Return, for each query, a matrix that relates features of the keys to values.

    $$A_s = \sum_i \tanh(q_s \odot k_i) \otimes v_i$$

    In contrast to dot-product attention the similarity is a vector, so the result is a matrix instead of a mean of values.

    Args:
        similarities: $\tanh(q_s \odot k_i)$, which `feature_similarities` returns.
        values: $v_i$.

    References:
        Le, Tran & Venkatesh (2020), "Self-attentive associative memory", arXiv:2002.03519, section 3.1.
    """
    return torch.einsum("bsij,bif->bsjf", similarities, values)
