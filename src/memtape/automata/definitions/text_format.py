"""Text format: machines and grammars as text files, one transition or rule a line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from memtape.automata.definitions.counters import CounterMachine
from memtape.automata.definitions.dfa import DFA
from memtape.automata.definitions.errors import AutomatonError
from memtape.automata.definitions.grammar import Grammar, Rule
from memtape.automata.definitions.pda import PDA, StackMove
from memtape.automata.definitions.turing import TapeMove, TuringMachine
from memtape.automata.definitions.two_stacks import TOPS, TwoStackMachine
from memtape.core.given_path import read_given
from memtape.core.text_file import decoded, lines_of

Machine = DFA | PDA | CounterMachine | TwoStackMachine | TuringMachine | Grammar
"""What a text file can describe."""

ARROW = "->"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a file.

    Attributes:
        place: the file and the number of the line.
        words: the words of the line.
    """

    place: str
    words: tuple[str, ...]

    def error(self, sentence: str) -> AutomatonError:
        """Return the error of this line."""
        return AutomatonError(f"{self.place}: {sentence}")

    def sides(self, left: int, right: int, form: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the words before and after the arrow.

        Args:
            left: number of words before the arrow.
            right: number of words after it.
            form: the form of such a line, for the error.

        Raises:
            AutomatonError: the line has another form.
        """
        before, after = self.words[:left], self.words[left + 1 :]
        if self.words[left : left + 1] != (ARROW,) or len(after) != right:
            raise self.error(f"the line is {' '.join(self.words)!r}, but a transition is {form!r}; correct the line")
        return before, after

    def one_of(self, name: str, word: str, known: dict[str, Any]) -> Any:
        """Return the meaning of a word.

        Raises:
            AutomatonError: the word is unknown.
        """
        if word not in known:
            raise self.error(f"the {name} is {word!r}, but it is one of {' '.join(known)}; correct the line")
        return known[word]


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file in parts.

    Attributes:
        name: its name, for errors.
        kind: its first line.
        fields: the words of each `name: words` line.
        lines: the other lines.
    """

    name: str
    kind: str
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words of a field.

        Raises:
            AutomatonError: the field is missing.
        """
        if name not in self.fields:
            raise AutomatonError(f"{self.name} has no line '{name}: ...', but a {self.kind} needs it; add the line")
        return self.fields[name]

    def word(self, name: str) -> str:
        """Return the only word of a field.

        Raises:
            AutomatonError: the field is missing, or has another number of words.
        """
        words = self.words(name)
        if len(words) != 1:
            raise AutomatonError(
                f"{self.name} has {len(words)} words in '{name}: ...', but it takes one; correct the line"
            )
        return words[0]

    def flag(self, name: str, *, default: bool) -> bool:
        """Return the value of a field of yes or no.

        Raises:
            AutomatonError: the field has another value.
        """
        if name not in self.fields:
            return default
        word = self.word(name)
        if word not in ("yes", "no"):
            raise AutomatonError(f"{self.name} has {word!r} in '{name}: ...', but it takes yes or no; correct the line")
        return word == "yes"


def read(path: str | Path) -> Machine:
    """Read a machine or a grammar from a text file.

    Args:
        path: the file.

    Raises:
        AutomatonError: the file is missing or not UTF-8, or a line is malformed; the message names file and line.
    """
    try:
        text = decoded(read_given(path))
    except OSError as error:
        raise AutomatonError(f"{path} cannot be read ({error.strerror}); give the text file of a machine") from None
    except ValueError as error:
        raise AutomatonError(f"{path} {error}; save it as UTF-8") from None
    return parse(text, name=str(path))


def parse(text: str, *, name: str = "the text") -> Machine:
    r"""Return the machine or grammar that a text describes.

    Args:
        text: the text: its first line is the kind, "dfa", "pda", "counter machine", "two-stack machine", "turing machine" or
            "grammar"; then lines `name: words`, and a line for each transition or rule. Lines that start with # are comments.
        name: what errors call the text.

    Raises:
        AutomatonError: a line is malformed; the message names the text and the line.

    Example:
        >>> parse("dfa\nalphabet: 0 1\nstart: e\naccept: e\ne 0 -> e\ne 1 -> o\no 0 -> o\no 1 -> e").accepts("0110")
        True
    """
    document = _document(text, name)
    if document.kind not in KINDS:
        raise AutomatonError(
            f"{name} starts with {document.kind!r}, but its first line is the kind of machine; write one of {', '.join(KINDS)}"
        )
    build, known = KINDS[document.kind]
    for one in document.fields:
        if one not in known:
            raise AutomatonError(
                f"{name} has a line '{one}: ...', but a {document.kind} has {', '.join(known) or 'no such lines'}; remove it"
            )
    try:
        return build(document)
    except AutomatonError as error:
        raise error if str(error).startswith(name) else AutomatonError(f"{name}: {error}") from None


def _document(text: str, name: str) -> Document:
    document: Document | None = None
    for number, line in enumerate(lines_of(text), 1):
        words = tuple(line.split())
        if not words or line.lstrip().startswith("#"):
            continue
        if document is None:
            document = Document(name=name, kind=" ".join(words))
        elif words[0].endswith(":") and len(words[0]) > 1 and ARROW not in words:
            title = words[0][:-1]
            if title in document.fields:
                raise AutomatonError(f"{name}, line {number}: '{title}: ...' is given twice; leave one out")
            document.fields[title] = words[1:]
        else:
            document.lines.append(Line(place=f"{name}, line {number}", words=words))
    if document is None:
        raise AutomatonError(
            f"{name} is empty, but its first line is the kind of machine; write one of {', '.join(KINDS)}"
        )
    return document


def _unique(items: Iterator[tuple[Line, Any, Any]]) -> dict[Any, Any]:
    """Return transitions by what they apply to.

    Raises:
        AutomatonError: two apply to the same.
    """
    found: dict[Any, Any] = {}
    for line, key, value in items:
        if key in found:
            raise line.error(
                f"the line {' '.join(line.words)!r} is a second transition for the same state and symbols, but the machine is "
                "deterministic; remove one of them"
            )
        found[key] = value
    return found


def _dfa(document: Document) -> DFA:
    alphabet = {symbol: symbol for symbol in document.words("alphabet")}

    def transitions() -> Iterator[tuple[Line, Any, Any]]:
        for line in document.lines:
            (state, symbol), (after,) = line.sides(2, 1, "state symbol -> state")
            yield line, (state, line.one_of("symbol", symbol, alphabet)), after

    return DFA(
        alphabet=document.words("alphabet"),
        transitions=_unique(transitions()),
        start=document.word("start"),
        accepting=document.words("accept"),
    )


def _pda(document: Document) -> PDA:
    alphabet = {symbol: symbol for symbol in document.words("alphabet")}
    stack = {symbol: symbol for symbol in document.words("stack")}

    def transitions() -> Iterator[tuple[Line, Any, Any]]:
        for line in document.lines:
            pushes = line.words[-2:-1] == ("push",)
            form = "state symbol top -> state keep|pop|push SYMBOL"
            (state, symbol, top), (after, *action) = line.sides(3, 3 if pushes else 2, form)
            if pushes:
                move = StackMove(state=after, push=line.one_of("pushed symbol", action[1], stack))
            else:
                move = StackMove(state=after, pop=line.one_of("action", action[0], {"keep": False, "pop": True}))
            read = line.one_of("symbol", symbol, alphabet)
            yield line, (state, read, line.one_of("top", top, {**stack, "empty": None})), move

    return PDA(
        alphabet=document.words("alphabet"),
        stack_alphabet=document.words("stack"),
        transitions=_unique(transitions()),
        start=document.word("start"),
        accepting=document.words("accept"),
        empty_stack=document.flag("empty", default=True),
    )


def _counter_machine(document: Document) -> CounterMachine:
    alphabet = {symbol: symbol for symbol in document.words("alphabet")}
    number = document.word("counters")
    if not number.isdecimal() or int(number) < 1:
        raise AutomatonError(f"{document.name} has {number!r} counters, but there is at least one; give a number")
    counters = int(number)

    def transitions() -> Iterator[tuple[Line, Any, Any]]:
        for line in document.lines:
            (state, symbol, tests), (after, changes) = line.sides(3, 2, "state symbol tests -> state changes")
            if not len(tests) == len(changes) == counters:
                raise line.error(
                    f"the tests are {tests!r} and the changes {changes!r}, but there are {counters} counters; give one "
                    "character of each for every counter"
                )
            known = {"0": (False,), "+": (True,), "*": (False, True)}
            cases = [line.one_of("test", test, known) for test in tests]
            change = tuple(line.one_of("change", one, {"-": -1, "0": 0, "+": 1}) for one in changes)
            for case in product(*cases):
                yield line, (state, line.one_of("symbol", symbol, alphabet), case), (after, change)

    return CounterMachine(
        alphabet=document.words("alphabet"),
        counters=counters,
        transitions=_unique(transitions()),
        start=document.word("start"),
        accepting=document.words("accept"),
        zero_counters=document.flag("zero", default=True),
    )


def _two_stack_machine(document: Document) -> TwoStackMachine:
    known: dict[str, Any] = {**{top: (top,) for top in TOPS}, "*": TOPS}

    def transitions() -> Iterator[tuple[Line, Any, Any]]:
        for line in document.lines:
            (state, *tops), (after, *changes) = line.sides(3, 3, "state top top -> state change change")
            for case in product(*[line.one_of("top", top, known) for top in tops]):
                yield line, (state, *case), (after, *changes)

    return TwoStackMachine(transitions=_unique(transitions()), start=document.word("start"))


def _turing_machine(document: Document) -> TuringMachine:
    alphabet = {symbol: symbol for symbol in document.words("alphabet")}
    moves = {"left": "left", "stay": "stay", "right": "right"}

    def transitions() -> Iterator[tuple[Line, Any, Any]]:
        for line in document.lines:
            (state, symbol), (after, write, move) = line.sides(2, 3, "state symbol -> state symbol left|stay|right")
            read = line.one_of("symbol", symbol, alphabet)
            written = line.one_of("written symbol", write, alphabet)
            yield line, (state, read), TapeMove(state=after, write=written, move=line.one_of("move", move, moves))

    return TuringMachine(
        alphabet=document.words("alphabet"),
        transitions=_unique(transitions()),
        start=document.word("start"),
        accepting=document.fields.get("accept", ()),
    )


def _grammar(document: Document) -> Grammar:
    rules = []
    for line in document.lines:
        words = line.words
        weight = 1.0
        if words[1:2] != (ARROW,):
            try:
                weight, words = float(words[0]), words[1:]
            except ValueError:
                words = ()
        if words[1:2] != (ARROW,):
            raise line.error(
                f"the line is {' '.join(line.words)!r}, but a rule is 'A -> symbols' or 'weight A -> symbols'; "
                "correct the line"
            )
        rules.append(Rule(left=words[0], right=words[2:], weight=weight))
    return Grammar(rules=rules)


KINDS: dict[str, tuple[Callable[[Document], Machine], tuple[str, ...]]] = {
    "dfa": (_dfa, ("alphabet", "start", "accept")),
    "pda": (_pda, ("alphabet", "stack", "start", "accept", "empty")),
    "counter machine": (_counter_machine, ("alphabet", "counters", "start", "accept", "zero")),
    "two-stack machine": (_two_stack_machine, ("start",)),
    "turing machine": (_turing_machine, ("alphabet", "start", "accept")),
    "grammar": (_grammar, ()),
}
"""How each kind of file is read, and the names of its fields."""
