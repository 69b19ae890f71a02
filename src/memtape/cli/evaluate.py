"""`memtape evaluate`: score a trained run at given lengths."""

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from memtape.cli.lists import AsJson


def evaluate(
    run: Annotated[Path, Parameter(help="Run folder, as `memtape train` named it.")],
    /,
    *,
    lengths: Annotated[
        list[int] | None,
        Parameter(consume_multiple=True, help="Lengths to score, in the task's unit; without them, those of the task."),
    ] = None,
    sequences: Annotated[int, Parameter(help="Sequences of each length.")] = 100,
    task: Annotated[
        dict[str, int | float | bool | str] | None,
        Parameter(help="Options of the task to change, such as --task.max_repeats 20."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a trained run at given lengths, also far beyond those that it was trained on.

    The cost is the cross-entropy of an answer in bits; a wrong bit is one that is wrong after thresholding. Both are
    averages over sequences that training never saw.
    """
    from memtape.cli.training import results_table
    from memtape.recipes.running import evaluate_run

    changes = {name.replace("-", "_"): value for name, value in (task or {}).items()}
    scored = evaluate_run(run, lengths, sequences=sequences, task_options=changes)
    if as_json:
        print(json.dumps(scored))
    else:
        results_table(scored["results"])
