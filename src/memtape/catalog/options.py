"""Options: the keyword arguments of a constructor, read from its source without importing it.

A constructor is the configuration. Its signature is read from the source, so that `memtape ... --help` does not load
torch.
"""

import ast
import importlib.util
import inspect
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_type_hints

TYPES = {"Literal": Literal, "int": int, "float": float, "bool": bool, "str": str}
"""All names that the annotation of a keyword argument may use."""

DEFINITIONS = (ast.ClassDef, ast.FunctionDef)


@dataclass(frozen=True, kw_only=True)
class Option:
    """One keyword argument of a constructor."""

    name: str
    type: Any
    default: Any
    help: str


@cache
def options_of(file: Path, name: str) -> tuple[Option, ...]:
    """Return the keyword-only arguments of a class.

    A class whose constructor is `runs(...)` or `takes(...)` of another class or a function has the arguments of that
    class or function, and a class without a constructor has those of its first base.

    Args:
        file: the file of the class.
        name: its name.

    Raises:
        ValueError: the class is missing, or an argument lacks a plain type, a default or a description.
    """
    described, constructor, place = _constructor(file, name)
    descriptions = _descriptions(ast.get_docstring(described))
    options = []
    for argument, default in zip(constructor.args.kwonlyargs, constructor.args.kw_defaults, strict=True):
        if argument.annotation is None or default is None or not descriptions.get(argument.arg):
            raise ValueError(f"{argument.arg} of {place} needs a plain type, a default and a line in the docstring")
        try:
            kind = eval(ast.unparse(argument.annotation), {"__builtins__": {}}, TYPES)
            value = ast.literal_eval(default)
        except (NameError, ValueError, TypeError):
            raise ValueError(
                f"{argument.arg} of {place} must have a plain type ({', '.join(TYPES)}) and a literal as its default"
            ) from None
        options.append(Option(name=argument.arg, type=kind, default=value, help=descriptions[argument.arg]))
    return tuple(options)


def _constructor(file: Path, name: str) -> tuple[ast.ClassDef | ast.FunctionDef, ast.FunctionDef, str]:
    """Return the documented object, the function that has the arguments, and their name."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    described = next((node for node in tree.body if isinstance(node, DEFINITIONS) and node.name == name), None)
    if described is None:
        origin = _origin(tree, name)
        if origin is None:
            raise ValueError(f"{name} is neither a class nor a function of {file.name}; correct the name")
        return _constructor(*origin)
    if isinstance(described, ast.FunctionDef):
        return described, described, name
    for node in described.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return described, node, name
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__init__":
            call = node.value
            if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Name):
                return _constructor(file, call.args[0].id)
    if described.bases and isinstance(described.bases[0], ast.Name):
        return _constructor(file, described.bases[0].id)
    raise ValueError(f"{name} of {file.name} has no __init__ of its own; write one")


def _origin(tree: ast.Module, name: str) -> tuple[Path, str] | None:
    """Return the file that a name is imported from, and the name there."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                spec = importlib.util.find_spec(str(node.module)) if (alias.asname or alias.name) == name else None
                if spec is not None and str(spec.origin).endswith(".py"):
                    return Path(str(spec.origin)), alias.name
    return None


@cache
def options_of_record(record: type[Any]) -> tuple[Option, ...]:
    """Return the fields of a dataclass that is documented like a constructor."""
    # The docstring is read from the source: Python removes it from the class with PYTHONOPTIMIZE=2.
    tree = ast.parse(Path(inspect.getfile(record)).read_text(encoding="utf-8"))
    source = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == record.__name__)
    descriptions, types = _descriptions(ast.get_docstring(source)), get_type_hints(record)
    return tuple(
        Option(name=item.name, type=types[item.name], default=item.default, help=descriptions[item.name])
        for item in fields(record)
    )


def _descriptions(docstring: str | None) -> dict[str, str]:
    import docstring_parser

    parsed = docstring_parser.parse(docstring or "", docstring_parser.DocstringStyle.GOOGLE)
    return {param.arg_name: " ".join((param.description or "").split()) for param in parsed.params}
