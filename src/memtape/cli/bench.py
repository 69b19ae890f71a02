"""`memtape bench`: the time and memory of a step on each backend."""

import inspect
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from memtape.catalog.registry import MODELS
from memtape.cli.errors import UsageError
from memtape.cli.options import group_of_changes, union_of_options, with_signature
from memtape.cli.table import print_table

HELP = """Measure time and memory of models on each backend.

The backends of a comparison take turns, at least five rounds, so that a busy machine slows all of them down. The time
is a median, and its spread is the interquartile range divided by it. The ratio is the speed relative to the reference,
from pairs of the same round. The peak is the memory that one step allocates, in a process of its own. Inputs and
outputs have the sizes of the copy task.
"""

STANDARD_OUTPUT = Path("-")
PICTURES = (".png", ".svg")


def several(text: str) -> Parameter:
    """Return the text of an option with one or more values."""
    return Parameter(consume_multiple=True, negative="", show_default=_words, help=text)


def _words(values: Sequence[Any]) -> str:
    return " ".join(map(str, values)) or "those present"


def app(words: Sequence[str]) -> App:
    """Return the command, with the options of the models that the command line names, or of all models.

    Args:
        words: the command line.
    """
    flags = [index for index, word in enumerate(words) if word.startswith("-")]
    named = [MODELS[word] for word in words[: flags[0] if flags else None] if word in MODELS]
    options = union_of_options(entry.options for entry in named or MODELS.values())
    known = [parameter for parameter in inspect.signature(bench).parameters.values() if parameter.name != "model"]
    shown = {option.name: option.default for option in options}
    command = App(name="bench", help=HELP)
    command.default(with_signature(_command, [*known, group_of_changes("model", options, shown, hidden=["slots"])]))
    return command


def _command(*models: str, model: dict[str, Any] | None = None, **given: Any) -> None:
    bench(*models, model=model or {}, **given)


def bench(
    *models: Annotated[str, Parameter(help="Models to measure; by default all recurrent cells.")],
    batch: Annotated[tuple[int, ...], several("Numbers of sequences.")] = (1, 16, 64),
    time: Annotated[tuple[int, ...], several("Numbers of steps.")] = (42,),
    slots: Annotated[tuple[int, ...], several("Numbers of slots; ignored by models without slots.")] = (128,),
    backend: Annotated[
        tuple[str, ...],
        several("Backends to compare, such as reference cpu; compile starts slowly and must be named."),
    ] = (),
    mode: Annotated[
        tuple[Literal["train", "infer"], ...], several("Forward and backward pass, or forward pass without gradients.")
    ] = ("train", "infer"),
    device: Annotated[Literal["cpu", "cuda"], Parameter(help="Where to compute.")] = "cpu",
    threads: Annotated[int | None, Parameter(help="Threads on the CPU; by default the choice of torch.")] = None,
    seconds: Annotated[float, Parameter(help="About how long to time each line of the table.")] = 1.0,
    json_file: Annotated[
        Path | None,
        Parameter(name="--json", allow_leading_hyphen=True, help="JSON file to write; - prints JSON only."),
    ] = None,
    plot: Annotated[
        Path | None, Parameter(help="Figure to write, PNG or SVG: cost over batch, time and slots where they vary.")
    ] = None,
    model: dict[str, Any],
) -> None:
    """Measure models on each backend, and print a table or JSON."""
    _check_files(json_file, plot)
    if plot is not None and all(len(set(sizes)) < 2 for sizes in (batch, time, slots)):
        raise UsageError(
            "--plot draws cost over a size, but each size has one value; give two or more of --batch, --time or --slots"
        )
    if not seconds > 0:
        raise UsageError(f"--seconds is {seconds:g}, but it must be positive; give more than 0")

    from memtape.experiments.bench.measure import comparisons, measured, surroundings

    compared = comparisons(
        models,
        batch=batch,
        time=time,
        slots=slots,
        backend=backend,
        mode=mode,
        options=model,
        threads=threads,
        device=device,
    )
    environment = surroundings(threads)
    rows = []
    with _progress() as progress:
        for comparison in progress.track(compared, description="measuring"):
            rows += measured(comparison, seconds=seconds)
    text = json.dumps({"environment": environment, "rows": rows}, indent=2)
    if json_file == STANDARD_OUTPUT:
        print(text)
    else:
        _print_rows(rows)
        if json_file is not None:
            _write(json_file, f"{text}\n".encode())
    if plot is not None:
        from memtape.viz.bench_figure import bench_figure
        from memtape.viz.saving import rendered

        figure = bench_figure(rows, title=f"{environment['processor']}, threads: {environment['threads']}")
        _write(plot, rendered(figure, plot.suffix[1:]))


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


COLUMNS = {
    **{name: name for name in ("model", "mode", "backend", "batch", "time", "slots")},
    "ms_per_step": "ms/step",
    "spread": "spread",
    "ratio": "ratio",
    "peak_mib": "peak MiB",
}
"""Names of the measurements, and the column heads of the table."""
FORMATS = {"ms/step": ".4g", "spread": ".0%", "ratio": ".2f", "peak MiB": ".1f"}


def _print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    named = [{head: row[name] for name, head in COLUMNS.items()} for row in rows]
    print_table(named, formats=FORMATS, folded=FORMATS)
    for model, backend in dict.fromkeys((row["model"], row["backend"]) for row in rows):
        if backend in ("cpu", "triton") and not any(row["fused"] for row in rows if row["model"] == model):
            print(f"{model} has no fused kernel on {backend}; it runs the reference there")


def _check_files(json_file: Path | None, plot: Path | None) -> None:
    """Raise an error for files that cannot be written, before minutes are spent on the measurement."""
    if plot is not None and plot.suffix not in PICTURES:
        raise UsageError(
            f"the figure {plot} ends in {plot.suffix!r}, but it is drawn as PNG or SVG; end it in .png or .svg"
        )
    for file in (json_file, plot):
        if file in (None, STANDARD_OUTPUT):
            continue
        above = next(folder for folder in file.absolute().parents if folder.exists())
        if file.is_dir() or not above.is_dir() or not os.access(above, os.W_OK):
            raise UsageError(_unwritable(file))


def _write(file: Path, content: bytes) -> None:
    from memtape.core.atomic_write import write_atomically

    try:
        write_atomically(file, content)
    except OSError:
        raise UsageError(_unwritable(file)) from None


def _unwritable(file: Path) -> str:
    return f"the file {file} cannot be written; give a place that you can write to"
