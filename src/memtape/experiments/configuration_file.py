"""Configuration file: write an experiment as TOML for `--config`."""

import json
from typing import Any

from memtape.experiments.experiment import Experiment


def as_toml(experiment: Experiment, remark: str) -> str:
    """Return an experiment without its seed as a TOML file for `memtape train MODEL TASK --config FILE`.

    Options without a value are omitted, since TOML has no null; "none" is their default.

    Args:
        experiment: the experiment to write.
        remark: a line at the top.
    """
    lines = [f"# {remark}"]
    if experiment.recipe is not None:
        lines.append(f"recipe = {_literal(experiment.recipe)}")
    config = experiment.config()
    for table, part in (("model", "model_options"), ("task", "task_options"), ("train", "train")):
        lines += ["", f"[{table}]"]
        lines += [f"{name} = {_literal(value)}" for name, value in config[part].items() if value is not None]
    return "\n".join(lines) + "\n"


def _literal(value: Any) -> str:
    return repr(value) if isinstance(value, float) else json.dumps(value)
