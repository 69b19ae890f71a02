"""ONNX operations: operations of torch that ONNX lacks, written with those that it has."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

SQUARINGS, TERMS = 10, 12
"""Of the matrix exponential: with these the error is below 1e-9 for matrices of norms up to 1,000."""


def sort_stable(
    values: Tensor, *, stable: bool | None, dim: int = -1, descending: bool = False
) -> tuple[Tensor, Tensor]:
    """Sort by `topk`, which in ONNX takes the first of equal values first, as a stable sort does."""
    return torch.topk(values, values.shape[dim], dim, largest=descending, sorted=True)


def argsort_stable(values: Tensor, *, stable: bool, dim: int = -1, descending: bool = False) -> Tensor:
    """Return the order of a stable sort."""
    return sort_stable(values, stable=stable, dim=dim, descending=descending)[1]


def cumulative_product(values: Tensor, dim: int, *, dtype: torch.dtype | None = None) -> Tensor:
    r"""Compute $y_i = \prod_{j \le i} x_j$ with a logarithmic number of products."""
    product = (values if dtype is None else values.to(dtype)).movedim(dim, -1)
    size, distance = product.shape[-1], 1
    while distance < size:
        before = torch.cat([torch.ones_like(product[..., :distance]), product[..., :-distance]], dim=-1)
        product, distance = product * before, 2 * distance
    return product.movedim(-1, dim)


def matrix_exponential(matrix: Tensor) -> Tensor:
    r"""Compute $e^A = \bigl(e^{A / 2^s}\bigr)^{2^s}$ with the first terms of the Taylor series, in float64."""
    scaled = matrix.double() / 2**SQUARINGS
    one = torch.eye(matrix.shape[-1], dtype=scaled.dtype, device=scaled.device)
    result = one
    for term in range(TERMS, 0, -1):
        result = one + scaled @ result / term
    for _ in range(SQUARINGS):
        result = result @ result
    return result.to(matrix.dtype)


DECOMPOSITIONS: dict[Any, Callable[..., Any]] = {
    torch.ops.aten.sort.stable: sort_stable,
    torch.ops.aten.argsort.stable: argsort_stable,
    torch.ops.aten.cumprod.default: cumulative_product,
    torch.ops.aten.linalg_matrix_exp.default: matrix_exponential,
}
