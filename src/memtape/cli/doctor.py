"""`memtape doctor`: what this installation can do, and why not more."""

import json

from rich.console import Console
from rich.table import Table

from memtape.cli.lists import AsJson


def doctor(*, as_json: AsJson = False) -> None:
    """Print versions, threads, accelerator and backends, and why a backend is absent."""
    import memtape.kernels  # noqa: F401 - a library of another version is known by what the kernels expect
    from memtape.core.backends import backends
    from memtape.experiments.run_folder.folder import environment

    found = environment()
    present = backends()
    if as_json:
        print(json.dumps({"environment": found, "backends": present}, indent=2))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in found.items():
        table.add_row(name, "none" if value is None else str(value))
    for name, absent in present.items():
        table.add_row(f"backend {name}", "present" if absent is None else f"absent: {absent}")
    Console().print(table)
