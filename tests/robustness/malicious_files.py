"""Malicious files for every reader of files; tests/robustness/loading.py tests them."""

import json
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save, save_file

import memtape
from memtape.core.manifest import MANIFEST, write_manifest
from memtape.experiments.run_folder.folder import FINAL

MIB = 2**20


class MaliciousPickle:
    """Write a trace file when it is unpickled."""

    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


@dataclass(frozen=True)
class MaliciousFile:
    """A malicious folder or file."""

    name: str
    reader: str
    change: Callable[[Path], Any]


def header(tensors: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = tensors if isinstance(tensors, bytes) else json.dumps(tensors).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(start: int, stop: int, *shape: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


DEEP = b"[" * 100_000
NO_TENSORS: dict[str, bytes] = {
    "nothing": b"",
    "a header of 2^60 bytes": header({}, length=2**60),
    "a header longer than the file": header({}, length=10_000),
    "a header of brackets": header(DEEP),
    "a header that is not text": header(b"\xff\xfe\x00"),
    "a tensor of 10^12 numbers": header({"x": entry(0, 4 * 10**12, 10**12)}),
    "a tensor of 10^12 numbers in 4 bytes": header({"x": entry(0, 4, 10**12)}, b"1234"),
    "a shape that overflows": header({"x": entry(0, 4, 2**62, 2**62)}, b"1234"),
    "overlapping tensors": header({"x": entry(0, 8, 2), "y": entry(4, 12, 2)}, bytes(12)),
    "one name twice": header(b'{"x":%b,"x":%b}' % ((json.dumps(entry(0, 4, 1)).encode(),) * 2), bytes(4)),
    "an unknown dtype": header({"x": entry(0, 4, 1, dtype="Q9")}, bytes(4)),
    "30,000 empty tensors": save({f"tensor {number:06d}": torch.zeros(0) for number in range(30_000)}),
    "other tensors": save({"x": torch.zeros(3)}),
}
NO_CONFIGURATIONS: dict[str, bytes] = {
    "brackets": DEEP,
    "braces": b'{"a":' * 100_000,
    "a number of 100,000 digits": b"9" * 100_000,
    "NaN": b"NaN",
    "no text": b"\xff\xfe",
    "a list": b"[]",
    "16 MiB of small lists": b"[" + b"[]," * (16 * MIB // 3) + b"[]]",
}
SIZES: dict[str, dict[str, Any]] = {
    "10^9 slots": {"slots": 10**9},
    "10^12 slots": {"slots": 10**12},
    "10^400 slots": {"slots": 10**400},
    "a controller of 10^6": {"controller_size": 10**6},
    "10^6 layers": {"controller_layers": 10**6},
    "infinitely many slots": {"slots": float("inf")},
    "slots as text": {"slots": "many"},
    "slots in a list": {"slots": [4]},
    "a _target_": {"_target_": "os.system"},
    "a class_path": {"class_path": "os.system"},
}
TASK_SIZES: dict[str, dict[str, Any]] = {
    "10^9 bits": {"bits": 10**9},
    "10^400 bits": {"bits": 10**400},
    "bits as text": {"bits": "x"},
}
NO_SETTINGS: dict[str, Any] = {
    "a seed of 10^400": {"seed": 10**400},
    "a seed as text": {"seed": "x"},
    "a model that names code": {"model": "os.system"},
    "a model that is a list": {"model": []},
    "options that are a list": {"model_options": [1]},
    "a batch size as text": {"train": {"batch_size": "x"}},
    "a null train": {"train": None},
    "an unknown key": {"_target_": "os.system"},
}
NO_MANIFESTS: dict[str, Any] = {
    "a name in the parent folder": "../config.json",
    "an absolute name": "/etc/passwd",
    "a name of a device": "/dev/zero",
    "a name with a zero": "a\0b",
}


NO_SETTINGS_FILES: dict[str, bytes] = {
    "brackets": b"x = " + DEEP,
    "no text": b"\xff",
    "10^12 slots": b"[model]\nslots = 1000000000000\n",
    "a _target_": b'_target_ = "os.system"\n[model]\n_target_ = "os.system"\n',
    "a class_path": b'[train]\nclass_path = "os.system"\n',
    "a list of models": b"[[model]]\nslots = 3\n",
    "a recipe that names code": b'recipe = "os.system"\n',
    "infinitely many slots": b"[model]\nslots = inf\n",
}


def catalogue(trace: Path) -> Iterator[MaliciousFile]:
    """Yield all malicious files for all readers; a pickle that is loaded writes the trace."""
    for reader, place, weights in (
        ("run", Path, "weights.safetensors"),
        ("checkpoint", checkpoint_of, "weights.safetensors"),
        ("network", Path, "model.safetensors"),
    ):
        for name, change in {
            **weights_of_no_network(weights, trace),
            **no_configurations("arguments" if reader == "network" else "model_options"),
            **(no_experiments() if reader != "network" else {}),
            **no_files(weights),
            **no_manifests(),
        }.items():
            yield MaliciousFile(name, reader, lambda folder, change=change, place=place: change(place(folder)))
    for name, change in pickles_in_place_of_weights(trace).items():
        yield MaliciousFile(name, "network", change)
    for name, change in no_results().items():
        yield MaliciousFile(name, "report", change)
    for name, change in checkpoints_of_another_kind().items():
        yield MaliciousFile(name, "checkpoint", lambda run, change=change: change(checkpoint_of(run)))
    for name, text in NO_SETTINGS_FILES.items():
        yield MaliciousFile(f"configuration file: {name}", "config", lambda file, text=text: file.write_bytes(text))
    for name, change in no_sweeps().items():
        yield MaliciousFile(name, "sweep", change)


Change = Callable[[Path], Any]
"""Changes a valid folder into a malicious one."""


def replacing_content(name: str, content: bytes) -> Change:
    """Return a change that replaces the contents of a file, with the correct digest."""

    def change(folder: Path) -> None:
        (folder / name).write_bytes(content)
        seal(folder)

    return change


def rewriting(name: str, edit: Callable[[Any], Any]) -> Change:
    """Return a change that edits a JSON file, with the correct digest."""

    def change(folder: Path) -> None:
        values = json.loads((folder / name).read_text())
        edit(values)
        sys.set_int_max_str_digits(0)
        (folder / name).write_text(json.dumps(values))
        sys.set_int_max_str_digits(sys.int_info.default_max_str_digits)
        seal(folder)

    return change


def editing_tensors(name: str, edit: Callable[[dict[str, torch.Tensor]], Any]) -> Change:
    """Return a change that edits a file of tensors, with the correct digest."""

    def change(folder: Path) -> None:
        values = load_file(folder / name)
        edit(values)
        save_file(values, folder / name)
        seal(folder)

    return change


def replacing(name: str, make: Callable[[Path], Any]) -> Change:
    """Return a change that replaces a file."""

    def change(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return change


def weights_of_no_network(file: str, trace: Path) -> dict[str, Change]:
    contents = {
        **NO_TENSORS,
        "a pickle": pickle.dumps(MaliciousPickle(trace)),
        "a file of torch.save": torch_saved(trace),
    }
    return {f"weights: {name}": replacing_content(file, content) for name, content in contents.items()}


def no_configurations(options: str) -> dict[str, Change]:
    contents = {name: replacing_content("config.json", content) for name, content in NO_CONFIGURATIONS.items()}
    sizes = {
        name: rewriting("config.json", lambda config, given=given: config[options].update(given))
        for name, given in SIZES.items()
    }
    return {f"configuration: {name}": change for name, change in {**contents, **sizes}.items()}


def no_experiments() -> dict[str, Change]:
    settings = {
        name: rewriting("config.json", lambda config, given=given: config.update(given))
        for name, given in NO_SETTINGS.items()
    }
    sizes = {
        name: rewriting("config.json", lambda config, given=given: config["task_options"].update(given))
        for name, given in TASK_SIZES.items()
    }
    return {f"configuration: {name}": change for name, change in {**settings, **sizes}.items()}


def no_files(weights: str) -> dict[str, Change]:
    makers: dict[str, Callable[[Path], Any]] = {
        "a pipe": os.mkfifo,
        "a link to a device": lambda path: path.symlink_to("/dev/zero"),
        "a folder": os.mkdir,
    }
    return {
        f"{kind} as {name}": replacing(name, make)
        for kind, make in makers.items()
        for name in (weights, "config.json", MANIFEST)
    }


def no_manifests() -> dict[str, Change]:
    return {
        f"manifest: {name}": lambda folder, target=target: forge(folder, target)
        for name, target in NO_MANIFESTS.items()
    }


def pickles_in_place_of_weights(trace: Path) -> dict[str, Change]:
    def change(folder: Path, name: str) -> None:
        (folder / "model.safetensors").unlink()
        (folder / name).write_bytes(pickle.dumps(MaliciousPickle(trace)))

    names = ("pytorch_model.bin", "model.pt", "model.pth", "last.ckpt", "weights.pkl")
    return {f"weights: {name}": lambda folder, name=name: change(folder, name) for name in names}


def no_results() -> dict[str, Change]:
    files = {
        "result.json": b"[]",
        "evaluation.json": b'[{"length": "x"}]',
        "environment.json": b'{"commit": {}}',
        "metrics.jsonl": b'{"kind": "train"}\n',
    }
    return {
        f"{file}: {text[:12]!r}": replacing_content(file, text)
        for file, content in files.items()
        for text in (content, DEEP + b"\n", b"9" * 100_000 + b"\n")
    }


def no_sweeps() -> dict[str, Change]:
    def result(folder: Path, text: bytes) -> None:
        next(folder.rglob("result.json")).write_bytes(text)

    plans = {"brackets": DEEP, "a list": b"[]", "another sweep": b'{"model": "os.system"}'}
    journals = {
        "brackets": DEEP + b"\n",
        "a list": b"[]\n",
        "another operation": b'{"op_code": 77, "worker_id": "x"}\n',
        "an empty table": b"{}\n",
    }
    results = {"brackets": DEEP, "a list": b"[]", "no scores": b'{"solved": true}'}
    return {
        **{f"plan: {it}": lambda at, text=text: (at / "sweep.json").write_bytes(text) for it, text in plans.items()},
        **{
            f"journal: {it}": lambda at, text=text: (at / "journal.jsonl").write_bytes(text)
            for it, text in journals.items()
        },
        **{f"result: {it}": lambda at, text=text: result(at, text) for it, text in results.items()},
    }


def checkpoints_of_another_kind() -> dict[str, Change]:
    """Return changes after which the manifest of a checkpoint is correct, but a file does not belong to the training
    run.
    """
    tensors, plain = editing_tensors, rewriting
    first = "process-0.safetensors"
    changes = {
        "progress: another step": plain("progress.json", lambda it: it.update(step=10**9)),
        "progress: a batch as text": plain("progress.json", lambda it: it.update(batch="x")),
        "progress: a name too many": plain("progress.json", lambda it: it.update(_target_="os.system")),
        "progress: scores without a cost": plain("progress.json", lambda it: it.update(best={})),
        "process: an invalid generator": plain("process-0.json", lambda it: it.update(python=[3, [1], None])),
        "process: numpy beyond its state": plain("process-0.json", lambda it: it["numpy"]["state"].update(pos=10**6)),
        "process: numpy with a short state": plain("process-0.json", lambda it: it["numpy"]["state"].update(key=[1])),
        "process: numpy of another kind": plain("process-0.json", lambda it: it["numpy"].update(bit_generator="os")),
        "process: nothing": plain("process-0.json", lambda it: it.clear()),
        "process: no state of torch": tensors(first, lambda it: it.update({"random.torch": torch.zeros(3)})),
        "process: a state without a network": tensors(first, lambda it: it.update({"carried.x": torch.zeros(2, 3)})),
        "process: a carried state of another size": tensors(
            first, lambda it: it.update({name: torch.zeros(2, 99) for name in it if name.startswith("carried.")})
        ),
        "best: of another network": tensors("best.safetensors", lambda it: it.update(x=torch.zeros(1))),
        "optimiser: of an unknown parameter": tensors(
            "optimizer.safetensors", lambda it: it.update({"999.step": torch.zeros(())})
        ),
        "optimiser: an unknown name": tensors("optimizer.safetensors", lambda it: it.update({"x": torch.zeros(())})),
        "optimiser: another shape": tensors(
            "optimizer.safetensors",
            lambda it: it.update({name: torch.zeros(99) for name in it if "square" in name or "_sq" in name}),
        ),
        "optimiser: a part missing": tensors("optimizer.safetensors", lambda it: it.pop(min(it))),
    }
    lost = ("process-0.json", "progress.json", "optimizer.safetensors")
    return {**changes, **{f"without {name}": removing(name) for name in lost}}


def removing(name: str) -> Change:
    """Return a change that removes a file, also from the manifest."""

    def change(folder: Path) -> None:
        (folder / name).unlink()
        seal(folder)

    return change


def torch_saved(trace: Path) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        torch.save(MaliciousPickle(trace), file.name)
        return Path(file.name).read_bytes()


def checkpoint_of(run: Path) -> Path:
    return max((run / "checkpoints").iterdir())


def seal(folder: Path) -> None:
    """Write a manifest with the correct digests of the current files."""
    own = FINAL if (folder / "evaluation.json").exists() else [path.name for path in folder.iterdir() if path.is_file()]
    write_manifest(folder, [name for name in own if name != MANIFEST])


def forge(folder: Path, name: str) -> None:
    """Write a manifest with a name outside of the folder, with a correct digest."""
    content = json.loads((folder / MANIFEST).read_text())
    del content["sha256"]
    content["files"][name] = {"bytes": 3, "sha256": "0" * 64}
    (folder / MANIFEST).write_bytes(memtape.core.manifest._sealed(content))
