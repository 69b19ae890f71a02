"""`memtape generate`: continue a prompt with a language model."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from memtape.cli.errors import UsageError
from memtape.cli.terminal import print_visible


def generate(
    run: Annotated[Path, Parameter(help="Run folder of a language model, as `memtape train` named it.")],
    /,
    *,
    prompt: Annotated[
        str,
        Parameter(allow_leading_hyphen=True, show_default=repr, help="Text to continue, at least one character."),
    ] = "\n",
    length: Annotated[int, Parameter(help="Maximal number of characters to generate.")] = 500,
    temperature: Annotated[
        float, Parameter(help="Below 1 likely characters become more likely; 0 takes the most likely one.")
    ] = 1.0,
    stop: Annotated[
        str | None, Parameter(allow_leading_hyphen=True, help="Character at which generation stops.")
    ] = None,
    seed: Annotated[int, Parameter(help="Seed of the random choices.")] = 0,
) -> None:
    """Continue a prompt with a language model, and print the prompt and the generated text.

    The training data is not needed.
    """
    from memtape.experiments.generate import generate_from_run

    if stop is not None and len(stop) != 1:
        raise UsageError(f"--stop is {stop!r}, but it must be one character; give one, or leave it out")
    warn = partial(print_visible, error=True)
    text = prompt + generate_from_run(
        run, prompt, length=length, temperature=temperature, stop=stop, seed=seed, warn=warn
    )
    (print_visible if sys.stdout.isatty() else print)(text)
