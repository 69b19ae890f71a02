"""Suggestion: the word that was meant in place of one that does not exist."""

import re

from cyclopts import CycloptsError, UnknownCommandError, UnknownOptionError

from memtape.catalog.unknown_name import nearest

SUGGESTION = re.compile(r'Did you mean (?:"[^"]*"|--\S+)\?')


def with_suggestion(error: CycloptsError) -> str:
    """Return the message of an error, with the most similar command or option."""
    text = str(error)
    if isinstance(error, UnknownCommandError) and error.unused_tokens and error.app is not None:
        near = nearest(error.unused_tokens[0], [name for name in error.app if not name.startswith("-")])
        meant = None if near is None else f'"{near}"'
    elif isinstance(error, UnknownOptionError):
        given = (error.token.keyword or error.token.value).partition("=")[0]
        meant = _option(given, [name for argument in error.argument_collection for name in argument.names])
    else:
        return text
    if meant is None:
        return text
    sentence = f"Did you mean {meant}?"
    return SUGGESTION.sub(lambda _: sentence, text) if SUGGESTION.search(text) else f"{text} {sentence}"


def _option(given: str, known: list[str]) -> str | None:
    """Return the option that was meant: with a group as in --train.lr one of the group, and otherwise of any group."""
    flags = [name for name in known if name.startswith("--")]
    group, dot, own = given.rpartition(".")
    in_group = [name for name in flags if name.startswith(f"{group}.")] if dot else []
    if not in_group:
        own, in_group = given.removeprefix("--"), flags
    by_end = {name.rpartition(".")[2].removeprefix("--"): name for name in reversed(in_group)}
    return by_end.get(own) or by_end.get(nearest(own, list(by_end)) or "")
