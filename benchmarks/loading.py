"""Loading: what files from elsewhere can do, and whether anything here is a pickle.

    python benchmarks/loading.py

trains a small machine, ends it early, resumes, evaluates, draws, shares, loads and sweeps it under an audit hook that counts
unpickled names; then gives every reader of files (a run, a checkpoint, a shared network, a configuration, a sweep) hostile ones,
each in a process of its own: pickles, headers and sizes beyond measure, nested brackets, names of code, links, pipes. A file is
refused rightly if the command ends with one sentence, and nothing in it was run. At last, large honest files are loaded, and the
most memory that it takes is compared with their size.
"""

import json
import os
import pickle
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from crash import FAULT, without_figures
from safetensors.torch import load_file, save, save_file

import memtape
from memtape.cli.main import run as carry_out
from memtape.core.manifest import MANIFEST, DamagedError, write_manifest
from memtape.models.shared_folder import SharingError
from memtape.recipes import reporting, running, workers
from memtape.recipes.experiment import Experiment
from memtape.recipes.peak_memory import peak_of, return_freed_memory_at_once
from memtape.recipes.proposals import Proposals
from memtape.recipes.running import evaluate_run, open_run, resume_run, train_run
from memtape.recipes.sharing import save_run
from memtape.recipes.space import Choices, Space
from memtape.training.checkpoints import Checkpoints
from memtape.training.interruption import Interruption
from memtape.training.runs import FINAL
from memtape.training.settings import TrainSettings

MIB = 2**20
PATIENCE = 20
"""Seconds after which a reader counts as hanging."""
ALLOWED = 64 * MIB
"""Memory that a reader may take for a small file, most of it for libraries that are loaded late."""
MOST = 2.01
"""Times the size of large files that loading them may take."""

TINY = Experiment(
    model="ntm",
    task="copy",
    model_options={"slots": 6, "width": 4, "controller_size": 8},
    task_options={"bits": 2, "max_length": 3},
    train=TrainSettings(
        steps=4, batch_size=2, validate_every=2, validation_sequences=2, tbptt=2, carry=True, device="cpu", keep=1
    ),
)
LARGE = replace(TINY, model="lstm", model_options={"hidden_size": 512, "layers": 3})


def ignore(*_: Any) -> None:
    pass


def train(experiment: Experiment, folder: Path, until: int) -> None:
    """Train an experiment, to its end or to an interruption."""
    wish = Interruption()

    def watch(step: int, _: dict[str, float]) -> None:
        wish.asked = step == until

    train_run(experiment, folder, record=ignore, watch=watch, interruption=wish)


def resume(folder: Path) -> None:
    resume_run(folder, begin=ignore, record=ignore, watch=ignore, tell=ignore)


# Pickle


def count_pickles(place: Path) -> dict[str, int]:
    """Do everything that reads or writes files, and count the names that are unpickled meanwhile; an audit hook stays for good."""
    stage, counts = [""], {"a pickle, to see that it is counted": 0}

    def hook(event: str, _: Any) -> None:
        if event.startswith("pickle."):
            counts[stage[0]] += 1

    @contextmanager
    def during(name: str) -> Iterator[None]:
        before, stage[0] = stage[0], name
        counts.setdefault(name, 0)
        yield
        stage[0] = before

    save_whole = Checkpoints.save

    def save_and_tell(*words: Any) -> None:
        with during("save"):
            save_whole(*words)

    Checkpoints.save = save_and_tell  # type: ignore[method-assign]
    sys.addaudithook(hook)
    run = place / "run"
    with during("train"):
        train(TINY, run, until=3)
    with during("resume"):
        resume(run)
    with during("evaluate"):
        evaluate_run(run, [2], sequences=2, task_options={})
    with during("report"):
        reporting.write_run_report(*open_run(run, {}))
    with during("share"):
        save_run(run, place / "network")
    with during("load"):
        memtape.NTM.from_pretrained(place / "network")
    with during("sweep"):
        space = Space(trials=2, options={"model.slots": Choices(values=(4, 6))})
        for _ in range(2):
            proposals = Proposals(place / "journal.jsonl", space, seed=0)
            proposals.propose()
            proposals.answer(proposals.answered(), 1.0)
    stage[0] = "a pickle, to see that it is counted"
    pickle.loads(pickle.dumps(Path))
    return counts


# Hostile files


class Evil:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.trace),)


@dataclass(frozen=True)
class Hostile:
    """A folder or file that anyone could have made."""

    name: str
    reader: str
    change: Callable[[Path], Any]


def header(tensors: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = tensors if isinstance(tensors, bytes) else json.dumps(tensors).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(begin: int, end: int, *shape: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


DEEP = b"[" * 100_000
NO_TENSORS: dict[str, bytes] = {
    "nothing": b"",
    "a header of 2^60 bytes": header({}, length=2**60),
    "a header longer than the file": header({}, length=10_000),
    "a header of brackets": header(DEEP),
    "a header that is no text": header(b"\xff\xfe\x00"),
    "a tensor of 10^12 numbers": header({"x": entry(0, 4 * 10**12, 10**12)}),
    "a tensor of 10^12 numbers in 4 bytes": header({"x": entry(0, 4, 10**12)}, b"1234"),
    "a shape that overflows": header({"x": entry(0, 4, 2**62, 2**62)}, b"1234"),
    "tensors over one another": header({"x": entry(0, 8, 2), "y": entry(4, 12, 2)}, bytes(12)),
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
SIZES: dict[str, tuple[str, Any]] = {
    "10^9 slots": ("slots", 10**9),
    "10^12 slots": ("slots", 10**12),
    "10^400 slots": ("slots", 10**400),
    "a controller of 10^6": ("controller_size", 10**6),
    "10^6 layers": ("controller_layers", 10**6),
    "infinitely many slots": ("slots", float("inf")),
    "slots in words": ("slots", "many"),
    "slots in a list": ("slots", [4]),
    "a _target_": ("_target_", "os.system"),
    "a class_path": ("class_path", "os.system"),
}
TASK_SIZES: dict[str, tuple[str, Any]] = {
    "10^9 bits": ("bits", 10**9),
    "10^400 bits": ("bits", 10**400),
    "bits in words": ("bits", "x"),
}
NO_SETTINGS: dict[str, Any] = {
    "a seed of 10^400": {"seed": 10**400},
    "a seed in words": {"seed": "x"},
    "a model that names code": {"model": "os.system"},
    "a model that is a list": {"model": []},
    "options that are a list": {"model_options": [1]},
    "a batch in words": {"train": {"batch_size": "x"}},
    "a train that is none": {"train": None},
    "more than there is": {"_target_": "os.system"},
}
NO_MANIFESTS: dict[str, Any] = {
    "a name above": "../config.json",
    "an absolute name": "/etc/passwd",
    "a name of a device": "/dev/zero",
    "a name with a zero": "a\0b",
}


def catalogue(trace: Path) -> Iterator[Hostile]:
    """Yield all hostile files for all readers."""
    places: dict[str, tuple[Callable[[Path], Path], str, Callable[[Path], None]]] = {
        "run": (lambda run: run, "weights.safetensors", seal),
        "checkpoint": (checkpoint_of, "weights.safetensors", seal),
        "network": (lambda network: network, "model.safetensors", seal),
    }
    not_tensors = {**NO_TENSORS, "a pickle": pickle.dumps(Evil(trace)), "a file of torch.save": torch_saved(trace)}
    for reader, (inside, weights, close) in places.items():

        def put(name: str, content: bytes, inside: Any = inside, close: Any = close) -> Callable[[Path], None]:
            return lambda folder: ((inside(folder) / name).write_bytes(content), close(inside(folder)))

        def edit(change: Callable[[Any], None], inside: Any = inside, close: Any = close) -> Callable[[Path], None]:
            return lambda folder: (rewrite(inside(folder) / "config.json", change), close(inside(folder)))

        def become(name: str, make: Callable[[Path], Any], inside: Any = inside) -> Callable[[Path], None]:
            return lambda folder: ((inside(folder) / name).unlink(), make(inside(folder) / name))

        for name, content in not_tensors.items():
            yield Hostile(f"weights: {name}", reader, put(weights, content))
        for name, content in NO_CONFIGURATIONS.items():
            yield Hostile(f"configuration: {name}", reader, put("config.json", content))
        options = "arguments" if reader == "network" else "model_options"
        for name, (option, value) in SIZES.items():
            yield Hostile(
                f"configuration: {name}",
                reader,
                edit(lambda config, option=option, value=value: config[options].update({option: value})),
            )
        for kind, make in {
            "a pipe": os.mkfifo,
            "a link to a device": lambda path: path.symlink_to("/dev/zero"),
            "a folder": os.mkdir,
        }.items():
            for name in (weights, "config.json", MANIFEST):
                yield Hostile(f"{kind} as {name.split('.')[0]}", reader, become(name, make))
        for name, target in NO_MANIFESTS.items():
            yield Hostile(
                f"manifest: {name}", reader, lambda folder, target=target, inside=inside: forge(inside(folder), target)
            )
        if reader != "network":
            for name, values in NO_SETTINGS.items():
                yield Hostile(
                    f"configuration: {name}", reader, edit(lambda config, values=values: config.update(values))
                )
            for name, (option, value) in TASK_SIZES.items():
                yield Hostile(
                    f"configuration: {name}",
                    reader,
                    edit(lambda config, option=option, value=value: config["task_options"].update({option: value})),
                )
    for name in ("pytorch_model.bin", "model.pt", "model.pth", "last.ckpt", "weights.pkl"):
        yield Hostile(
            f"weights: {name}",
            "network",
            lambda folder, name=name: (
                (folder / "model.safetensors").unlink(),
                (folder / name).write_bytes(pickle.dumps(Evil(trace))),
            ),
        )
    for file, content in {
        "result.json": b"[]",
        "evaluation.json": b'[{"length": "x"}]',
        "environment.json": b'{"commit": {}}',
        "metrics.jsonl": b'{"kind": "train"}\n',
    }.items():
        for text in (content, DEEP + b"\n", b"9" * 100_000 + b"\n"):
            yield Hostile(
                f"{file}: {text[:12]!r}",
                "report",
                lambda run, file=file, text=text: ((run / file).write_bytes(text), seal(run)),
            )
    yield from checkpoints_of_another_kind()
    for name, text in {
        "brackets": b"x = " + DEEP,
        "no text": b"\xff",
        "10^12 slots": b"[model]\nslots = 1000000000000\n",
        "a _target_": b'_target_ = "os.system"\n[model]\n_target_ = "os.system"\n',
        "a class_path": b'[train]\nclass_path = "os.system"\n',
        "a list of models": b"[[model]]\nslots = 3\n",
        "a recipe that names code": b'recipe = "os.system"\n',
        "infinitely many slots": b"[model]\nslots = inf\n",
    }.items():
        yield Hostile(f"configuration file: {name}", "config", lambda file, text=text: file.write_bytes(text))
    for name, text in {"brackets": DEEP, "a list": b"[]", "another sweep": b'{"model": "os.system"}'}.items():
        yield Hostile(
            f"sweep.json: {name}", "sweep", lambda folder, text=text: (folder / "sweep.json").write_bytes(text)
        )
    for name, text in {
        "brackets": DEEP + b"\n",
        "a list": b"[]\n",
        "another operation": b'{"op_code": 77, "worker_id": "x"}\n',
        "an empty table": b"{}\n",
    }.items():
        yield Hostile(
            f"journal: {name}", "sweep", lambda folder, text=text: (folder / "journal.jsonl").write_bytes(text)
        )
    for name, text in {"brackets": DEEP, "a list": b"[]", "no scores": b'{"solved": true}'}.items():
        yield Hostile(
            f"result in a sweep: {name}",
            "sweep",
            lambda folder, text=text: next(folder.rglob("result.json")).write_bytes(text),
        )


def checkpoints_of_another_kind() -> Iterator[Hostile]:
    """Yield checkpoints whose manifest is right, and whose files do not belong to the training."""

    def tensors(name: str, change: Callable[[dict[str, torch.Tensor]], Any]) -> Callable[[Path], None]:
        def work(run: Path) -> None:
            values = load_file(checkpoint_of(run) / name)
            change(values)
            save_file(values, checkpoint_of(run) / name)
            seal(checkpoint_of(run))

        return work

    def plain(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
        return lambda run: (rewrite(checkpoint_of(run) / name, change), seal(checkpoint_of(run)))

    first = "process-0.safetensors"
    changes = {
        "progress: another step": plain("progress.json", lambda it: it.update(step=10**9)),
        "progress: a batch in words": plain("progress.json", lambda it: it.update(batch="x")),
        "progress: a name too many": plain("progress.json", lambda it: it.update(_target_="os.system")),
        "progress: scores without a cost": plain("progress.json", lambda it: it.update(best={})),
        "process: no generator": plain("process-0.json", lambda it: it.update(python=[3, [1], None])),
        "process: numpy beyond its words": plain("process-0.json", lambda it: it["numpy"]["state"].update(pos=10**6)),
        "process: numpy with few words": plain("process-0.json", lambda it: it["numpy"]["state"].update(key=[1])),
        "process: numpy of another kind": plain("process-0.json", lambda it: it["numpy"].update(bit_generator="os")),
        "process: nothing": plain("process-0.json", lambda it: it.clear()),
        "process: no state of torch": tensors(first, lambda it: it.update({"random.torch": torch.zeros(3)})),
        "process: a state that is carried nowhere": tensors(
            first, lambda it: it.update({"carried.x": torch.zeros(2, 3)})
        ),
        "process: a carried state of another size": tensors(
            first, lambda it: it.update({name: torch.zeros(2, 99) for name in it if name.startswith("carried.")})
        ),
        "best: of another network": tensors("best.safetensors", lambda it: it.update(x=torch.zeros(1))),
        "optimiser: of no parameter": tensors(
            "optimizer.safetensors", lambda it: it.update({"999.step": torch.zeros(())})
        ),
        "optimiser: of no name": tensors("optimizer.safetensors", lambda it: it.update({"x": torch.zeros(())})),
        "optimiser: another shape": tensors(
            "optimizer.safetensors", lambda it: it.update({name: torch.zeros(99) for name in it if "exp_avg" in name})
        ),
        "optimiser: a part missing": tensors("optimizer.safetensors", lambda it: it.pop("0.exp_avg")),
    }
    for name, change in changes.items():
        yield Hostile(name, "checkpoint", change)
    for name in ("process-0.json", "progress.json", "optimizer.safetensors"):
        yield Hostile(
            f"without {name}",
            "checkpoint",
            lambda run, name=name: ((checkpoint_of(run) / name).unlink(), seal(checkpoint_of(run))),
        )


def torch_saved(trace: Path) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        torch.save(Evil(trace), file.name)
        return Path(file.name).read_bytes()


def checkpoint_of(run: Path) -> Path:
    return max((run / "checkpoints").iterdir())


def seal(folder: Path) -> None:
    """Write a manifest with the right digests of what is there now."""
    own = FINAL if (folder / "evaluation.json").exists() else [path.name for path in folder.iterdir() if path.is_file()]
    write_manifest(folder, [name for name in own if name != MANIFEST])


def forge(folder: Path, name: str) -> None:
    """Write a manifest with a name that leads out of the folder, sealed as memtape seals it."""
    content = json.loads((folder / MANIFEST).read_text())
    del content["sha256"]
    content["files"][name] = {"bytes": 3, "sha256": "0" * 64}
    (folder / MANIFEST).write_bytes(memtape.core.manifest._sealed(content))


def rewrite(file: Path, change: Callable[[Any], Any]) -> None:
    values = json.loads(file.read_text())
    change(values)
    sys.set_int_max_str_digits(0)
    file.write_text(json.dumps(values))
    sys.set_int_max_str_digits(4300)


def read_network(folder: Path) -> int:
    try:
        memtape.NTM.from_pretrained(folder)
    except (SharingError, DamagedError) as error:
        print(f"memtape: {error}", file=sys.stderr)
        return 2
    return 0


def draw(run: Path) -> int:
    running.write_run_report = reporting.write_run_report
    return carry_out(["report", str(run)])


SMALL = ["--task.bits", "2", "--train.steps", "2", "--train.batch-size", "2", "--train.device", "cpu"]
READERS: dict[str, tuple[str, Callable[[Path], int]]] = {
    "run": ("run", lambda folder: carry_out(["evaluate", str(folder), "--lengths", "2", "--sequences", "2"])),
    "report": ("run", draw),
    "checkpoint": ("begun", lambda folder: carry_out(["resume", str(folder)])),
    "network": ("network", read_network),
    "config": (
        "config",
        lambda file: carry_out(["train", "ntm", "copy", *SMALL, "--config", str(file), "--out", f"{file}-run"]),
    ),
    "sweep": (
        "sweep",
        lambda folder: carry_out(
            [
                "sweep",
                "ntm",
                "copy",
                *SMALL,
                "--seeds",
                "1",
                "--space",
                str(folder.parent / "space.toml"),
                "--out",
                str(folder),
            ]
        ),
    ),
}


@dataclass(frozen=True)
class Attempt:
    """What came of a reading in a process of its own."""

    code: int
    told: str
    seconds: float
    grown: int
    """Bytes of memory beyond what the process began with."""


def high_water_mark() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def attempt(read: Callable[[], Any], place: Path) -> Attempt:
    """Read in a process of its own."""
    told, numbers = place / "told", place / "numbers"
    child = os.fork()
    if not child:
        code = FAULT
        try:
            signal.alarm(PATIENCE)
            with told.open("w") as file, open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(file.fileno(), 2)
                before, begun = high_water_mark(), time.perf_counter()
                code = read() or 0
                numbers.write_text(json.dumps([time.perf_counter() - begun, high_water_mark() - before]))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seconds, grown = json.loads(numbers.read_text()) if numbers.exists() else (PATIENCE, 0)
    return Attempt(code, told.read_text(), seconds, grown)


def try_all(bases: dict[str, Path], place: Path) -> list[str]:
    """Give all readers all hostile files, print what came of them, and return what is wrong."""
    trace, wrong = place / "executed", []
    tried: dict[str, int] = {}
    refused: dict[str, int] = {}
    executed, slowest, largest = 0, 0.0, 0
    for hostile in catalogue(trace):
        base, read = READERS[hostile.reader]
        around = place / "around"
        shutil.rmtree(around, ignore_errors=True)
        shutil.copytree(bases[base].parent, around)
        target = around / bases[base].name
        hostile.change(target)
        done = attempt(lambda read=read, target=target: read(target), place)
        lines = done.told.splitlines() or [""]
        right = done.code in (1, 2) and lines[-1].startswith("memtape: ") and "Traceback" not in done.told
        tried[hostile.reader] = tried.get(hostile.reader, 0) + 1
        refused[hostile.reader] = refused.get(hostile.reader, 0) + right
        slowest, largest = max(slowest, done.seconds), max(largest, done.grown)
        if not right:
            wrong.append(f"{hostile.reader}: {hostile.name}: exit code {done.code}: {lines[-1][:300]}")
        if done.grown > ALLOWED:
            wrong.append(f"{hostile.reader}: {hostile.name}: took {done.grown / MIB:.0f} MiB")
        if trace.exists():
            wrong.append(f"{hostile.reader}: {hostile.name}: was executed")
            executed += 1
            trace.rmdir()
    print("\nhostile files          tried  refused in one sentence")
    for reader, number in [*tried.items(), ("together", sum(tried.values()))]:
        print(f"{reader:20}{number:8d}{refused.get(reader, sum(refused.values())):25d}")
    print(f"code executed: {executed}; slowest refusal: {slowest:.1f} s; most memory: {largest / MIB:.0f} MiB")
    return wrong


# Memory


def sizes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


class Reached(Exception):  # noqa: N818
    """The first update of a resumed training was done."""


def resume_one_update(run: Path) -> None:
    def stop(*_: Any) -> None:
        raise Reached

    try:
        resume_run(run, begin=ignore, record=ignore, watch=stop, tell=ignore)
    except Reached:
        return


def make(experiment: Experiment, place: Path) -> None:
    """Make a run that was ended early, a finished one, and its network to share."""
    train(experiment, place / "begun", until=3)
    shutil.copytree(place / "begun", place / "run")
    resume(place / "run")
    save_run(place / "run", place / "network")


def measure(place: Path) -> list[str]:
    """Load large honest files, print how much memory it takes, and return what is too much."""
    large, small = place / "large", place / "small"
    for folder, experiment in ((large, LARGE), (small, replace(LARGE, model_options={"hidden_size": 4}))):
        folder.mkdir()
        in_a_process_of_its_own(lambda folder=folder, experiment=experiment: make(experiment, folder), place / "made")
    readers: dict[str, tuple[int, Callable[[Path], Any]]] = {
        "a run": (sizes(large / "run"), lambda where: open_run(where / "run", {})),
        "a checkpoint, and one update": (
            sizes(checkpoint_of(large / "begun")),
            lambda where: resume_one_update(where / "begun"),
        ),
        "a network": (sizes(large / "network"), lambda where: memtape.StackedLSTM.from_pretrained(where / "network")),
    }
    wrong = []
    print("\nmemory                          MiB of files   most memory")
    for name, (size, read) in readers.items():

        def peak(read: Callable[[Path], Any] = read) -> float:
            read(small)  # loads what is loaded once
            return MIB * peak_of(lambda: read(large))

        most = in_a_process_of_its_own(peak, place / "peak") / size
        print(f"{name:32}{size / MIB:12.0f}{most:12.2f} x")
        wrong += [f"loading {name} takes {most:.2f} times its size"] if most > MOST else []
    return wrong


def in_a_process_of_its_own(work: Callable[[], Any], file: Path) -> Any:
    """Return what some work returns that a process cannot get rid of, such as an audit hook."""
    child = os.fork()
    if not child:
        try:
            file.write_text(json.dumps(work()))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return json.loads(file.read_text())


def main() -> int:
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    return_freed_memory_at_once()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        pickles = in_a_process_of_its_own(lambda: count_pickles(place / "pickles"), place / "pickles.json")
        for stage, number in pickles.items():
            print(f"unpickled names: {stage:40}{number:4d}")
        known = list(pickles)[0]
        wrong = [
            f"{number} names unpickled in {stage}" for stage, number in pickles.items() if stage != known and number
        ]
        wrong += [] if pickles[known] else ["the hook does not count"]

        bases = {name: place / f"of {name}" / name for name in ("run", "begun", "network", "config", "sweep")}
        for path in bases.values():
            path.parent.mkdir()
        train(TINY, bases["begun"], until=3)
        train(TINY, bases["run"], until=0)
        save_run(bases["run"], bases["network"])
        for older in sorted((bases["begun"] / "checkpoints").iterdir())[:-1]:
            shutil.rmtree(older)
        (bases["sweep"].parent / "space.toml").write_text("trials = 2\n[model]\nslots = [4, 6]\n")
        workers.COMMAND = (sys.executable, str(Path(__file__).parents[1] / "tests" / "stand_in.py"))
        attempt(lambda: READERS["sweep"][1](bases["sweep"]), place)
        wrong += try_all(bases, place)
        wrong += measure(place)
    for problem in wrong:
        print(problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    without_figures(lambda: sys.exit(main()))
