"""`memtape bench`: what a step of time costs, backend beside backend."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from memtape.cli.main import UsageError

STANDARD_OUTPUT = Path("-")
PICTURES = (".png", ".svg")


def several(text: str) -> Parameter:
    """Return how an option reads that takes one value or more."""
    return Parameter(consume_multiple=True, negative="", show_default=_words, help=text)


def _words(values: Sequence[Any]) -> str:
    return " ".join(map(str, values)) or "those present"


def bench(
    *models: Annotated[str, Parameter(help="Models to measure; without them, all that take single steps.")],
    batch: Annotated[tuple[int, ...], several("Numbers of sequences.")] = (1, 16, 64),
    time: Annotated[tuple[int, ...], several("Numbers of steps.")] = (42,),
    slots: Annotated[tuple[int, ...], several("Numbers of slots; models without slots pass them over.")] = (128,),
    backend: Annotated[
        tuple[str, ...],
        several("Backends to compare, such as reference cpu; compile is slow to begin and must be named."),
    ] = (),
    mode: Annotated[
        tuple[Literal["train", "infer"], ...], several("Forwards and backwards, or forwards without gradients.")
    ] = ("train", "infer"),
    model: Annotated[
        dict[str, int | float | bool | str] | None,
        Parameter(help="Options of the models, such as --model.controller feedforward or --model.read-heads 4."),
    ] = None,
    device: Annotated[Literal["cpu", "cuda"], Parameter(help="Where to compute.")] = "cpu",
    threads: Annotated[int | None, Parameter(help="Threads of the processor; without it, torch's own choice.")] = None,
    seconds: Annotated[float, Parameter(help="About how long to time each line of the table.")] = 1.0,
    json_file: Annotated[
        Path | None,
        Parameter(name="--json", allow_leading_hyphen=True, help="JSON file to write; - prints JSON and nothing else."),
    ] = None,
    plot: Annotated[
        Path | None, Parameter(help="Figure to write, PNG or SVG: cost over batch, time and slots where they vary.")
    ] = None,
) -> None:
    """Measure models, backend beside backend, and print a table or JSON."""
    _check_files(json_file, plot)
    if plot is not None and all(len(set(sizes)) < 2 for sizes in (batch, time, slots)):
        raise UsageError(
            "--plot draws cost over sizes, but all are single; give two or more of --batch, --time or --slots"
        )
    if not seconds > 0:
        raise UsageError(f"--seconds is {seconds:g}, but it is a length of time and must be positive; give more than 0")

    from memtape.experiments.bench.measure import comparisons, measured, surroundings

    groups = comparisons(
        models,
        batch=batch,
        time=time,
        slots=slots,
        backend=backend,
        mode=mode,
        options={name.replace("-", "_"): value for name, value in (model or {}).items()},
        threads=threads,
        device=device,
    )
    environment = surroundings(threads)
    rows = []
    with _progress() as progress:
        for group in progress.track(groups, description="measuring"):
            rows += measured(group, seconds=seconds)
    text = json.dumps({"environment": environment, "rows": rows}, indent=2)
    if json_file == STANDARD_OUTPUT:
        print(text)
    else:
        _print_table(rows)
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


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    columns = {
        **dict.fromkeys(("model", "mode", "backend", "batch", "time", "slots"), ""),
        "ms_per_step": ".4g",
        "spread": ".0%",
        "ratio": ".2f",
        "peak_mib": ".1f",
    }
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        words = name in ("model", "mode", "backend")
        head = name.replace("_", " ").replace("mib", "MiB")
        table.add_column(head, justify="left" if words else "right", overflow="fold", no_wrap=words)
    for row in rows:
        table.add_row(*(_cell(row[name], form) for name, form in columns.items()))
    Console().print(table)
    for model, backend in dict.fromkeys((row["model"], row["backend"]) for row in rows):
        if backend in ("cpu", "triton") and not any(row["fused"] for row in rows if row["model"] == model):
            print(f"{model} has no fused twin on {backend}; it takes the single steps of the reference there")


def _cell(value: Any, form: str) -> str:
    return "\N{EN DASH}" if value is None else format(value, form)


def _check_files(json_file: Path | None, plot: Path | None) -> None:
    """Refuse files that cannot be written before minutes are spent on what goes into them."""
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
