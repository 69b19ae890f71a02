"""`memtape report`: redraw the figures and the report of a run."""

from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from memtape.cli.terminal import print_visible


def report(run: Annotated[Path, Parameter(help="Run folder, as `memtape train` named it.")], /) -> None:
    """Redraw the figures of a run, write its report.html, and print its path."""
    from memtape.experiments.report import report_run

    print_visible(str(report_run(run, warn=partial(print_visible, error=True))))
