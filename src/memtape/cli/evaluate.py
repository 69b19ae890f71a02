"""`memtape evaluate`: score a trained run at given lengths."""

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from memtape.cli.experiments import usual_data_dir
from memtape.cli.lists import AsJson


def evaluate(
    run: Annotated[Path, Parameter(help="Run folder, as `memtape train` named it.")],
    /,
    *,
    lengths: Annotated[
        list[int] | None,
        Parameter(consume_multiple=True, help="Lengths to score, in the task's unit; without them, those of the task."),
    ] = None,
    sequences: Annotated[
        int | None,
        Parameter(
            help="Sequences of each length; without it, all of a test set, and 100 where they are drawn without end."
        ),
    ] = None,
    slots: Annotated[
        int | None, Parameter(help="Slots of the memory, of a network that was trained with fewer or more.")
    ] = None,
    task: Annotated[
        dict[str, int | float | bool | str] | None,
        Parameter(help="Options of the task to change, such as --task.max_repeats 20."),
    ] = None,
    data_dir: Annotated[
        Path | None,
        Parameter(
            help="Folder with the data of a run that was trained on data; without it MEMTAPE_DATA_DIR, or that of training."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a trained run at given lengths, also far beyond those that it was trained on.

    The scores are those of the task, over sequences that training never saw.
    """
    from memtape.cli.training import results_table
    from memtape.experiments.run import evaluate_run

    changes = {name.replace("-", "_"): value for name, value in (task or {}).items()}
    if data_dir is not None:
        changes["data_dir"] = str(data_dir.absolute())
    scored = evaluate_run(
        run,
        lengths,
        sequences=sequences,
        task_options=changes,
        data_dir=usual_data_dir(),
        slots=slots,
    )
    if as_json:
        print(json.dumps(scored))
    else:
        results_table(scored["results"])
