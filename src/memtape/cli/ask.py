"""`memtape ask`: ask a network questions about a story, and print where it looked."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from memtape.cli.errors import UsageError
from memtape.cli.options import AsJson
from memtape.cli.terminal import print_visible
from memtape.core.errors import RequestError
from memtape.core.text_file import lines_of

WIDTH = 20
"""Characters of the bar of weight 1."""
EIGHTHS = " ▏▎▍▌▋▊▉█"
LEAST = 0.005
"""Sentences of a smaller weight are not printed."""
SLOTS = 3
"""Number of slots that are printed, those with the largest shares."""
PROMPT = "> "
INPUT = "the input"


def ask(
    run: Annotated[Path, Parameter(help="Run folder of a network that reads stories, as `memtape train` named it.")],
    /,
    *,
    story: Annotated[
        Path | None,
        Parameter(
            help="File with a story; if it has no questions, these are read from the input. by default all is read there."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a network questions about a story, and print in which sentences it looked for the answers.

    The story is read from a file, a pipe or the keyboard, one sentence in each line. A line that ends in a question mark is a
    question, and an empty line starts a new story. Files in the format of bAbI are read too. The training data is not needed.
    For a network with titles, as on the task lookup, each sentence starts with the title of its document, as one word.

    Each answer is printed with the sentences of each hop, or of the slots with the largest shares, and their weights. With
    --json it is one line with the question, the answer, and all sentences and weights.
    """
    from memtape.experiments.ask import open_conversation
    from memtape.tasks.stories.babi_format import read_story_text

    conversation = open_conversation(run, warn=partial(print_visible, error=True))
    show = _print_json if as_json else _print
    if story is not None:
        lines = lines_of(read_story_text(story))
        if not any(map(str.strip, lines)):
            raise UsageError(f"{story} has no story; write its sentences, one in each line")
        if _answered(conversation, lines, str(story), show):
            return
    if sys.stdin is not None and sys.stdin.isatty():
        _talk(conversation, show)
    elif not _answered(conversation, _input(), INPUT, show):
        told = f"{INPUT} has no question" if conversation.sentences else f"{INPUT} has no story"
        raise UsageError(f"{told}; write sentences, one in each line, and then a question that ends in a question mark")


def _answered(conversation: Any, lines: Iterable[str], name: str, show: Any) -> int:
    """Read lines, print the answers, and return their number."""
    count = 0
    for number, line in enumerate(lines, start=1):
        try:
            answer = conversation.read(line)
        except RequestError as error:
            raise UsageError(f"{name}, line {number}: {error}") from None
        if answer is not None:
            show(answer)
            count += 1
    return count


def _talk(conversation: Any, show: Any) -> None:
    """Read lines from the keyboard until it ends; a line that cannot be read is reported, and may be written again."""
    print_visible("Write one sentence in each line, and questions that end in a question mark.", error=True)
    for line in _typed():
        try:
            answer = conversation.read(line)
        except RequestError as error:
            print_visible(f"memtape: {error}", error=True)
            continue
        if answer is not None:
            show(answer)


def _typed() -> Iterator[str]:
    while True:
        try:
            yield input(PROMPT)
        except EOFError:
            print()
            return
        except UnicodeDecodeError:
            raise _not_text() from None


def _input() -> Iterator[str]:
    try:
        yield from sys.stdin or ()
    except UnicodeDecodeError:
        raise _not_text() from None


def _not_text() -> UsageError:
    return UsageError(f"{INPUT} is not text in the encoding of this terminal; write it in UTF-8")


def _print_json(answer: Any) -> None:
    print(json.dumps(asdict(answer)), flush=True)


def _print(answer: Any) -> None:
    """Print the answer, and the sentences in which the network looked."""
    print_visible(f"{answer.question} {answer.answer}")
    numbered = list(enumerate(answer.looks, start=1))
    if answer.look == "slot":
        numbered = sorted(numbered, key=lambda pair: -pair[1].share)[:SLOTS]
    for number, look in numbered:
        share = f", {look.share:.0%} of the answer" if answer.look == "slot" else ""
        print(f"  {answer.look} {number}{share}")
        rows = [(weight, told) for weight, told in zip(look.weights, answer.sentences, strict=True) if weight >= LEAST]
        for weight, told in rows:
            print_visible(f"    {_bar(weight):{WIDTH}} {weight:.2f} {told}")
        if not rows:
            print("    no sentence")
    sys.stdout.flush()


def _bar(weight: float) -> str:
    """Return a bar in eighths of a character, or in whole ones where the output has only letters."""
    try:
        EIGHTHS.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return "#" * round(weight * WIDTH)
    whole, part = divmod(round(weight * WIDTH * 8), 8)
    return EIGHTHS[8] * whole + EIGHTHS[part].strip()
