"""`memtape runs`: list run folders, show one, or compare several."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from memtape.catalog.entry import PluginError
from memtape.cli.errors import UsageError
from memtape.cli.options import AsJson
from memtape.cli.table import print_table, spaced
from memtape.cli.terminal import print_visible

if TYPE_CHECKING:
    from memtape.experiments.run_folder.record import RunRecord

HELP = "List run folders, show one, or compare several."
FIGURE = Path("comparison.png")

runs = App(name="runs", help=HELP)


@runs.command(name="list")
def list_(
    folder: Annotated[Path, Parameter(help="Folder that contains run folders, at any depth.")] = Path("runs"),
    /,
    *,
    as_json: AsJson = False,
) -> None:
    """List the runs in a folder, the oldest first, and report which ones stopped, are damaged or need a plugin.

    The scores of an unfinished run are those of its best validation so far. A run that needs a plugin is listed when the
    plugin is given.
    """
    from memtape.experiments.run_folder.folder import RunError
    from memtape.experiments.run_folder.record import RunRecord, run_folders

    found, damaged, without_plugin = [], {}, {}
    for place in run_folders(folder):
        try:
            found.append(RunRecord.read(place))
        except RunError as error:
            damaged[str(place)] = str(error)
        except PluginError as error:
            without_plugin[str(place)] = str(error)
    found.sort(key=lambda run: (run.begun, run.folder))
    rows = [
        {
            "name": _name(run.folder, folder),
            **run.row(),
            "begun": run.begun.isoformat(timespec="seconds"),
        }
        for run in found
    ]
    stopped = {str(run.folder): run.stop for run in found if run.stop}
    if as_json:
        sentences = {"stopped": stopped, "damaged": damaged, "without_plugin": without_plugin}
        print(json.dumps({"runs": rows, **sentences}, indent=2))
        return
    if rows:
        print_table([spaced({name: value for name, value in row.items() if name != "begun"}) for row in rows])
    elif not damaged and not without_plugin:
        print_visible(f"there are no runs in {folder}; `memtape train` creates one")
    for name, stop in stopped.items():
        print_visible(f"stopped: {name} {stop}")
    for sentence in damaged.values():
        print_visible(f"damaged: {sentence}")
    for name, sentence in without_plugin.items():
        print_visible(f"without plugin: {name}: {sentence}")


def _name(run: Path, folder: Path) -> str:
    return str(folder if run == folder else run.relative_to(folder))


@runs.command
def show(run: Annotated[Path, Parameter(help="Run folder, as `memtape train` named it.")], /) -> None:
    """Show a run: the options that differ from their defaults, its scores, and its environment."""
    from memtape.experiments.run_folder.record import RunRecord

    read = RunRecord.read(run)
    print_table([spaced(read.row())])
    if read.data is not None:
        print_visible(str(read.data))
    if read.stop:
        print_visible(f"stopped {read.stop}")
    changed = [
        {"option": name, "value": value, "default": default} for name, (value, default) in read.changes().items()
    ]
    for title, rows in (
        ("options that differ from their defaults", changed),
        ("scores by length", [spaced(result) for result in read.evaluation]),
        ("environment", [{"what": name, "value": value} for name, value in read.environment.items()]),
    ):
        print_visible(f"\n{title}:" if rows else f"\n{title}: none")
        if rows:
            print_table(rows)


@runs.command
def compare(
    *folders: Annotated[Path, Parameter(name="RUN", help="Run folders, two or more.")],
    figure: Annotated[
        Path, Parameter(help="File of the learning curves, PNG or SVG; an existing file is replaced.")
    ] = FIGURE,
) -> None:
    """Compare several runs: the options that differ, the results, and a figure of all learning curves."""
    if len(folders) < 2:
        raise UsageError(
            f"the runs to compare are {len(folders)}, but there must be two or more; name more run folders"
        )
    if figure.suffix not in (".png", ".svg"):
        raise UsageError(
            f"the figure {figure} ends in {figure.suffix!r}, but it is drawn as PNG or SVG; end it in .png or .svg"
        )
    from memtape.experiments.run_folder.record import RunRecord

    read = {str(folder): RunRecord.read(folder) for folder in folders}
    _print_differences(read)
    print_visible("\nresults:")
    print_table([spaced({"name": run.folder, **run.row()}) for run in read.values()])
    _draw(read, figure)


def _print_differences(read: Mapping[str, "RunRecord"]) -> None:
    options = {name: run.experiment.options() for name, run in read.items()}
    all_names = dict.fromkeys(option for values in options.values() for option in values)
    rows = [
        {"option": option, **{name: values.get(option) for name, values in options.items()}}
        for option in all_names
        if len({repr(values.get(option)) for values in options.values()}) > 1
    ]
    print_visible("options that differ:" if rows else "options that differ: none")
    if rows:
        print_table(rows)


def _draw(read: Mapping[str, "RunRecord"], file: Path) -> None:
    from memtape.core.atomic_write import write_atomically
    from memtape.experiments.run_folder.schema import SCORED
    from memtape.viz.comparison_figure import comparison_figure
    from memtape.viz.saving import rendered

    scored = next(iter(read.values())).scored
    if any(run.scored != scored for run in read.values()):
        print_visible("\nthe runs have different scores, so there is no figure")
        return
    if not any(record["kind"] in SCORED for run in read.values() for record in run.records):
        print_visible("\nno run has metrics yet, so there is no figure")
        return
    drawn = rendered(comparison_figure({name: run.records for name, run in read.items()}, scored), file.suffix[1:])
    try:
        write_atomically(file, drawn)
    except OSError as error:
        raise UsageError(
            f"the figure {file} cannot be written ({error.strerror}); give --figure a place that you can write to"
        ) from None
    print_visible(f"\nwrote {file}")
