"""Bracketed: parse binary trees of words in bracket notation, such as `(3 (2 It) (4 (2 's) (4 fun)))`."""

import re
from dataclasses import dataclass
from pathlib import Path

from memtape.core.given_path import read_given
from memtape.core.text_file import decoded, lines_of

TOKEN = re.compile(r"[()]|[^\s()]+", re.ASCII)
"""A bracket or a word; a word may contain non-ASCII spaces, as between a number and a fraction."""


class BracketedError(ValueError):
    """A text is not a bracketed binary tree; the message names the line, the column and the cure."""


@dataclass(frozen=True)
class BracketedTree:
    """A parsed tree, with nodes in postorder."""

    words: list[str | None]
    """The word of each leaf; None for inner nodes."""
    children: list[tuple[int, int] | None]
    """The indices of the two children of each inner node; None for leaves."""
    labels: list[int]
    """The class of each node."""


def read_bracketed(path: str | Path, *, classes: int = 5) -> list[BracketedTree]:
    """Read a file of bracketed trees, one per line; empty lines are ignored.

    A node is a bracket with its class, followed by a word or two nodes.

    Args:
        path: a text file in UTF-8.
        classes: number of classes; labels are 0 up to, but not including, this number.

    Raises:
        OSError: the file cannot be read.
        BracketedError: a line is not such a tree, or the file has no trees.
    """
    try:
        text = decoded(read_given(path))
    except ValueError as error:
        raise BracketedError(f"{path} {error}; convert it to UTF-8") from None
    return parse_lines(text, classes=classes, place=str(path))


def parse_lines(text: str, *, classes: int = 5, place: str) -> list[BracketedTree]:
    """Parse a text with a bracketed tree on each line; empty lines are ignored.

    Args:
        text: the trees.
        classes: number of classes.
        place: the source of the text, for error messages.

    Raises:
        BracketedError: a line is not a binary tree with a class at each node, or the text has no trees.
    """
    lines = enumerate(lines_of(text), 1)
    trees = [
        parse_bracketed(line, classes=classes, place=f"{place}, line {number}")
        for number, line in lines
        if line.strip()
    ]
    if not trees:
        raise BracketedError(f"{place} has no trees, but needs at least one; give a file with a tree on each line")
    return trees


def parse_bracketed(text: str, *, classes: int = 5, place: str = "line 1") -> BracketedTree:
    """Parse one bracketed tree.

    Args:
        text: the tree, on one line.
        classes: number of classes.
        place: the source of the text, for error messages.

    Raises:
        BracketedError: the text is not a binary tree with a class at each node.
    """
    tokens = TOKEN.findall(text)
    try:
        return _parsed(tokens, {str(label): label for label in range(classes)})
    except _MistakeError as mistake:
        starts = [match.start() for match in TOKEN.finditer(text)] or [0]
        raise BracketedError(f"{place}, column {starts[mistake.token] + 1}: {mistake.sentence}") from None


class _MistakeError(Exception):
    """The problem with a token, and its cure."""

    def __init__(self, token: int, sentence: str):
        super().__init__(sentence)
        self.token, self.sentence = token, sentence


class _Open:
    """A node whose closing bracket has not been read yet."""

    __slots__ = ("children", "label", "token", "word")

    def __init__(self, token: int):
        self.token = token
        self.label: int | None = None
        self.word: str | None = None
        self.children: list[int] = []


def _parsed(tokens: list[str], classes: dict[str, int]) -> BracketedTree:
    tree = BracketedTree(words=[], children=[], labels=[])
    path: list[_Open] = []
    for number, token in enumerate(tokens):
        if not path and tree.labels:
            raise _MistakeError(number, f"{token!r} follows the end of the tree; give one tree per line")
        if token == "(":
            if path:
                _check_room(number, path[-1], classes)
            path.append(_Open(number))
        elif not path:
            raise _MistakeError(number, f"{token!r} is outside of brackets; start a tree with (")
        elif token == ")":
            place = _close(tree, path.pop(), number, classes)
            if path:
                path[-1].children.append(place)
        else:
            _fill(path[-1], token, number, classes)
    if path:
        raise _MistakeError(path[-1].token, "this bracket is never closed; close it with )")
    if not tokens:
        raise _MistakeError(0, "there is no tree; give one")
    return tree


def _fill(node: _Open, token: str, number: int, classes: dict[str, int]) -> None:
    """Set the class or the word of a node."""
    if node.label is None:
        if token not in classes:
            raise _MistakeError(
                number,
                f"the class of a node is {token!r}, but it must be one of {_range(classes)}; write it after its bracket",
            )
        node.label = classes[token]
    elif node.word is not None or node.children:
        raise _MistakeError(number, f"the word {token!r} is not alone in its node; give it its own node")
    else:
        node.word = token


def _check_room(number: int, node: _Open, classes: dict[str, int]) -> None:
    """Raise unless a node can take another child."""
    _label(number, node, classes)
    if node.word is not None:
        raise _MistakeError(number, "a node follows a word in the same node; give the word its own node")
    if len(node.children) == 2:
        raise _MistakeError(number, "a node has a third child, but trees are binary; split the node in two")


def _close(tree: BracketedTree, node: _Open, number: int, classes: dict[str, int]) -> int:
    """Add a node to its tree and return its index."""
    label = _label(number, node, classes)
    if node.word is None and len(node.children) != 2:
        found = "one child" if node.children else "neither a word nor children"
        raise _MistakeError(node.token, f"this node has {found}, but trees are binary; give it a word, or two nodes")
    tree.words.append(node.word)
    tree.children.append(None if node.word is not None else (node.children[0], node.children[1]))
    tree.labels.append(label)
    return len(tree.labels) - 1


def _label(number: int, node: _Open, classes: dict[str, int]) -> int:
    if node.label is None:
        raise _MistakeError(
            number, f"the class of the node is missing; write one of {_range(classes)} after its bracket"
        )
    return node.label


def _range(classes: dict[str, int]) -> str:
    return f"0..{len(classes) - 1}"
