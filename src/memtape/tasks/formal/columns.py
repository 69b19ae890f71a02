"""Columns: an example as text, with a column for each step."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from memtape.core.batch import SequenceBatch


def in_columns(title: str, rows: Mapping[str, Sequence[str]]) -> str:
    """Return named rows of words as text, a column for each step, with spaces between words of several characters."""
    words = [word for row in rows.values() for word in row]
    width = max(map(len, words), default=1)
    between = "" if width == 1 else " "
    label = max(map(len, rows))
    lines = [f"{name:{label}} {between.join(f'{word:{width}}' for word in row)}".rstrip() for name, row in rows.items()]
    return "\n".join([title, *lines])


def symbols_in_columns(
    title: str,
    batch: SequenceBatch,
    outputs: Tensor | None,
    row: int,
    *,
    symbols: Sequence[str],
    classes: Sequence[str],
) -> str:
    """Return one example of symbols and classes as text: the inputs, the scored targets, and the most likely classes.

    Args:
        title: the first part of the first line, before the number of steps.
        batch: the batch.
        outputs: the outputs of a network; None for none.
        row: the row of the batch.
        symbols: the name of each input symbol.
        classes: the name of each class.
    """
    length = int(batch.lengths[row])
    scored = batch.mask[row, :length].tolist()
    answers = {"target": batch.targets[row, :length]}
    if outputs is not None:
        answers["output"] = outputs[row, :length].argmax(-1)
    rows = {"input": [symbols[symbol] for symbol in batch.inputs[row, :length].tolist()]}
    for name, found in answers.items():
        rows[name] = [classes[one] if shown else "" for one, shown in zip(found.tolist(), scored, strict=True)]
    return in_columns(f"{title}, {length} steps", rows)
