"""Argument words: answer the words of `torch.nn.LSTM` with the argument of a network that is meant."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

MEANT: Mapping[str, tuple[str, ...]] = {
    "num_layers": ("layers", "controller_layers"),
    "hidden_size": ("controller_size",),
    "nonlinearity": ("activation", "candidate"),
}
"""Words of torch, each with the arguments that may be meant, the first one that a network has."""

ABSENT: Mapping[str, str] = {
    "num_layers": "it has no number of layers; leave it out",
    "hidden_size": "it has no hidden size; leave it out",
    "nonlinearity": "its activation functions cannot be chosen; leave it out",
    "batch_first": "its inputs and outputs always have the shape (batch, time, ...); leave it out",
    "bidirectional": "the direction belongs to the class; leave it out, and use BiLSTM, BiGRU or BiDNC for both directions",
    "dropout": "it has no dropout between layers; leave it out",
    "bias": "its biases cannot be chosen; leave it out",
    "proj_size": "its readout has the size output_size; leave it out",
    "device": "it is moved after it was built; leave it out and call .to(...)",
    "dtype": "it is converted after it was built; leave it out and call .to(...)",
}
"""Words of torch, each with the answer of a network that has no such argument."""

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def answering(owner: str, initialise: Callable[..., None]) -> Callable[..., None]:
    """Return a constructor that names the argument that is meant by a word of torch; otherwise it is the given one.

    A constructor that takes any argument is returned as it is.

    Args:
        owner: name of the class, for messages.
        initialise: the constructor.
    """
    parameters = list(inspect.signature(initialise).parameters.values())[1:]
    if any(parameter.kind in OPEN for parameter in parameters):
        return initialise
    names = [parameter.name for parameter in parameters]
    positional = [parameter.name for parameter in parameters if parameter.kind in POSITIONAL]

    @functools.wraps(initialise)
    def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        _refuse_words(owner, names, kwargs)
        _refuse_positions(owner, positional, args)
        initialise(self, *args, **kwargs)

    return __init__


def _refuse_words(owner: str, names: list[str], given: Mapping[str, Any]) -> None:
    for word, value in given.items():
        if word in names or word not in ABSENT:
            continue
        meant = next((name for name in MEANT.get(word, ()) if name in names), None)
        answer = ABSENT[word] if meant is None else f"the argument of this meaning is {meant}; write {meant}={value!r}"
        raise TypeError(f"{owner} was given {word}, but {answer}")


def _refuse_positions(owner: str, positional: list[str], given: tuple[Any, ...]) -> None:
    if len(given) > len(positional):
        raise TypeError(
            f"{owner} was given {len(given)} arguments without names, but only {', '.join(positional)} have no names; write "
            "the others as NAME=VALUE"
        )
