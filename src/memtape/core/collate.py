"""Collate: join sequences of different lengths into one batch, for `torch.utils.data.DataLoader`."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from memtape.core import padding
from memtape.core.batch import SequenceBatch


def collate(examples: Sequence[tuple[Any, Any]], *, per_step: bool | None = None) -> SequenceBatch:
    """Join pairs of a sequence and its target into one batch, padded with zeros to the longest sequence.

    A target belongs to every step, or to the whole sequence. A target of the sequence is that of its last step, and only
    this step is scored: `outputs[batch.mask]` and `batch.targets[batch.mask]` are the scored outputs and targets in both
    cases.

    Args:
        examples: pairs of tensors or arrays. A sequence has vectors, floats of shape (time, input), or symbols, integers
            of shape (time,). A target has a class, an integer, or a vector of floats; for every step, shape (time,) or
            (time, output), or for the sequence, shape () or (output,).
        per_step: whether targets belong to steps; None derives it from their shapes. It decides between one number for
            each step and one vector for the sequence, both floats with one axis.

    Returns:
        The batch, with the lengths of the sequences, and the mask of the scored steps.

    Raises:
        TypeError: an example is no pair, or a sequence or a target has another dtype.
        ValueError: there is no example; a sequence or a target has another shape; examples differ in dtype, number of axes
            or size; or it is not clear to what the targets belong.

    Example:
        >>> import memtape, torch
        >>> examples = [(torch.randn(length, 3), torch.tensor(1)) for length in (5, 2)]
        >>> loader = torch.utils.data.DataLoader(examples, batch_size=2, collate_fn=memtape.collate)
        >>> next(iter(loader)).lengths
        tensor([5, 2])
    """
    if not len(examples):
        raise ValueError("there are no examples, but a batch has at least one row; pass one or more")
    pairs = [_pair(number, example) for number, example in enumerate(examples)]
    sequences = [_sequence(number, sequence) for number, (sequence, _) in enumerate(pairs)]
    targets = [_target(number, target) for number, (_, target) in enumerate(pairs)]
    _refuse_differences("sequence", sequences, 1)
    steps = _belong_to_steps(sequences, targets, per_step)
    _refuse_differences("target", targets, 1 if steps else 0)
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    inputs = pad_sequence(sequences, batch_first=True)
    alive = padding.alive(inputs, lengths)
    if steps:
        _refuse_other_lengths(sequences, targets)
        padded = pad_sequence([_as_vectors(target) for target in targets], batch_first=True)
        return SequenceBatch(inputs=inputs, targets=padded, mask=alive, lengths=lengths)
    last = alive & (torch.arange(inputs.shape[1]) == lengths[:, None] - 1)
    whole = torch.stack(targets)
    scored = last.reshape(*last.shape, *[1] * (whole.ndim - 1))
    return SequenceBatch(inputs=inputs, targets=torch.where(scored, whole[:, None], 0), mask=last, lengths=lengths)


def _pair(number: int, example: Any) -> tuple[Any, Any]:
    if not isinstance(example, tuple | list) or len(example) != 2:
        of = f" of {len(example)}" if isinstance(example, tuple | list) else ""
        raise TypeError(
            f"example {number} is a {type(example).__name__}{of}, but collate takes pairs (sequence, target); return a pair "
            "from the data set"
        )
    return example[0], example[1]


def _sequence(number: int, value: Any) -> Tensor:
    sequence = _tensor("sequence", number, value)
    floats = sequence.is_floating_point()
    if sequence.ndim != 1 + floats or not len(sequence):
        raise ValueError(
            f"the sequence of example {number} has shape {tuple(sequence.shape)} and dtype {sequence.dtype}, but a sequence "
            "has floats of shape (time, input) or integers of shape (time,), and at least one step; reshape or convert it"
        )
    return sequence if floats else sequence.long()


def _target(number: int, value: Any) -> Tensor:
    target = _tensor("target", number, value)
    floats = target.is_floating_point()
    if target.ndim > 1 + floats or (floats and not target.ndim):
        raise ValueError(
            f"the target of example {number} has shape {tuple(target.shape)} and dtype {target.dtype}, but a target has "
            "integers of shape (time,) or (), or floats of shape (time, output) or (output,); reshape it or convert it with "
            ".float()"
        )
    return target if floats else target.long()


def _tensor(what: str, number: int, value: Any) -> Tensor:
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(
            f"the {what} of example {number} is a {type(value).__name__} and not an array of numbers; pass a tensor"
        ) from error
    if tensor.dtype == torch.bool or tensor.is_complex():
        raise TypeError(
            f"the {what} of example {number} is {tensor.dtype}, but it has floats, or integers for symbols and classes; "
            "convert it with .float() or .long()"
        )
    return tensor


def _refuse_differences(what: str, tensors: Sequence[Tensor], own: int) -> None:
    """Raise an error if tensors differ in anything but the first `own` sizes."""
    first = tensors[0]
    for number, tensor in enumerate(tensors):
        if (tensor.dtype, tensor.ndim, tensor.shape[own:]) != (first.dtype, first.ndim, first.shape[own:]):
            raise ValueError(
                f"the {what} of example {number} has shape {tuple(tensor.shape)} and dtype {tensor.dtype}, but that of "
                f"example 0 has {tuple(first.shape)} and {first.dtype}; give all examples of a batch one form"
            )


def _belong_to_steps(sequences: Sequence[Tensor], targets: Sequence[Tensor], per_step: bool | None) -> bool:
    kinds = {(target.is_floating_point(), target.ndim) for target in targets}
    if len(kinds) > 1:
        _refuse_differences("target", targets, 1)
    ((floats, axes),) = kinds
    unclear = floats and axes == 1
    derived = axes == 1 + floats
    if not unclear and per_step not in (None, derived):
        raise ValueError(
            f"per_step is {per_step}, but a target of shape {tuple(targets[0].shape)} and dtype {targets[0].dtype} belongs to "
            f"{'every step' if derived else 'the sequence'}; leave per_step out or reshape the targets"
        )
    if unclear and per_step is None and all(len(t) == len(s) for s, t in zip(sequences, targets, strict=True)):
        raise ValueError(
            f"the targets are floats of shape {tuple(targets[0].shape)} beside sequences of as many steps, which may be a "
            "number for each step or a vector for the sequence; bind per_step=True or per_step=False with functools.partial"
        )
    return bool(per_step) if unclear else derived


def _refuse_other_lengths(sequences: Sequence[Tensor], targets: Sequence[Tensor]) -> None:
    for number, (sequence, target) in enumerate(zip(sequences, targets, strict=True)):
        if len(target) != len(sequence):
            raise ValueError(
                f"the target of example {number} has {len(target)} steps, but its sequence has {len(sequence)}; give one "
                "target for each step, or one for the sequence"
            )


def _as_vectors(target: Tensor) -> Tensor:
    return target[:, None] if target.is_floating_point() and target.ndim == 1 else target
