"""`memtape resume`: go on with a training that was ended early."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def resume(run: Annotated[Path, Parameter(help="Run folder, as `memtape train` named it.")], /) -> int:
    """Go on with a training exactly where its last sound checkpoint stands.

    Weights, optimiser and metrics come out as if it had never been ended, on the same machine with the same number of
    threads and processes.
    """
    from memtape.cli.training import carry_on

    return carry_on(run)
