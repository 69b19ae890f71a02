"""Options: what a constructor can be told, read from its source without importing it.

A constructor is the configuration. Reading its signature from the source keeps `memtape ... --help` from loading torch.
"""

import ast
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_type_hints

import docstring_parser

PACKAGE = Path(__file__).parent.parent

TYPES = {"Literal": Literal, "int": int, "float": float, "bool": bool, "str": str}
"""All names that a keyword argument's annotation may use."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One keyword argument of a constructor."""

    name: str
    type: Any
    default: Any
    help: str


@cache
def options_of(path: str) -> tuple[Option, ...]:
    """Return the keyword-only arguments of a class or of a function that builds one, given as "package.module:Name".

    Raises:
        ValueError: it is not there, or an argument has no plain type, default or description.
    """
    module, _, name = path.partition(":")
    file = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name]
    if not named:
        raise ValueError(f"{path} is no class and no function; correct its entry in the registry")
    (described,) = named
    constructor = described
    if isinstance(described, ast.ClassDef):
        (constructor,) = (
            node for node in described.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"
        )
    descriptions = _descriptions(ast.get_docstring(described))
    arguments = constructor.args  # type: ignore[union-attr]
    options = []
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if argument.annotation is None or default is None or not descriptions.get(argument.arg):
            raise ValueError(f"{argument.arg} of {path} needs a plain type, a default and a line in the docstring")
        options.append(
            Option(
                name=argument.arg,
                type=eval(ast.unparse(argument.annotation), {"__builtins__": {}}, TYPES),
                default=ast.literal_eval(default),
                help=descriptions[argument.arg],
            )
        )
    return tuple(options)


@cache
def options_of_record(record: type[Any]) -> tuple[Option, ...]:
    """Return the fields of a dataclass that is documented like a constructor."""
    descriptions, types = _descriptions(record.__doc__), get_type_hints(record)
    return tuple(
        Option(name=item.name, type=types[item.name], default=item.default, help=descriptions[item.name])
        for item in fields(record)
    )


def _descriptions(docstring: str | None) -> dict[str, str]:
    parsed = docstring_parser.parse(docstring or "", docstring_parser.DocstringStyle.GOOGLE)
    return {param.arg_name: " ".join((param.description or "").split()) for param in parsed.params}
