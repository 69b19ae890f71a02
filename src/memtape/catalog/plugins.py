"""Plugins: models and tasks from other files and packages, found without running them.

A file is named by `--plugin FILE.py` or in the variable MEMTAPE_PLUGINS; an installed package has entry points in the groups
`memtape.models` and `memtape.tasks`. Each file ends in one card, as the files of memtape do.
"""

import ast
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from memtape.catalog.built_in import built_in, entry_of
from memtape.catalog.card_reader import CardError, read_card
from memtape.catalog.entry import ModelEntry, PluginError, TaskEntry
from memtape.core.card import Card, ModelCard, TaskCard
from memtape.core.given_path import given_path, read_given
from memtape.core.text_file import decoded

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

VARIABLE = "MEMTAPE_PLUGINS"
"""Environment variable with files, separated as in PATH; processes that memtape starts inherit it."""

GROUPS: dict[str, type[Card]] = {"memtape.models": ModelCard, "memtape.tasks": TaskCard}
"""Groups of entry points, each with the card that its modules end in."""

Entry = ModelEntry | TaskEntry


def plugins() -> tuple[Entry, ...]:
    """Return the models and tasks of installed packages, and of the files that the environment names.

    Raises:
        PluginError: a plugin cannot be used, or its name is taken.
    """
    return _plugins(os.environ.get(VARIABLE, ""))


@contextmanager
def with_plugins(files: Sequence[str]) -> Iterator[None]:
    """Add files to those that the environment names, for this process and its child processes.

    Raises:
        PluginError: a path contains the separator of the variable.
    """
    for file in files:
        if os.pathsep in file:
            raise PluginError(
                f"the path {file} has a {os.pathsep!r}, which separates paths in {VARIABLE}; rename the file or its folder"
            )
    before = os.environ.get(VARIABLE)
    paths = [*((before or "").split(os.pathsep)), *(str(given_path(file).absolute()) for file in files)]
    os.environ[VARIABLE] = os.pathsep.join(path for path in paths if path)
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


@cache
def _plugins(files: str) -> tuple[Entry, ...]:
    named = dict.fromkeys(given_path(file).resolve() for file in files.split(os.pathsep) if file)
    found = [*_of_packages(), *map(_of_file, named)]
    names = {(type(entry), entry.name): "memtape itself" for entry in built_in()}
    modules: dict[str, Path] = {}
    for entry in found:
        if modules.setdefault(entry.module, entry.file) != entry.file:
            raise PluginError(
                f"{modules[entry.module]} and {entry.file} are plugins with the same name; rename one of the files"
            )
        owner = names.setdefault((type(entry), entry.name), f"the plugin {entry.plugin}")
        if owner != f"the plugin {entry.plugin}":
            raise PluginError(
                f'the plugin {entry.plugin} has the name "{entry.name}", which {owner} has; give its CARD another name'
            )
    return tuple(found)


def _of_packages() -> list[Entry]:
    from importlib.metadata import entry_points

    points = [
        (group, point) for group in GROUPS for point in sorted(entry_points(group=group), key=lambda one: one.name)
    ]
    return [_of_entry_point(point, GROUPS[group]) for group, point in points]


def _of_entry_point(point: "EntryPoint", kind: type[Card]) -> Entry:
    package = "an unknown package" if point.dist is None else f"{point.dist.name} {point.dist.version}"
    module, _, name = point.value.partition(":")
    try:
        spec = find_spec(module)
    except Exception as error:
        raise PluginError(
            f"the plugin {package} cannot be imported ({type(error).__name__}: {error}); install it again or remove it"
        ) from None
    if spec is None or not str(spec.origin).endswith(".py"):
        raise PluginError(f"the plugin {package} has no module {module}; install it again or remove it")
    entry = _read(Path(str(spec.origin)), module, package)
    if not isinstance(entry.card, kind):
        raise PluginError(
            f"{module} of the plugin {package} does not end in a {kind.__name__}; correct its entry points"
        )
    if name not in ("", entry.class_name):
        raise PluginError(
            f"the CARD of {module} in the plugin {package} describes {entry.class_name}, not {name}; correct its entry points"
        )
    return entry


def _of_file(file: Path) -> Entry:
    if file.suffix != ".py" or not file.is_file():
        raise PluginError(f"there is no Python file {file}; give --plugin a file whose name ends in .py")
    name = file.stem
    try:
        spec = find_spec(name) if name.isidentifier() else None
        taken = not name.isidentifier() or (spec is not None and Path(str(spec.origin)).resolve() != file)
    except ValueError:  # the module has no specification
        taken = True
    if taken:
        raise PluginError(
            f"the plugin {file.name} cannot be imported as {name}, which is not an identifier or names "
            "an installed module; rename the file"
        )
    return _read(file, name, file.name)


def _read(file: Path, module: str, plugin: str) -> Entry:
    try:
        source = decoded(read_given(file))
        ast.parse(source)
        return entry_of(read_card(source, file), module, plugin)
    except SyntaxError as error:
        reason = f"it has a syntax error in line {error.lineno} ({error.msg}); correct it"
    except CardError as error:
        reason = str(error)
    except OSError as error:
        reason = f"it cannot be read ({error.strerror}); correct its permissions"
    except (ValueError, RecursionError, MemoryError) as error:
        reason = f"it is not Python ({error}); correct it"
    raise PluginError(f"the plugin {plugin} cannot be used: {reason}")
