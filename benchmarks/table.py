"""Table: write the results in `results/` into the README.

    python benchmarks/table.py

replaces what stands between the two marks in README.md.
"""

import json
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def row(result: dict[str, Any]) -> str:
    """Return the line of one result."""
    seeds = result["seeds"]
    finished = [seed for seed in seeds if "metrics" in seed]
    lengths = [name.removeprefix("wrong_bits_") for name in finished[0]["metrics"] if name.startswith("wrong_bits_")]
    wrong = " / ".join(
        f"{median(seed['metrics'][f'wrong_bits_{length}'] for seed in finished):.2f} at {length}" for length in lengths
    )
    solved = sum(seed["solved"] for seed in seeds)
    minutes = median(seed["seconds"] for seed in finished) / 60
    cost = median(seed["metrics"]["validation_cost_bits"] for seed in finished)
    published = result["published"].get("cost_bits", {})
    told = ", ".join(f"{name} {value:g}" for name, value in published.items())
    return f"| {result['recipe']} | {solved} of {len(seeds)} | {minutes:.1f} | {cost:.2f} | {told} | {wrong} |"


def table() -> str:
    """Return the table of all results."""
    results = [json.loads(path.read_text()) for path in sorted((ROOT / "results").glob("*.json"))]
    head = (
        "| recipe | seeds solved | minutes | bits per sequence | published | wrong bits per sequence, by length |\n"
        "|---|--:|--:|--:|---|---|"
    )
    return "\n".join([head, *(row(result) for result in results)])


def write(readme: str) -> str:
    """Return a README with its table made anew."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(write(path.read_text()))
