"""CPU: the slots of an entity network in C++ (csrc/recurrence/entity.cpp), with gradients, as an operator of torch."""

import ctypes
from typing import Any

import torch
from torch import Tensor

from memtape.core.compiled_library import expect
from memtape.kernels import arguments, schema
from memtape.kernels.calling import call, contiguous, function
from memtape.kernels.entity.form import EntitySteps
from memtape.kernels.operator import Pass, register

NAME = "entity"

WIDE = 16
"""Saved contents have a multiple of this many numbers."""
STEPS = schema.names_of(EntitySteps)
SAVED = ("before", "sums", "norms")
GRADIENTS = ("d_vectors", "d_by_key", "d_by_sentence", "d_first", "d_sums", "d_slopes")
FUNCTIONS = {
    "forward": ("sizes", *STEPS, "last", "gates", *SAVED),
    "backward": (
        *("sizes", "d_last", "d_gates", "vectors", "weights", "slopes"),
        *("last", "gates", *SAVED, *GRADIENTS),
    ),
}
"""The arguments of the library's functions, in their order."""

_AXES = arguments.dimensions(EntitySteps)
_FIRST_PLACES = schema.axes_of(EntitySteps)
_Sizes = schema.struct(
    (
        *dict.fromkeys(("batch", "slots", "size", "threads"), ctypes.c_int64).items(),
        ("lengths", ctypes.c_void_p),
    )
)
expect(NAME, schema.layout({"sizes": _Sizes}, FUNCTIONS))


def entities_on_cpu(steps: EntitySteps, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Let the slots read the sentences of all stories on the CPU.

    Args:
        steps: what the sentences and the parameters give to the slots.
        lengths: number of sentences of each story, which may be 0.

    Returns:
        The contents of the slots after the last sentence of each story, and their gates for each sentence.

    Raises:
        MemoryError: the memory is exhausted.
        RuntimeError: a gradient of a gradient is requested, which only the reference has.
        ValueError: a tensor has another shape, dtype or device than the others need.
    """
    tensors = [getattr(steps, name) for name in STEPS]
    keep = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    last, gates, *_ = torch.ops.memtape.entity(*tensors, lengths, keep)
    return last, gates


def _forward(*given: Any) -> tuple[Tensor, ...]:
    """Return the last contents, the gates, and what is saved for the backward pass."""
    *tensors, lengths, keep = given
    lengths = _checked(tensors, lengths)
    steps = contiguous(tensors)
    results = _results(steps, lengths, keep=keep)
    saved = results[2:] if keep else (None,) * len(SAVED)
    call(NAME, function(f"{NAME}_forward", steps[0].dtype), _sizes(steps, lengths), *steps, *results[:2], *saved)
    return results


def _forward_shapes(*given: Any) -> tuple[Tensor, ...]:
    return _results(given[: len(STEPS)], given[-2], keep=given[-1])


def _backward(*given: Any) -> tuple[Tensor, ...]:
    """Return the gradients of all tensors of the steps."""
    d_last, d_gates, *tensors, lengths, last, gates, before, sums, norms = given
    lengths = _checked(tensors, lengths)
    names = ("the gradient of last", "the gradient of gates", "last", "gates", *SAVED)
    found = (d_last, d_gates, last, gates, before, sums, norms)
    shapes = _shapes(tensors, lengths, keep=True)
    wanted = dict(zip(names, (*shapes[:2], *shapes), strict=True))
    arguments.like(NAME, dict(zip(names, found, strict=True)), wanted, before.dtype)
    vectors, by_key, by_sentence, *_, weights, slopes = steps = contiguous(tensors)
    d_last, d_gates, *saved = contiguous(found)
    d_vectors, d_by_key, d_by_sentence, d_sums = map(torch.empty_like, (vectors, by_key, by_sentence, before))
    d_first, d_slopes = torch.empty_like(last), torch.empty_like(slopes)
    call(
        NAME,
        function(f"{NAME}_backward", before.dtype),
        _sizes(steps, lengths),
        *(d_last, d_gates, vectors, weights, slopes),
        *saved,
        *(d_vectors, d_by_key, d_by_sentence, d_first, d_sums, d_slopes),
    )
    d_sums, before = (contents.flatten(0, 1)[:, : len(weights)] for contents in (d_sums, saved[2]))
    d_constant = d_sums.unflatten(0, by_key.shape).sum(0)
    return d_vectors, d_by_key, d_by_sentence, d_constant, d_first.sum(0), d_sums.T @ before, d_slopes


def _backward_shapes(*given: Any) -> tuple[Tensor, ...]:
    return tuple(torch.empty_like(tensor) for tensor in given[2 : 2 + len(STEPS)])


def _save(ctx: Any, arguments: tuple[Any, ...], results: tuple[Tensor, ...]) -> None:
    ctx.save_for_backward(*arguments[:-1], *results)


def _autograd(ctx: Any, *d_results: Tensor | None) -> tuple[Tensor | None, ...]:
    return (*torch.ops.memtape.entity_backward(*d_results[:2], *ctx.saved_tensors), None, None)


def _register() -> torch.library.Library:
    given = ", ".join(f"Tensor {name}" for name in STEPS) + ", Tensor lengths"
    kept = ", ".join(f"Tensor {name}" for name in ("last", "gates", *SAVED))
    forward = Pass(f"{given}, bool keep", 2 + len(SAVED), _forward, _forward_shapes)
    backward = Pass(f"Tensor? d_last, Tensor? d_gates, {given}, {kept}", len(STEPS), _backward, _backward_shapes)
    return register(NAME, "entity network", forward=forward, backward=backward, save=_save, gradients=_autograd)


def _results(tensors: Any, lengths: Tensor, *, keep: bool) -> tuple[Tensor, ...]:
    """Return uninitialised tensors for the results of the forward pass."""
    return tuple(tensors[0].new_empty(shape) for shape in _shapes(tensors, lengths, keep=keep))


def _shapes(tensors: Any, lengths: Tensor, *, keep: bool) -> list[tuple[int, ...]]:
    """Return the shapes of the results; the saved ones are empty unless they are kept."""
    vectors, by_key, *_ = tensors
    (sentences, size), slots = vectors.shape, by_key.shape[1]
    contents = (sentences, slots, -(-size // WIDE) * WIDE)
    saved = [contents, contents, (sentences, slots)] if keep else [(0,)] * len(SAVED)
    return [(lengths.shape[0], slots, size), (sentences, slots), *saved]


def _checked(tensors: Any, lengths: Tensor) -> Tensor:
    """Return the lengths in the library's format, or raise if the arguments do not fit one another."""
    named = dict(zip(STEPS, tensors, strict=True))
    arguments.same_kind(NAME, named)
    arguments.ranks(NAME, named, _AXES)
    sizes = schema.sizes(_FIRST_PLACES, named)
    arguments.shapes(NAME, named, _AXES, sizes)
    arguments.at_least_one(NAME, sizes, ("slots", "size"))
    arguments.addressable(NAME, (sizes["sentences"] + lengths.numel()) * sizes["slots"] * (sizes["size"] + WIDE))
    counts = arguments.lengths(NAME, lengths, lengths.numel(), sizes["sentences"])
    if counts is None or int(counts.sum()) != sizes["sentences"]:
        raise ValueError(
            f"the fused {NAME} got {sizes['sentences']} sentences, but the stories have {int(lengths.sum())}; "
            "give the sentences of all stories"
        )
    return counts


def _sizes(steps: Any, lengths: Tensor) -> Any:
    """Return the C struct of all sizes."""
    vectors, by_key, *_ = steps
    return _Sizes(
        batch=len(lengths),
        slots=by_key.shape[1],
        size=vectors.shape[1],
        threads=torch.get_num_threads(),
        lengths=lengths.data_ptr(),
    )


_LIBRARY = _register()
