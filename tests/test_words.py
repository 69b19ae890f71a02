"""Documentation, messages and comments use the field's terms: each unusual word of the table has a usual one.

`DONE` lists what is checked: the package, the kernels, the documents, the tests, the benchmarks and the examples.
"""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

DONE = (
    "csrc",
    "src/memtape/automata",
    "src/memtape/catalog",
    "src/memtape/cells",
    "src/memtape/core",
    "src/memtape/deploy",
    "src/memtape/cli",
    "src/memtape/experiments",
    "src/memtape/inference",
    "src/memtape/kernels",
    "src/memtape/memory",
    "src/memtape/models",
    "src/memtape/ops",
    "src/memtape/ports",
    "src/memtape/recipes",
    "src/memtape/sharing",
    "src/memtape/tasks",
    "src/memtape/training",
    "src/memtape/viz",
    "docs",
    "README.md",
    "CONTRIBUTING.md",
    "tests",
    "benchmarks",
    "examples",
    "CHANGELOG.md",
)

WORDS = {
    r"whole numbers?": "integer",
    r"way back": "backward pass",
    r"twins?": "fused kernel, and reference for the cell beside it",
    r"stand-ins?|stands? in for": "synthetic data; replaces",
    r"(made|make|makes|making) up|invents?|invented": "synthetic; generate",
    r"trainings(?!:)": "training runs",
    r"(a|another|each|every|one|this) training(?=[.,;:)]| (is|was|has|that|which|from|of|with|in)\b)": "training run",
    r"begins?(?!:)|began|begun|beginnings?": "starts at; is initialised to",
    r"say|says|said|saying": "predict, output, generate; state, report",
    r"told|tells?|telling": "given, presented; report, name; distinguish",
    r"hears?|heard": "receives input from",
    r"sees|saw": "receives, reads",
    r"look(s|ed|ing)? at|looks for": "uses, reads, inspects; the key of a head",
    r"stands?|stood|standing": "is, represents; checkpoint",
    r"hang(s|ing)? on": "depends on",
    r"hand(s|ed|ing)? (out|on)": "return; pass on",
    r"known to fit": "valid, already validated",
    r"exams?": "task",
    r"who (always|never|remembers|holds|solves|has|says)": "always predicting …; without memory",
    r"(a|the|by|at the) guess|guesses|guessed|guessing": "chance level; constant or uniform prediction",
    r"at hand|for whom": "available; used when … are absent",
    r"so many": "the given number of",
    r"nobody('s)?|somebody": "no one; none; unused",
    r"runs? away|running away": "diverges",
    r"as far as that is known": "where known",
    r"(it|that|which|file|text|line|value) (is|are) no(?! longer)": "is not a",
    r"for ever": "fixed",
    r"likeliest": "most likely",
    r"wholly": "fully",
    r"beforehand": "in advance",
    r"passed over|passes over": "skipped, ignored",
    r"on (its|the|their) way (in|out|to|from|into)": "passed to",
    r"taught|teaches": "trained with teacher forcing",
    r"raw numbers": "interface vector, head parameters",
    r"squash(es|ed|ing)?(?!:| of NTM)": "tanh; activation function",
    r"before the user's eyes": "with a progress display",
    r"gives? way": "the least used slot",
    r"asked for|asks? for|is asked|are asked": "requested, queried; needs",
    r"but for": "except for",
    r"to think": "planning",
    r"\d[\d,]* updates": "steps",
    r"on (the|a) processors?|on processors": "on the CPU",
    r"a pass": "an epoch",
    r"by heart": "memorised",
    r"now and then": "at random",
    r"falls apart": "splits into",
    r"what is kept": "saved for the backward pass",
}
"""Regular expressions of words to avoid, and what to write in their place."""

WHITE = r"\s+"

PATTERNS = {
    re.compile(rf"(?<![\w\\-])(?:{words.replace(' ', WHITE)})(?![\w-])", re.IGNORECASE): cure
    for words, cure in WORDS.items()
}

Passage = tuple[int, str]
"""The number of a line, and text that starts there."""


def passages(path: Path) -> Iterator[Passage]:
    """Yield the prose of a file: the text of Markdown, comments, and strings of more than one word."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from of_python(text)
    elif path.suffix in (".cpp", ".hpp", ".h"):
        for found in re.finditer(r"//[^\n]*|/\*.*?\*/|\"(?:[^\"\\\n]|\\.)*\"", text, re.DOTALL):
            yield text.count("\n", 0, found.start()) + 1, found.group()
    else:
        generated = re.compile(
            r"<!-- (\w+): begin -->.*?<!-- \1: end -->|<!-- results:.*?<!-- results: end -->", re.DOTALL
        )
        yield 1, generated.sub(blank, text)


def of_python(text: str) -> Iterator[Passage]:
    """Yield comments and strings of more than one word, without the expressions inside formatted strings."""
    prose = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in prose and " " in token.string.strip():
            is_formatted = re.match(r"[rR]?[fF]", token.string)
            yield token.start[0], re.sub(r"\{[^{}]*\}", "{}", token.string) if is_formatted else token.string


def blank(found: re.Match[str]) -> str:
    """Return the line breaks of the omitted text, so that lines keep their numbers."""
    return "\n" * found.group().count("\n")


def unusual_words(path: Path) -> list[str]:
    """Return a sentence for each word of the table in a file; text in backquotes is code."""
    sentences = []
    for line, text in passages(path):
        prose = re.sub(r"```.*?```|`[^`]*`", lambda code: " " + blank(code), text, flags=re.DOTALL)
        for pattern, cure in PATTERNS.items():
            for found in pattern.finditer(prose):
                place = line + prose.count("\n", 0, found.start())
                words = " ".join(found.group().split())
                sentences.append(f"{path}, line {place}: {words!r}; write: {cure}")
    return sentences


def files(place: str) -> list[Path]:
    """Return the files of a place, without this one, whose examples contain the words."""
    path = ROOT / place
    suffixes = {".py", ".md", ".cpp", ".hpp", ".h", ".toml"}
    found = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix in suffixes)
    return [file for file in found if file != Path(__file__)]


@pytest.mark.parametrize("place", DONE)
def test_text_has_the_usual_words(place):
    assert files(place)
    found = [sentence for file in files(place) for sentence in unusual_words(file)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.py", '"""Sum numbers.\n\nEach is a whole\nnumber.\n"""\n', 3),
        ("a.py", "x = 1\ny = 2  # each is a whole number\n", 2),
        ("a.py", 'raise ValueError(f"{x} is not 3,\\n but a whole number")\n', 1),
        ("a.cpp", "int a;\n// one whole number\n", 2),
        ("a.cpp", 'int a;\n/* each\n   a whole number */\nchar b[] = "c";\n', 3),
        ("a.md", "# Title\n\n`code`\n\nGive a whole number.\n", 5),
        ("a.md", "<!-- t: begin -->\n\n<!-- t: end -->\nGive a whole number.\n", 4),
    ],
)
def test_an_unusual_word_is_found_with_its_line_and_the_usual_one(tmp_path, name, text, line):
    path = tmp_path / name
    path.write_text(text)
    expected = "whole number"
    assert unusual_words(path) == [f"{path}, line {line}: {expected!r}; write: integer"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "told = says(squash)\nkind = 'told'\n"),
        ("a.py", 'message = f"the value {told + said!r} is not 3"\n'),
        ("a.py", 'r"""An equation, $$f = \\begin{cases} 1 & x > 0 \\end{cases}$$."""\n'),
        ("a.py", '"""The option `squash` is an activation function."""\n'),
        ("a.cpp", "double told = 1;\n"),
        ("a.md", "```python\ntold = 1  # said\n```\n<!-- t: begin -->\na guess\n<!-- t: end -->\n"),
        ("a.md", "A training step, two training runs, and a hand-out understand each other.\n"),
    ],
)
def test_code_and_generated_tables_are_not_prose(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    assert unusual_words(path) == []
