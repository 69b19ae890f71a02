"""`memtape report`: draw the figures and the page of a run again."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def report(run: Annotated[Path, Parameter(help="Run folder, as `memtape train` named it.")], /) -> None:
    """Draw the figures of a run again, write its report.html, and print where that is."""
    from memtape.experiments.report import report_run

    print(report_run(run))
