"""`memtape generate`: let a language model go on from a prompt."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from memtape.cli.errors import UsageError


def generate(
    run: Annotated[Path, Parameter(help="Run folder of a language model, as `memtape train` named it.")],
    /,
    *,
    prompt: Annotated[
        str,
        Parameter(allow_leading_hyphen=True, show_default=repr, help="What it reads first, at least one character."),
    ] = "\n",
    length: Annotated[int, Parameter(help="Most characters to say.")] = 500,
    temperature: Annotated[
        float, Parameter(help="Below 1 likely characters become likelier; 0 takes the most likely one.")
    ] = 1.0,
    stop: Annotated[
        str | None, Parameter(allow_leading_hyphen=True, help="Character after which it says no more.")
    ] = None,
    seed: Annotated[int, Parameter(help="Seed of what is drawn.")] = 0,
) -> None:
    """Let a language model go on from a prompt, and print the prompt and what follows.

    The data that it was trained on is not needed.
    """
    from memtape.experiments.generate import generate_from_run

    if stop is not None and len(stop) != 1:
        raise UsageError(f"--stop is {stop!r}, but it must be one character; give one, or leave it out")
    print(prompt + generate_from_run(run, prompt, length=length, temperature=temperature, stop=stop, seed=seed))
