"""A fake of `memtape train` and `memtape resume` for tests that need many training runs: it writes their files at once.

The cost is the learning rate times 100, plus the seed. A learning rate of 0.5 makes the run fail, 0.25 kills it, and
0.125 kills it four times, each time after a checkpoint. The script appends its calls to a file beside the run folder,
and waits for FAKE_TRAINING_SECONDS seconds.
"""

import hashlib
import json
import os
import signal
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path


def main() -> None:
    assert os.getsid(0) == os.getpid(), "the keyboard would interrupt this training run, and not the sweep alone"
    command, *words = sys.argv[1:]
    folder = Path(words[0] if command == "resume" else words[words.index("--out") + 1])
    with folder.with_name("calls").open("a") as calls:
        calls.write(f"{command} {folder.name} {os.environ['OMP_NUM_THREADS']}\n")
    if command == "train":
        options = tomllib.loads(Path(words[words.index("--config") + 1]).read_text())
        config = {"seed": int(words[words.index("--seed") + 1]), "rate": options["train"]["learning_rate"]}
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))
    if (folder / "broken").exists():
        sys.exit("memtape: no checkpoint can be read")
    config = json.loads((folder / "config.json").read_text())
    print("update 1", file=sys.stderr)
    if config["rate"] == 0.5:
        sys.exit("memtape: the loss at update 2 is not finite")
    checkpoints = folder / "checkpoints"
    saved = len(list(checkpoints.iterdir())) if checkpoints.exists() else 0
    if config["rate"] == 0.25 or (config["rate"] == 0.125 and saved < 4):
        if config["rate"] == 0.125:
            (checkpoints / f"step-{saved}").mkdir(parents=True)
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(float(os.environ.get("FAKE_TRAINING_SECONDS", "0")))
    scores = {"cost_bits": 100 * config["rate"] + config["seed"], "wrong_bits": float(config["seed"])}
    records = [{"kind": "validation", "step": step, "sequences": 16 * step, **scores} for step in (1, 2)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    solved = config["seed"] == 0
    outcome = {"solved": solved, "solved_step": 2 if solved else None, "steps": 2, "sequences": 32, "restarts": 0}
    (folder / "result.json").write_text(json.dumps({**outcome, "seconds": time.monotonic(), "scores": scores}))
    (folder / "evaluation.json").write_text(json.dumps([{"length": 20, "sequences": 2, **scores}]))
    write_manifest(folder, ("config.json", "metrics.jsonl", "result.json", "evaluation.json"))
    (folder / "report.html").touch()


def write_manifest(folder: Path, names: Sequence[str]) -> None:
    """Write a manifest in memtape's format, without importing memtape, which takes seconds."""
    contents = {name: (folder / name).read_bytes() for name in names}
    files = {name: {"bytes": len(content), "sha256": digest(content)} for name, content in contents.items()}
    rest = {"format": 1, "files": files}
    (folder / "manifest.json").write_bytes(canonical({**rest, "sha256": digest(canonical(rest))}))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def canonical(value: dict) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


if __name__ == "__main__":
    main()
