"""Sparse access: time per step and memory against the number of slots, of SAM and of dense machines.

    python benchmarks/sparse.py --out results/bench/sparse.json --figure docs/images

runs forward and backward passes of a Sparse Access Memory with exact and with approximate neighbours (width 32, 4 heads, 4
nearest slots, LSTM of 100 units, batch 1, one thread), of the Neural Turing Machine (4 read and 4 write heads, the fused
kernel) and of SAM's dense twin (single steps). The sparse memories are full of random words, and the heads' parameters are
scaled up so that they look all over the place: nothing is gained from what is near in the processor's caches.

A step's time is processor time, by two lengths: what a step of the longer half adds. What a sequence costs once, whatever its
length, stands beside it: the copy of the memory, and the cells of approximate neighbours. Peak memory is that of 100 steps
beyond the state that goes in, and beyond the one that comes out, each in a process of its own. Recall is the share of the
exact neighbours that approximate look-ups find.
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

from memtape import NTM, tree
from memtape.core.kernels import kernels
from memtape.models.sparse_access import DAM, SAM
from memtape.recipes.peak_memory import peak_of, return_freed_memory_at_once
from memtape.viz.saving import save
from memtape.viz.style import BLUE, GREEN, INK, VERMILION, paper_style

INPUT, WIDTH, HEADS, HIDDEN, GAIN, MIB = 8, 32, 4, 100, 6.0, 2**20
KINDS = {
    "SAM, approximate": (1_000_000, 1_000_000, BLUE),
    "SAM, exact": (65_536, 1_000_000, GREEN),
    "NTM": (1024, 65_536, VERMILION),
    "DAM, single steps": (1024, 16_384, INK),
}
"""For each kind the most slots with sequences of full length, the most at all, and the colour of its line."""


def network_of(kind: str, slots: int) -> Any:
    torch.manual_seed(0)
    if kind == "NTM":
        return NTM(INPUT, INPUT, slots=slots, width=WIDTH, read_heads=HEADS, write_heads=HEADS, controller_size=HIDDEN)
    usual = {"slots": slots, "width": WIDTH, "heads": HEADS, "controller_size": HIDDEN}
    if kind.startswith("DAM"):
        return DAM(INPUT, INPUT, **usual)
    network = SAM(INPUT, INPUT, **usual, neighbours=kind.split(", ")[1])
    with torch.no_grad():
        for parameter in network.cell.machine.interface.parameters():
            parameter.mul_(GAIN)
        network.cell.machine.controller.from_input.weight.mul_(GAIN)
    return network


def state_of(kind: str, network: Any, slots: int, *, full: bool = True) -> Any:
    state = tree.detach(network.init_state(1))
    if not kind.startswith("SAM") or not full:
        return state
    words = torch.randn(1, slots, WIDTH, generator=torch.Generator().manual_seed(1))
    return dataclasses.replace(state, memory=dataclasses.replace(state.memory, memory=words))


def seconds_of(network: Any, state: Any, steps: int, repeats: int) -> tuple[float, float]:
    """Return the least processor time of a forward and a backward pass."""
    best = (float("inf"), float("inf"))
    for _ in range(repeats):
        xs = torch.randn(1, steps, INPUT)
        begin = time.process_time()
        ys, _ = network(xs, state)
        middle = time.process_time()
        ys.sum().backward()
        end = time.process_time()
        best = min(best, (middle - begin, end - middle), key=sum)
    return best


def times(kind: str, slots: int, *, full: bool, repeats: int) -> dict[str, float]:
    network = network_of(kind, slots)
    state = state_of(kind, network, slots, full=full)
    few, _, _ = KINDS[kind]
    steps = 1000 if kind == "SAM, approximate" else 200 if slots <= few else 8
    seconds_of(network, state, 2, 1)
    short, long = (seconds_of(network, state, length, repeats) for length in (steps, 2 * steps))
    forward, backward = ((after - before) / steps * 1e3 for before, after in zip(short, long, strict=True))
    once = max(0.0, 2 * sum(short) - sum(long)) * 1e3
    return {"ms_per_step": forward + backward, "forward": forward, "backward": backward, "ms_once": once}


def peak(kind: str, slots: int, *, full: bool) -> dict[str, float]:
    words = [sys.executable, __file__, "--peak", kind, str(slots), str(int(full))]
    beyond = float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    state = 4 * slots * (WIDTH + (2 * HEADS if kind == "NTM" else HEADS + 1)) / MIB
    return {"MiB_beyond_first_state": beyond, "MiB_of_a_state": state}


def print_peak(kind: str, slots: int, *, full: bool) -> None:
    return_freed_memory_at_once()
    small = network_of(kind, 64)
    small(torch.randn(1, 100, INPUT))[0].sum().backward()
    network = network_of(kind, slots)
    state = state_of(kind, network, slots, full=full)
    xs = torch.randn(1, 100, INPUT)
    print(peak_of(lambda: network(xs, state)[0].sum().backward()))


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
        lines = [(kind, colour, "-") for kind, (_, _, colour) in KINDS.items()]
        for kind, colour, line in [*lines, ("SAM, approximate, empty at first", BLUE, "--")]:
            own = [row for row in rows if row["kind"] == kind]
            slots = [row["slots"] for row in own]
            style = {"color": colour, "linestyle": line, "marker": "o", "markersize": 3}
            time_axes.plot(slots, [row["ms_per_step"] for row in own], **style)
            memory_axes.plot(slots, [row["MiB_beyond_first_state"] for row in own], **style, label=kind)
        slots = sorted({row["slots"] for row in rows})
        memory_axes.plot(slots, [4 * n * (WIDTH + HEADS + 1) / MIB for n in slots], ":", color=INK, label="a state")
        for axes, title in (
            (time_axes, "forward and backward, ms of one processor per step"),
            (memory_axes, "100 steps, MiB beyond the first state"),
        ):
            axes.set(xscale="log", yscale="log", xlabel="slots", title=title)
            axes.grid(visible=True)
        figure.legend(loc="outside lower center", ncols=3)
        return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, nargs="+", default=[1000, 4096, 16_384, 65_536, 262_144, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    parser.add_argument("--figure", type=Path, help="folder that the figure goes into")
    parser.add_argument("--again", action="store_true", help="draw what stands in --out, without measuring")
    parser.add_argument("--peak", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.peak:
        kind, slots, full = options.peak
        return print_peak(kind, int(slots), full=bool(int(full)))
    if options.again:
        save(figure_of(json.loads(options.out.read_text())["rows"]), options.figure, "sparse")
        return None
    rows = []
    for kind, (_, most, _) in KINDS.items():
        for slots in options.slots:
            if slots > most:
                continue
            for full in (True, False) if kind == "SAM, approximate" else (True,):
                row: dict[str, Any] = {"kind": kind if full else f"{kind}, empty at first", "slots": slots}
                row |= times(kind, slots, full=full, repeats=options.repeats) | peak(kind, slots, full=full)
                if kind == "SAM, approximate" and full:
                    row["recall"] = recall(slots)
                rows.append(row)
                print(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}), flush=True)
    if options.out:
        settings = {"width": WIDTH, "heads": HEADS, "nearest": 4, "controller_size": HIDDEN, "batch": 1, "gain": GAIN}
        about = {"settings": settings, "torch": torch.__version__, "build": kernels().instructions, "threads": 1}
        options.out.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n")
    if options.figure:
        save(figure_of(rows), options.figure, "sparse")
    return None


if __name__ == "__main__":
    main()
