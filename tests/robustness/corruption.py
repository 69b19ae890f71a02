"""Corruption: damage checkpoints, finished runs and shared networks at random and check that it is detected.

    python tests/robustness/corruption.py --corruptions 2000

trains a small machine, stops it after 40 of 60 steps, and then damages its newest checkpoint repeatedly: flipped bits,
truncated, lost, swapped and stale files, pages of zeros, links, folders of other names. A case is right if the damage
is detected, the message names the damaged file, and the previous checkpoint is used; two cases of each kind are resumed
to the end, which must have the same bits. A damaged finished run or shared network has no earlier version and must be
refused by name. Allowed changes are left out: a shared network may lack its manifest, and its card may be edited.
Finally, weights with flipped bits are loaded by safetensors and torch.load alone.
"""

import argparse
import io
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from crash import WORDS, fingerprint, fork, wait, without_figures

import memtape
from memtape.core.manifest import DamagedError
from memtape.experiments.open_run import open_run
from memtape.experiments.run_folder.folder import COPIED, FINAL, RunError
from memtape.experiments.run_folder.record import RunRecord
from memtape.sharing.shared_folder import SharingError
from memtape.training.checkpoints import Checkpoints

NEWEST, BEFORE, OLDER = "step-000000040", "step-000000038", "step-000000036"
NOWHERE = "step-000000041"
RESUMED = 2
"""Number of cases of each kind that are resumed to the end."""
FLIPS = 0.4
"""Share of single flipped bits among the cases."""
PAGE = 4096

Damage = Callable[[Path, Path, random.Random], list[Path]]
"""Damages a folder, given another of the same kind, and returns the paths of which one must be named."""


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def any_file(folder: Path, chooser: random.Random, least: int = 0) -> Path:
    return chooser.choice([path for path in files_of(folder) if path.stat().st_size >= least])


def flip_a_bit(folder: Path, _: Path, chooser: random.Random) -> list[Path]:
    path = any_file(folder, chooser, 1)
    content = bytearray(path.read_bytes())
    content[chooser.randrange(len(content))] ^= 1 << chooser.randrange(8)
    path.write_bytes(content)
    return [path]


def cut(folder: Path, _: Path, chooser: random.Random) -> list[Path]:
    path = any_file(folder, chooser, 1)
    os.truncate(path, chooser.choice([0, chooser.randrange(path.stat().st_size)]))
    return [path]


def zero_a_page(folder: Path, _: Path, chooser: random.Random) -> list[Path]:
    path = any_file(folder, chooser, 1)
    content = bytearray(path.read_bytes())
    start = PAGE * chooser.randrange(-(-len(content) // PAGE))
    content[start : start + PAGE] = bytes(len(content[start : start + PAGE]))
    path.write_bytes(content)
    return [path]


def append(folder: Path, _: Path, chooser: random.Random) -> list[Path]:
    path = any_file(folder, chooser)
    path.write_bytes(path.read_bytes() + chooser.randbytes(chooser.randint(1, 64)))
    return [path]


def swap(folder: Path, _: Path, chooser: random.Random) -> list[Path]:
    first, second = chooser.sample(files_of(folder), 2)
    contents = first.read_bytes(), second.read_bytes()
    first.write_bytes(contents[1])
    second.write_bytes(contents[0])
    return [first, second]


def lose(folder: Path, _: Path, chooser: random.Random) -> list[Path]:
    path = any_file(folder, chooser)
    path.unlink()
    return [path]


def mix(folder: Path, other: Path, chooser: random.Random) -> list[Path]:
    """Copy some files, from one to all except one, from the other folder; equal files do not count."""
    names = [path.name for path in files_of(folder) if (other / path.name).read_bytes() != path.read_bytes()]
    stale = chooser.sample(names, chooser.randint(1, len(names) - 1))
    for name in stale:
        shutil.copyfile(other / name, folder / name)
    # A stale manifest lists the stale files; then one of the other files must be named.
    return [folder / name for name in names if (name in stale) != ("manifest.json" in stale)]


def stale_manifest(folder: Path, other: Path, _: random.Random) -> list[Path]:
    shutil.copyfile(other / "manifest.json", folder / "manifest.json")
    return [path for path in files_of(folder) if (other / path.name).read_bytes() != path.read_bytes()]


def link(folder: Path, _: Path, chooser: random.Random) -> list[Path]:
    path = any_file(folder, chooser)
    elsewhere = folder.parent.parent / f"elsewhere-{path.name}"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)
    return [path]


def folder_for_file(folder: Path, _: Path, chooser: random.Random) -> list[Path]:
    path = any_file(folder, chooser)
    path.unlink()
    path.mkdir()
    return [path]


def pipe_for_file(folder: Path, _: Path, chooser: random.Random) -> list[Path]:
    path = any_file(folder, chooser)
    path.unlink()
    os.mkfifo(path)
    return [path]


def older_under_its_name(folder: Path, other: Path, chooser: random.Random) -> list[Path]:
    shutil.rmtree(folder)
    if chooser.random() < 0.5:
        shutil.copytree(other, folder)
    else:
        other.rename(folder)
    return [folder]


def under_another_name(folder: Path, _: Path, __: random.Random) -> list[Path]:
    moved = folder.rename(folder.with_name(NOWHERE))
    return [moved]


FILES: dict[str, Damage] = {
    "a flipped bit": flip_a_bit,
    "a file cut short": cut,
    "a page of zeros": zero_a_page,
    "bytes appended": append,
    "two files swapped": swap,
    "a file lost": lose,
    "files of another": mix,
    "the manifest of another": stale_manifest,
    "a link for a file": link,
    "a folder for a file": folder_for_file,
    "a pipe for a file": pipe_for_file,
}
FOLDERS: dict[str, Damage] = {
    "an older one in its place": older_under_its_name,
    "under another number": under_another_name,
}


@dataclass
class Count:
    """The results of one kind of damage."""

    tried: int = 0
    detected: int = 0
    named: int = 0
    fell_back: int = 0
    resumed: int = 0
    resumed_well: int = 0


def contents(folder: Path) -> dict[str, object]:
    """Return the contents of a folder, to detect damage without an effect."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        if path.is_file() and not path.is_symlink()
        else path.lstat().st_mode
        for path in folder.rglob("*")
    }


def kinds(kinds_there: dict[str, Damage], number: int, chooser: random.Random) -> Iterator[str]:
    """Draw the given number of kinds, uniformly except for flipped bits, which are more frequent."""
    others = [name for name in kinds_there if name != "a flipped bit"]
    for _ in range(number):
        yield "a flipped bit" if chooser.random() < FLIPS else chooser.choice(others)


def checkpoints_of(run: Path) -> Checkpoints:
    return Checkpoints(run / "checkpoints", {name: run / name for name in COPIED}, keep=3)


def damage_checkpoints(
    unfinished: Path, number: int, wanted: dict[str, str], chooser: random.Random
) -> dict[str, Count]:
    """Damage the newest checkpoint of a run the given number of times."""
    every = {**FILES, **FOLDERS}
    counts = {kind: Count() for kind in every}
    for kind in kinds(every, number, chooser):
        place = unfinished.with_name("damaged")
        while True:  # damage without an effect does not count
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(unfinished, place / "run")
            folder = place / "run" / "checkpoints"
            before = contents(folder)
            named = every[kind](folder / NEWEST, folder / BEFORE, chooser)
            if contents(folder) != before:
                break
        last_good = OLDER if not (folder / BEFORE).exists() else BEFORE
        found, _, messages = checkpoints_of(place / "run").newest()
        count = counts[kind]
        count.tried += 1
        count.detected += bool(messages)
        count.named += len(messages) == 1 and any(f"{path} " in messages[0] for path in named)
        count.fell_back += found is not None and found.progress.step == int(last_good.removeprefix("step-"))
        if count.resumed < RESUMED and sum(one.resumed for one in counts.values()) < number // 50:
            count.resumed += 1
            codes = wait(fork(["resume", str(place / "run")], 1, place))
            count.resumed_well += codes == [0] and fingerprint(place / "run") == wanted
    return counts


def read_run(folder: Path) -> None:
    """Read a finished run like `evaluate`, `report`, `share` and `runs` together."""
    open_run(folder)
    RunRecord.read(folder)


def damage_folders(
    whole: Path,
    other: Path,
    read: Callable[[Path], object],
    number: int,
    chooser: random.Random,
) -> dict[str, Count]:
    """Damage a folder without an earlier version the given number of times."""
    counts = {kind: Count() for kind in FILES}
    for kind in kinds(FILES, number, chooser):
        place = whole.with_name("damaged")
        while True:
            shutil.rmtree(place, ignore_errors=True)
            folder = shutil.copytree(whole, place / "below" / whole.name)
            named = FILES[kind](folder, other, chooser)
            if contents(folder) != contents(whole) and (read is read_run or (folder / "manifest.json").exists()):
                break
        count = counts[kind]
        count.tried += 1
        try:
            read(folder)
        except (RunError, SharingError, DamagedError) as error:
            count.detected += 1
            count.named += any(path.name in str(error) for path in named)
    return counts


def accepted(network: torch.nn.Module, number: int, chooser: random.Random) -> dict[str, int]:
    """Count the flipped bits of a file of weights that are loaded without an error."""
    buffer = io.BytesIO()
    torch.save(network.state_dict(), buffer)
    ways: dict[str, tuple[bytes, Callable[[bytes], dict[str, torch.Tensor]]]] = {
        "safetensors.torch.load": (safetensors.torch.save(network.state_dict()), safetensors.torch.load),
        "torch.load(weights_only=True)": (
            buffer.getvalue(),
            lambda content: torch.load(io.BytesIO(content), weights_only=True),
        ),
    }
    silent = dict.fromkeys(ways, 0)
    for name, (whole, load) in ways.items():
        for _ in range(number):
            content = bytearray(whole)
            content[chooser.randrange(len(content))] ^= 1 << chooser.randrange(8)
            try:
                network.load_state_dict(load(bytes(content)))
                silent[name] += 1
            except Exception:
                continue
    return silent


def train(run: Path, *words: str) -> None:
    assert wait(fork([*WORDS, "--train.keep", "40", *words, "--out", str(run)], 1, run.parent)) == [0]


def ended_early(whole: Path, run: Path) -> Path:
    """Copy a finished run in its state after three checkpoints."""
    shutil.copytree(whole, run)
    for path in (run / "checkpoints").iterdir():
        if path.name not in (NEWEST, BEFORE, OLDER):
            shutil.rmtree(path)
    for name in set(FINAL) - set(COPIED) | {"manifest.json"}:
        (run / name).unlink()
    return run


def final_files(run: Path, folder: Path) -> Path:
    """Copy the files in the manifest of a finished run."""
    folder.mkdir(parents=True)
    for name in (*FINAL, "manifest.json"):
        shutil.copyfile(run / name, folder / name)
    return folder


def share(run: Path, folder: Path) -> Path:
    """Share a run's network, without its card, which may be edited."""
    open_run(run)[2].save_pretrained(folder)
    (folder / "README.md").unlink()
    return folder


def print_table(title: str, counts: dict[str, Count]) -> bool:
    """Print the table of one kind of folder and return whether all cases are right."""
    width = 2 + max(map(len, counts))
    fallback = any(count.resumed for count in counts.values())
    columns = ["tried", "detected", "named", *(["fell back", "resumed", "same bits"] if fallback else [])]
    rows = [
        (
            kind,
            [count.tried, count.detected, count.named, count.fell_back, count.resumed, count.resumed_well][
                : len(columns)
            ],
        )
        for kind, count in counts.items()
    ]
    rows.append(("together", [sum(numbers) for numbers in zip(*(row for _, row in rows), strict=True)]))
    print(f"\n{title:{width}}" + "".join(f"{column:>11}" for column in columns))
    for kind, row in rows:
        print(f"{kind:{width}}" + "".join(f"{number:11d}" for number in row))
    tried, *others = rows[-1][1]
    right = all(number == tried for number in others[: 3 if fallback else 2])
    return right and (not fallback or rows[-1][1][4] == rows[-1][1][5])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--corruptions", type=int, default=2000, help="number for checkpoints; a tenth for each other kind"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the damage")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chooser = random.Random(options.seed)
    fewer = max(options.corruptions // 10, 1)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        whole, other = place / "whole", place / "other"
        train(whole)
        train(other, "--seed", "1", "--train.learning-rate", "0.002")
        unfinished = ended_early(whole, place / "unfinished")
        right = print_table(
            "checkpoints", damage_checkpoints(unfinished, options.corruptions, fingerprint(whole), chooser)
        )
        runs = final_files(whole, place / "run"), final_files(other, place / "other run")
        right &= print_table("finished runs", damage_folders(*runs, read_run, fewer, chooser))
        shared = share(whole, place / "network"), share(other, place / "other network")
        right &= print_table(
            "shared networks",
            damage_folders(*shared, memtape.NTM.from_pretrained, fewer, chooser),
        )
        network = memtape.NTM.from_pretrained(shared[0])
        silent = accepted(network, options.corruptions, chooser)
    print(f"\nflipped bits of the weights that other libraries load without an error, of {options.corruptions}:")
    for library, number in silent.items():
        print(f"{library}: {number} ({number / options.corruptions:.1%})")
    return 0 if right else 1


if __name__ == "__main__":
    without_figures(lambda: sys.exit(main()))
