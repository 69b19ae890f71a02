"""Card reader: reads the card at the end of a file without importing the file."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from memtape.core.card import Card, ModelCard, TaskCard

CARDS: dict[str, type[Card]] = {card.__name__: card for card in (ModelCard, TaskCard)}
STATEMENT = "\nCARD = "
PUBLIC_CLASS = re.compile(r"^class ([A-Z]\w*)", re.MULTILINE)


class CardError(ValueError):
    """A file whose card cannot be read; the message states the reason and the cure."""


@dataclass(frozen=True, kw_only=True)
class CardFile:
    """A file that ends in a card.

    Attributes:
        card: the card.
        file: its path.
        classes: the public classes of the file, in order; the card describes the last one.
    """

    card: Card
    file: Path
    classes: tuple[str, ...]


def has_card(source: str) -> bool:
    """Return whether a source text ends in a card."""
    return STATEMENT in source


def read_card(source: str, file: Path) -> CardFile:
    """Read the card of a source text; only the card itself is parsed, which takes a fraction of a millisecond.

    Raises:
        CardError: the card is missing, not the last statement or not a literal, or there is no class above it.
    """
    before, statement, card = source.rpartition(STATEMENT)
    if not statement:
        raise CardError("it has no card; end it in CARD = ModelCard(...) or CARD = TaskCard(...)")
    classes = tuple(PUBLIC_CLASS.findall(before))
    if not classes:
        raise CardError("there is no public class above its card; write the class that the card describes")
    return CardFile(card=_evaluated(card), file=file, classes=classes)


def read_cards(folder: Path) -> list[CardFile]:
    """Return the files with a card in a folder and below it, ordered by subfolder and then by name."""
    found = []
    for file in folder.rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        if has_card(source):
            found.append(read_card(source, file))
    return sorted(found, key=lambda one: (one.file.parent, one.card.name))


def _evaluated(text: str) -> Card:
    try:
        tree = ast.parse(f"CARD = {text}")
    except SyntaxError as error:
        raise CardError(f"its card has a syntax error ({error.msg}); correct it") from None
    statement = tree.body[0]
    call = statement.value if isinstance(statement, ast.Assign) and len(tree.body) == 1 else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in CARDS or call.args:
        raise CardError(
            "its card must be the last statement, CARD = ModelCard(...) or CARD = TaskCard(...), with arguments by name"
        )
    try:
        values = {str(argument.arg): ast.literal_eval(argument.value) for argument in call.keywords}
    except ValueError:
        raise CardError("its card must consist of literals, as it is read without running code") from None
    try:
        return CARDS[call.func.id](**values)
    except (TypeError, ValueError) as error:
        raise CardError(f"its card cannot be used: {str(error).replace('__init__() ', '')}") from None
