"""`memtape resume`: continue an interrupted training run."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from memtape.cli.terminal import print_visible


def resume(run: Annotated[Path, Parameter(help="Run folder, as `memtape train` named it.")], /) -> int:
    """Continue a training run exactly from its last valid checkpoint.

    Weights, optimiser and metrics are the same as without the interruption, on the same machine with the same number of
    threads and processes.
    """
    from memtape.cli.progress_display import ProgressDisplay, print_outcome
    from memtape.experiments.resume import resume_run
    from memtape.training.interruption import interruption

    with interruption() as request, ProgressDisplay() as display:
        resumed, outcome = resume_run(
            run,
            on_start=display.start,
            on_record=display.on_record,
            on_step=display.on_step,
            warn=display.print,
            interruption=request,
        )
    if outcome is None:
        print_visible(f"the training run in {run} is finished; there is nothing to continue")
    elif display.shown:
        print_outcome(resumed, outcome)
    return 0
