"""Seeds: train a recipe with several seeds and keep what came of each.

    python benchmarks/seeds.py ntm copy --seeds 0:10 --jobs 2

runs `memtape train` once for each seed, each with one thread, and writes `results/ntm-copy.json`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from memtape.recipes.registry import find, recipe_for
from memtape.training.runs import environment

ROOT = Path(__file__).parent.parent


def train(words: list[str], seed: int, folder: Path) -> dict[str, Any]:
    """Train one seed in a process of its own and return its row of the results."""
    run = folder / str(seed)
    command = [sys.executable, "-m", "memtape", "train", *words, "--seed", str(seed), "--out", str(run)]
    finished = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    if finished.returncode:
        print(f"seed {seed} failed: {finished.stderr.strip().splitlines()[-1]}", flush=True)
        return {"seed": seed, "solved": False, "error": finished.stderr.strip().splitlines()[-1]}
    outcome = json.loads((run / "result.json").read_text())
    metrics: dict[str, Any] = {f"validation_{name}": value for name, value in outcome["scores"].items()}
    for result in json.loads((run / "evaluation.json").read_text()):
        for name in ("wrong_bits", "cost_bits"):
            metrics[f"{name}_{result['length']}"] = round(result[name], 4)
    row = {name: outcome[name] for name in ("solved", "solved_step", "steps", "sequences", "restarts")}
    print(f"seed {seed}: {row}, {metrics}", flush=True)
    return {"seed": seed, **row, "seconds": round(outcome["seconds"], 1), "metrics": metrics}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("task")
    parser.add_argument("--seeds", default="0:10", help="first:end, the end not included")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time")
    parser.add_argument("--recipe", help="another recipe than the first one of the two")
    options, more = parser.parse_known_args()
    first, end = (int(part) for part in options.seeds.split(":"))
    words = [options.model, options.task, *(["--recipe", options.recipe] if options.recipe else []), *more]

    recipe = find("recipe", options.recipe) if options.recipe else recipe_for(options.model, options.task)
    name = recipe.name if recipe else f"{options.model}-{options.task}"
    before = environment()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(lambda seed: train(words, seed, Path(folder)), range(first, end)))
    written = {
        "model": options.model,
        "task": options.task,
        "recipe": name,
        "command": f"python benchmarks/seeds.py {' '.join(sys.argv[1:])}",
        "commit": before["commit"],
        "hardware": f"{before['processor']}, {before['cores']} cores, {options.jobs} trainings at a time, 1 thread each",
        "environment": {key: before[key] for key in ("memtape", "python", "torch")},
        "published": dict(recipe.published) if recipe else {},
        "seeds": rows,
    }
    path = ROOT / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(written, indent=2) + "\n")
    print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
