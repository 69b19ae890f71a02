"""Sparse access: time per step and memory of SAM, SDNC and dense machines as functions of the number of slots.

    python benchmarks/sparse.py --out results/speed/sparse.json --figure docs/images
    python benchmarks/sparse.py --kinds paper DNC --out results/speed/sparse.json     # measure these again, keep the
    others

runs forward and backward passes of a Sparse Access Memory with exact and with approximate neighbours (width 32, 4
heads, 4 nearest slots, LSTM of 100 units, batch 1, one thread), of SAM with links (the SDNC), of the Neural Turing
Machine (4 read and 4 write heads) and the Differentiable Neural Computer (4 read heads), all of them fused, and of
SAM's dense equivalent (single steps). The sparse memories are filled with random words, and the heads' parameters are
scaled up so that the heads address slots all over the memory: caches give no advantage. The links are empty at first.

The time per step is CPU time, computed from two lengths: the difference divided by the number of added steps. The
constant cost per sequence is a separate number: the copy of the memory, and the index of approximate neighbours. Peak
memory is that of 100 steps, relative to the initial state and to the final state, each in a new process. Recall is the
share of the exact neighbours that approximate search finds.

`paper` is the paper's comparison of SDNC and DNC: 2048 slots, batch 8, 10 steps, exact neighbours, on both backends.
Memory is the peak including the states.
"""

import argparse
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure

from memtape import DNC, NTM, SDNC, tree, use_backend
from memtape.core.compiled_library import kernels
from memtape.experiments.bench.peak_memory import peak_of, return_freed_memory_at_once
from memtape.models.sam.dam import DAM
from memtape.models.sam.sam import SAM
from memtape.viz.saving import save
from memtape.viz.style import BLUE, GREEN, INK, VERMILION, paper_style

INPUT, WIDTH, HEADS, HIDDEN, GAIN, MIB = 8, 32, 4, 100, 6.0, 2**20
KINDS = {
    "SAM, approximate": (1_000_000, 1_000_000, BLUE, "o"),
    "SDNC, approximate": (1_000_000, 1_000_000, BLUE, "s"),
    "SAM, exact": (65_536, 1_000_000, GREEN, "o"),
    "NTM": (1024, 65_536, VERMILION, "o"),
    "DNC": (1024, 4096, VERMILION, "s"),
    "DAM, single steps": (1024, 16_384, INK, "o"),
}
"""For each kind: the largest number of slots with sequences of full length, the largest number overall, colour, marker.
"""

EMPTY = ", empty at first"
PAPER = {"slots": 2048, "batch": 8, "steps": 10}
COMPARED = [(kind, backend) for kind in ("DNC", "SDNC, exact") for backend in ("reference", "cpu")]


def network_of(kind: str, slots: int) -> Any:
    torch.manual_seed(0)
    name, *neighbours = kind.split(", ")
    dense = {"slots": slots, "width": WIDTH, "read_heads": HEADS, "controller_size": HIDDEN}
    if name == "NTM":
        return NTM(INPUT, INPUT, **dense, write_heads=HEADS)
    if name == "DNC":
        return DNC(INPUT, INPUT, **dense)
    usual = {"slots": slots, "width": WIDTH, "heads": HEADS, "controller_size": HIDDEN}
    if name == "DAM":
        return DAM(INPUT, INPUT, **usual)
    network = {"SAM": SAM, "SDNC": SDNC}[name](INPUT, INPUT, **usual, neighbours=neighbours[0])
    with torch.no_grad():
        for parameter in network.cell.machine.interface.parameters():
            parameter.mul_(GAIN)
        network.cell.machine.controller.from_input.weight.mul_(GAIN)
    return network


def state_of(kind: str, network: Any, slots: int, *, full: bool = True, batch: int = 1) -> Any:
    state = tree.detach(network.init_state(batch))
    if not kind.startswith(("SAM", "SDNC")) or not full:
        return state
    words = torch.randn(batch, slots, WIDTH, generator=torch.Generator().manual_seed(1))
    return dataclasses.replace(state, memory=dataclasses.replace(state.memory, memory=words))


def numbers_of_a_slot(kind: str, slots: int) -> int:
    """Return how many numbers a state holds per slot."""
    links = network_of("SDNC, exact", HEADS).cell.machine.memory.links.links if kind.startswith("SDNC") else 0
    of_weights = {"NTM": 2 * HEADS, "DNC": HEADS + 1 + 2 + slots}.get(kind, HEADS + 1 + 4 * links)
    return WIDTH + of_weights


def seconds_of(network: Any, state: Any, steps: int, repeats: int, *, batch: int = 1) -> tuple[float, float]:
    """Return the least CPU time of a forward and a backward pass."""
    best = (float("inf"), float("inf"))
    for _ in range(repeats):
        xs = torch.randn(batch, steps, INPUT)
        start = time.process_time()
        ys, _ = network(xs, state)
        middle = time.process_time()
        ys.sum().backward()
        end = time.process_time()
        best = min(best, (middle - start, end - middle), key=sum)
    return best


def times(kind: str, slots: int, *, full: bool, repeats: int) -> dict[str, float]:
    network = network_of(kind, slots)
    state = state_of(kind, network, slots, full=full)
    few, *_ = KINDS[kind]
    steps = 1000 if kind.endswith("approximate") else 200 if slots <= few else 8
    seconds_of(network, state, 2, 1)
    short, long = (seconds_of(network, state, length, repeats) for length in (steps, 2 * steps))
    forward, backward = ((after - before) / steps * 1e3 for before, after in zip(short, long, strict=True))
    once = max(0.0, 2 * sum(short) - sum(long)) * 1e3
    return {"ms_per_step": forward + backward, "forward": forward, "backward": backward, "ms_once": once}


def peak(kind: str, slots: int, *, full: bool) -> dict[str, float]:
    beyond = in_new_process("--peak", kind, str(slots), str(int(full)))
    return {"MiB_beyond_first_state": beyond, "MiB_of_a_state": 4 * slots * numbers_of_a_slot(kind, slots) / MIB}


def in_new_process(*words: str) -> float:
    return float(subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=True).stdout)


def print_peak(kind: str, slots: int, *, full: bool) -> None:
    return_freed_memory_at_once()
    small = network_of(kind, 64)
    small(torch.randn(1, 100, INPUT))[0].sum().backward()
    network = network_of(kind, slots)
    state = state_of(kind, network, slots, full=full)
    xs = torch.randn(1, 100, INPUT)
    print(peak_of(lambda: network(xs, state)[0].sum().backward()))


def print_peak_as_in_the_paper(kind: str, backend: str) -> None:
    return_freed_memory_at_once()
    slots, batch, steps = PAPER.values()

    def run(slots: int) -> None:
        network = network_of(kind, slots)
        network(torch.randn(batch, steps, INPUT), state_of(kind, network, slots, batch=batch))[0].sum().backward()

    with use_backend(backend):
        run(64)
        print(peak_of(lambda: run(slots)))


def as_in_the_paper(kind: str, backend: str, repeats: int) -> dict[str, Any]:
    network = network_of(kind, PAPER["slots"])
    state = state_of(kind, network, PAPER["slots"], batch=PAPER["batch"])
    repeats = 1 if (kind, backend) == ("DNC", "reference") else repeats
    with use_backend(backend):
        seconds = sum(seconds_of(network, state, PAPER["steps"], repeats, batch=PAPER["batch"]))
    mebibytes = in_new_process("--paper-peak", kind, backend)
    return {"kind": kind, "backend": backend, "ms": seconds * 1e3, "MiB": mebibytes}


def recall(slots: int, queries: int = 16) -> float:
    found = total = 0
    networks = [network_of(f"SAM, {neighbours}", slots) for neighbours in ("exact", "approximate")]
    state = state_of("SAM, exact", networks[0], slots)
    for _ in range(queries):
        xs = torch.randn(1, 1, INPUT)
        with torch.no_grad():
            wanted, seen = (network(xs, state)[1].memory.read_weights > 0 for network in networks)
        found, total = found + int((wanted & seen).sum()), total + int(wanted.sum())
    return found / total


def figure_of(rows: list[dict[str, Any]]) -> Figure:
    with paper_style():
        figure = Figure(figsize=(6.4, 3.2), layout="constrained")
        time_axes, memory_axes = figure.subplots(1, 2)
        lines = [(kind, colour, "-", marker) for kind, (_, _, colour, marker) in KINDS.items()]
        for kind, colour, line, marker in [*lines, (f"SAM, approximate{EMPTY}", BLUE, "--", "o")]:
            own = [row for row in rows if row["kind"] == kind]
            slots = [row["slots"] for row in own]
            style = {"color": colour, "linestyle": line, "marker": marker, "markersize": 3}
            if marker == "s":
                style |= {"markerfacecolor": "white", "markersize": 4}
            time_axes.plot(slots, [row["ms_per_step"] for row in own], **style)
            memory_axes.plot(slots, [row["MiB_beyond_first_state"] for row in own], **style, label=kind)
        slots = sorted({row["slots"] for row in rows})
        memory_axes.plot(
            slots, [4 * n * (WIDTH + HEADS + 1) / MIB for n in slots], ":", color=INK, label="a state of SAM"
        )
        for axes, title in (
            (time_axes, "forward and backward, ms of CPU time per step"),
            (memory_axes, "100 steps, MiB beyond the first state"),
        ):
            axes.set(xscale="log", yscale="log", xlabel="slots", title=title)
            axes.grid(visible=True)
        figure.legend(loc="outside lower center", ncols=3)
        return figure


def measured(kinds: list[str], sizes: list[int], repeats: int) -> list[dict[str, Any]]:
    rows = []
    for kind, slots in ((kind, slots) for kind in KINDS if kind in kinds for slots in sizes if slots <= KINDS[kind][1]):
        for full in (True, False) if kind == "SAM, approximate" else (True,):
            row: dict[str, Any] = {"kind": kind if full else f"{kind}{EMPTY}", "slots": slots}
            row |= times(kind, slots, full=full, repeats=repeats) | peak(kind, slots, full=full)
            if kind == "SAM, approximate" and full:
                row["recall"] = recall(slots)
            rows.append(row)
            show(row)
    return rows


def in_order(row: dict[str, Any]) -> tuple[int, int]:
    return list(KINDS).index(row["kind"].removesuffix(EMPTY)), row["slots"]


def show(row: dict[str, Any]) -> None:
    print(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = [*KINDS, "paper"]
    parser.add_argument("--kinds", nargs="+", choices=every, default=every, help="what to measure")
    parser.add_argument("--slots", type=int, nargs="+", default=[1000, 4096, 16_384, 65_536, 262_144, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="the JSON file to write")
    parser.add_argument("--figure", type=Path, help="folder for the figure")
    parser.add_argument("--again", action="store_true", help="draw the figure from --out, without measuring")
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--paper-peak", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.peak:
        kind, slots, full = options.peak
        return print_peak(kind, int(slots), full=bool(int(full)))
    if options.paper_peak:
        return print_peak_as_in_the_paper(*options.paper_peak)
    found = json.loads(options.out.read_text()) if options.out and options.out.exists() else {}
    rows, compared = found.get("rows", []), found.get("paper", {}).get("rows", [])
    if not options.again:
        new = measured(options.kinds, options.slots, options.repeats)
        anew = {(row["kind"], row["slots"]) for row in new}
        rows = sorted([*(row for row in rows if (row["kind"], row["slots"]) not in anew), *new], key=in_order)
        if "paper" in options.kinds:
            compared = [as_in_the_paper(kind, backend, options.repeats) for kind, backend in COMPARED]
            for row in compared:
                show(row)
        if options.out:
            settings = {
                "width": WIDTH,
                "heads": HEADS,
                "nearest": 4,
                "controller_size": HIDDEN,
                "batch": 1,
                "gain": GAIN,
            }
            about = {"settings": settings, "torch": torch.__version__, "build": kernels().instructions, "threads": 1}
            paper = {"settings": PAPER, "rows": compared}
            options.out.write_text(json.dumps(about | {"paper": paper, "rows": rows}, indent=1) + "\n")
    if options.figure:
        save(figure_of(rows), options.figure, "sparse")
    return None


if __name__ == "__main__":
    main()
