"""Errors of automata: a malformed machine, file or word, in one sentence."""

from memtape.core.errors import RequestError


class AutomatonError(RequestError):
    """A machine, its file or its input breaks a rule; the message names what was given, the rule and the cure."""
