"""Seeds: train a recipe with several seeds and keep what came of each.

    python benchmarks/seeds.py ntm copy --seeds 0:10 --jobs 2

is `memtape sweep` with these words, and writes what came of it to `results/ntm-copy.json`.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from memtape.catalog.registry import find, recipe_for
from memtape.cli.experiments import DATA_DIR
from memtape.cli.main import run as carry_out
from memtape.experiments.run_folder.environment import environment
from memtape.experiments.run_folder.record import RunRecord

ROOT = Path(__file__).parent.parent


def row(told: dict[str, Any], trainings: Path) -> dict[str, Any]:
    """Return the row of the results for a row of the sweep's report."""
    if "failure" in told:
        return {"seed": told["seed"], "solved": False, "error": told["failure"]["last_line"]}
    run = RunRecord.read(trainings / f"seed{told['seed']}")
    scored = [score.name for score in run.scored]
    metrics = {f"validation_{name}": told[name] for name in scored}
    for result in run.evaluation:
        for name in reversed(scored):
            metrics[f"{name}_{result.get('length', 'test')}"] = round(result[name], 4)
    names = ("seed", "solved", "solved_step", "steps", "sequences", "restarts")
    return {**{name: told[name] for name in names}, "seconds": round(told["seconds"], 1), "metrics": metrics}


def command(words: list[str], with_data: bool) -> str:
    """Return the command that trains the same again elsewhere, without the places of this machine."""
    own = {place + more for place, word in enumerate(words) if word in ("--out", "--data-dir") for more in (0, 1)}
    kept = [word for place, word in enumerate(words) if place not in own]
    real = with_data and ("--data-dir" in words or "MEMTAPE_DATA_DIR" in os.environ)
    return " ".join(["python benchmarks/seeds.py", *kept, *(["--data-dir", "DATA_DIR"] if real else [])])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("task")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time")
    parser.add_argument("--recipe", help="another recipe than the first one of the two")
    parser.add_argument("--out", type=Path, help="folder of the sweep, to go on with it; else it is left nowhere")
    options, more = parser.parse_known_args()
    recipe = find("recipe", options.recipe) if options.recipe else recipe_for(options.model, options.task)
    name = recipe.name if recipe else f"{options.model}-{options.task}"
    words = [options.model, options.task, "--jobs", str(options.jobs), *more]
    if recipe:
        words += ["--recipe", recipe.name]
    where = environment()
    with tempfile.TemporaryDirectory() as nowhere:
        folder = options.out or Path(nowhere) / "sweep"
        if code := carry_out(["sweep", *words, "--out", str(folder)]):
            return code
        if not (folder / "report.json").is_file():
            return 0  # it was stopped
        report = json.loads((folder / "report.json").read_text())
        (only,) = report["configurations"]
        rows = [row(told, folder / "configurations" / "0000") for told in only["rows"]]
    written = {
        "model": options.model,
        "task": options.task,
        "recipe": name,
        "command": command(
            sys.argv[1:], DATA_DIR.name in {option.name for option in find("task", options.task).options}
        ),
        "commit": where["commit"],
        "hardware": f"{where['processor']}, {where['cores']} cores, {options.jobs} trainings at a time, 1 thread each",
        "environment": {key: where[key] for key in ("memtape", "python", "torch")},
        "published": dict(recipe.published) if recipe else {},
        "seeds": rows,
    }
    path = ROOT / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(written, indent=2) + "\n")
    print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
