"""`memtape doctor`: the versions, hardware and backends of this installation."""

import json

from memtape.cli.options import AsJson
from memtape.cli.table import print_table


def doctor(*, as_json: AsJson = False) -> None:
    """Print versions, threads, accelerator and backends, and why a backend is absent."""
    import memtape.kernels  # noqa: F401 - the import detects a library of another version
    from memtape.core.backends import backends
    from memtape.experiments.run_folder.environment import environment

    found = environment()
    present = backends()
    if as_json:
        print(json.dumps({"environment": found, "backends": present}, indent=2))
        return
    facts = {name: "none" if value is None else str(value) for name, value in found.items()}
    for name, absent in present.items():
        facts[f"backend {name}"] = "present" if absent is None else f"absent: {absent}"
    print_table([{"what": name, "value": value} for name, value in facts.items()], folded=["value"], header=False)
