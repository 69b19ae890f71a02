"""Recipe reader: reads and checks a recipe `<model>/<task>[-variant].toml` when it is first used.

A page has the tables of a `--config` file, [model], [task] and [train], and four more keys: `extends`, the name of a
page that supplies missing values, but not [each]; `formerly`, the former name of the recipe; [each], an option with the
values with which the recipe is reproduced, such as the numbers of tasks, and further options with a value beside each of
them; and [published], the numbers of papers by metric, with their `source`, and with `each`, lists of numbers with each
of these values by network.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, Protocol, runtime_checkable

from pydantic import ValidationError

from memtape.catalog.options import Option, options_of_record
from memtape.catalog.recipe import Recipe
from memtape.catalog.unknown_name import hint
from memtape.core.errors import RequestError
from memtape.core.given_path import read_given
from memtape.core.plain_type import is_of
from memtape.core.text_file import decoded
from memtape.training.settings import TrainSettings

FOLDER = Path(__file__).parent.parent / "recipes"
"""The folder of the recipes of memtape."""
TABLES = ("model", "task", "train")
KEYS = ("extends", "formerly", *TABLES, "each", "published")
NAME = re.compile(r"[a-z0-9_-]+/[a-z0-9_-]+")


class RecipeError(RequestError):
    """A page that is not a recipe; the message names the file and the key."""


@runtime_checkable
class Named(Protocol):
    """The part of a model or a task that a recipe uses."""

    @property
    def name(self) -> str:
        """The name on the command line."""

    @property
    def options(self) -> tuple[Option, ...]:
        """The keyword arguments of its constructor."""


class RecipeTree(Mapping[str, Recipe]):
    """The recipes of a folder by name; a page is read when its recipe is first used.

    Args:
        folder: has a subfolder of pages for each model.
        models: the models by name.
        tasks: the tasks by name.
    """

    def __init__(self, folder: Path, models: Mapping[str, Named], tasks: Mapping[str, Named]):
        self.folder, self.models, self.tasks = folder, models, tasks
        self._read: dict[str, Recipe] = {}

    def __getitem__(self, name: str) -> Recipe:
        """Return a recipe.

        Raises:
            KeyError: the page does not exist.
            RecipeError: the page is not a recipe.
        """
        if name not in self._read:
            if name not in self:
                raise KeyError(name)
            model, task = self._pair(name)
            self._read[name] = read_recipe(self._file(name), name=name, model=model, task=task, folder=self.folder)
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        """Return whether there is a page of that name."""
        return isinstance(name, str) and NAME.fullmatch(name) is not None and self._file(name).is_file()

    def __iter__(self) -> Iterator[str]:
        """Yield the names, model by model."""
        return iter(sorted(f"{file.parent.name}/{file.stem}" for file in self.folder.glob("*/*.toml")))

    def __len__(self) -> int:
        """Return the number of pages."""
        return sum(1 for _ in self)

    def renamed(self, name: str) -> str:
        """Return the current name of a recipe, given its current or its former name."""
        if name in self:
            return name
        return next((recipe.name for recipe in self.values() if recipe.formerly == name), name)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.toml"

    def _pair(self, name: str) -> tuple[Named, Named]:
        """Return the model and the task of a name; if two tasks match its prefix, the longer one."""
        model, _, rest = name.partition("/")
        tasks = [task for task in self.tasks if rest == task or rest.startswith(f"{task}-")]
        if model not in self.models or not tasks:
            raise RecipeError(
                f"{self._file(name)} names no known model and task; name it MODEL/TASK.toml or MODEL/TASK-VARIANT.toml"
            )
        return self.models[model], self.tasks[max(tasks, key=len)]


def read_recipe(file: Path, *, name: str, model: Named, task: Named, folder: Path = FOLDER) -> Recipe:
    """Return the recipe that a page holds.

    Args:
        file: the page.
        name: name of the recipe.
        model: the model of the recipe.
        task: the task of the recipe.
        folder: the folder of the page that it extends.

    Raises:
        RecipeError: the page cannot be read, names an unknown key or option, has an invalid value, or extends a page
            that extends another one.
    """
    page = _page(file)
    below = _page_below(file, page, folder)
    options = {"model": model.options, "task": task.options, "train": options_of_record(TrainSettings)}
    values = {
        table: _checked(file, table, {**below.get(table, {}), **page.get(table, {})}, options[table])
        for table in TABLES
    }
    try:
        TrainSettings(**values["train"])
    except ValidationError as error:
        first = error.errors()[0]
        raise RecipeError(
            f"[train] of {file} cannot be used ({'.'.join(map(str, first['loc']))}: {first['msg']}); correct it there"
        ) from None
    each, each_with = _each(file, page.get("each", {}), options)
    published = dict(page.get("published", below.get("published", {})))
    source = published.pop("source", None)
    published.pop("each", None)
    published_each = _published_each(file, page.get("published", {}).get("each", {}), each)
    return Recipe(
        name=name,
        model=model.name,
        task=task.name,
        model_options=values["model"],
        task_options=values["task"],
        train=values["train"],
        published=published,
        source=source,
        each=each,
        each_with=each_with,
        published_each=published_each,
        formerly=page.get("formerly"),
    )


def _page_below(file: Path, page: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return the page that a page extends, or an empty one."""
    name = page.get("extends")
    if name is None:
        return {}
    below = folder / f"{name}.toml"
    if NAME.fullmatch(name) is None or not below.is_file():
        raise RecipeError(f"{file} extends {shortened(name)}, which is not a recipe; `memtape recipes` lists them")
    if "extends" in (extended := _page(below)):
        raise RecipeError(
            f"{file} extends {name}, which extends {extended['extends']}; a recipe extends one that extends no other"
        )
    return extended


def _page(file: Path) -> dict[str, Any]:
    """Read a page, and check that its keys exist and have the right types."""
    try:
        page = tomllib.loads(decoded(read_given(file)))
    except OSError as error:
        raise RecipeError(f"the recipe {file} cannot be read ({error.strerror}); give a TOML file") from None
    except (ValueError, RecursionError) as error:  # tomllib raises these for too many digits or brackets
        raise RecipeError(f"the recipe {file} is not TOML ({error}); correct it there") from None
    for key, value in page.items():
        if key not in KEYS:
            raise RecipeError(f'{file} has the key "{key}", but no recipe has; {hint("key", key, KEYS)}')
        kind, text = (str, "a name in quotes") if key in ("extends", "formerly") else (dict, "a table")
        if not isinstance(value, kind):
            raise RecipeError(f"{key} in {file} is {shortened(value)}, but it must be {text}; correct it there")
    _check_published(file, page.get("published", {}))
    return page


def _check_published(file: Path, published: Mapping[str, Any]) -> None:
    if published and not isinstance(published.get("source"), str):
        raise RecipeError(f"[published] of {file} has no source; name the paper, and its figure or table, in quotes")
    for name, values in published.items():
        if name not in ("source", "each") and not (
            isinstance(values, dict) and all(is_of(float, one) for one in values.values())
        ):
            raise RecipeError(
                f"{name} in [published] of {file} is {shortened(values)}, but it must be numbers by name; "
                "write { lstm = 0.5 }"
            )


def _each(
    file: Path, tables: Mapping[str, Any], options: Mapping[str, tuple[Option, ...]]
) -> tuple[tuple[str, tuple[Any, ...]] | None, dict[str, tuple[Any, ...]]]:
    """Return the first option of [each] with its values, or None without that table; and the other options with theirs."""
    if not tables:
        return None, {}
    named: list[tuple[str, str, Any]] = [
        (table, name, values)
        for table, chosen in tables.items()
        for name, values in (chosen.items() if isinstance(chosen, dict) else [("", None)])
    ]
    if not named or any(
        table not in TABLES or not isinstance(values, list) or not values for table, _, values in named
    ):
        raise RecipeError(
            f"[each] of {file} is {shortened(dict(tables))}, but it must be options with a list of values; "
            'write [each.task] and numbers = ["1", "2"]'
        )
    (table, name, values), *others = named
    checked = _each_checked(file, table, name, values, options)
    if len(set(checked)) < len(checked):
        raise RecipeError(f"[each] of {file} has a value of {name} twice; name each value once")
    for _, other, beside in others:
        if len(beside) != len(checked):
            raise RecipeError(
                f"[each] of {file} has {len(checked)} values of {name} and {len(beside)} of {other}; "
                f"give one of {other} for each value of {name}"
            )
    return (f"{table}.{name}", checked), {
        f"{table}.{other}": _each_checked(file, table, other, beside, options) for table, other, beside in others
    }


def _each_checked(
    file: Path, table: str, name: str, values: list[Any], options: Mapping[str, tuple[Option, ...]]
) -> tuple[Any, ...]:
    return tuple(_checked(file, table, {name: value}, options[table])[name] for value in values)


def _published_each(file: Path, numbers: Any, each: tuple[str, tuple[Any, ...]] | None) -> dict[str, tuple[float, ...]]:
    """Return the published numbers of each part, by the name of the network; without [each], parts are test lengths."""
    lists: list[Any] = list(numbers.values()) if isinstance(numbers, dict) else [None]
    if not all(isinstance(one, list) and all(is_of(float, number) for number in one) for one in lists):
        raise RecipeError(
            f"each in [published] of {file} is {shortened(numbers)}, but it must be lists of numbers by network; "
            "write memn2n = [0.9, 0.8]"
        )
    if each is not None and any(len(one) != len(each[1]) for one in lists):
        raise RecipeError(
            f"each in [published] of {file} has lists of {sorted({len(one) for one in lists})} numbers, but [each] has "
            f"{len(each[1])} values; give one number for each value"
        )
    return {name: tuple(map(float, one)) for name, one in numbers.items()}


def _checked(file: Path, table: str, values: Mapping[str, Any], options: tuple[Option, ...]) -> dict[str, Any]:
    """Return the values of a table, converted to float where the option is a float."""
    known = {option.name: option.type for option in options}
    for name, value in values.items():
        if name not in known:
            raise RecipeError(f'there is no option "{name}" for [{table}] of {file}; {hint("option", name, known)}')
        if not is_of(known[name], value):
            raise RecipeError(
                f"{name} in [{table}] of {file} is {shortened(value)}, which is not a value of that option; "
                f"`memtape train MODEL TASK --help` shows its type"
            )
    return {
        name: float(value) if is_of(known[name], 0.5) and is_of(float, value) else value
        for name, value in values.items()
    }
