"""Associative memories: crosstalk, capacities and metastable states, measured without training.

    python benchmarks/associative.py --out docs/images

prints the tables of the map of memories and, with `--out`, writes its figures into a folder: the energy landscape of a
Hopfield network, the crosstalk of a correlation matrix, the retention of a Hopfield network by the number of patterns,
the capacities of dense and of modern memories by their dimension, and the states of a modern network by its inverse
temperature. `--only NAME` runs one of the parts.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from memtape.memory import CorrelationMemory, DenseAssociativeMemory, HopfieldNetwork, ModernHopfieldNetwork
from memtape.ops import metastable_size, signs_of_fields
from memtape.viz.figures import energy_landscape, save
from memtape.viz.style import BLUE, GREEN, MUTED, PURPLE, VERMILION, paper_style

COLOURS = (BLUE, VERMILION, GREEN, PURPLE)


def binary(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randint(0, 2, shape, generator=generator).float() * 2 - 1


def panel(draw: Callable[[Axes], None]) -> Figure:
    """Return a figure with one panel."""
    with paper_style():
        figure = Figure(figsize=(3.6, 2.6), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        if axes.get_yscale() == "log":
            axes.yaxis.set_major_formatter("{x:g}")
    return figure


def landscape(seed: int) -> Figure:
    """Follow a Hopfield network of 100 units and two patterns downhill, unit by unit."""
    generator = torch.Generator().manual_seed(seed)
    patterns = binary(generator, 2, 100)
    network = HopfieldNetwork(patterns)
    paths = []
    for _ in range(12):
        state = binary(generator, 100)
        path = [state.clone()]
        for unit in [*torch.randperm(100, generator=generator).tolist(), *range(20)]:
            state[unit] = signs_of_fields(state @ network.weights[unit], state[unit])
            path.append(state.clone())
        paths.append(torch.stack(path))
    rises = torch.stack([network.energy(path).diff() for path in paths])
    ends = (torch.stack([path[-1] for path in paths]) @ patterns.mT / 100).abs().amax(1)
    print(
        f"energy landscape: largest rise of the energy {rises.max():.1g}, {int((ends == 1).sum())} of 12 paths end at a pattern"
    )
    return energy_landscape(patterns.numpy(), [path.numpy() for path in paths])


def crosstalk(seed: int) -> Figure:
    """Recall all pairs of a matrix of 64 x 64 from the keys, written by each rule."""
    counts, size, draws = (8, 16, 32, 48, 64, 96, 128), 64, 10
    rules: dict[str, dict[str, Any]] = {"hebb": {}, "delta": {}, "least-squares": {"ridge": 0.01}}
    errors = {rule: [0.0] * len(counts) for rule in rules}
    generator = torch.Generator().manual_seed(seed)
    for column, count in enumerate(counts):
        keys = functional.normalize(torch.randn(draws, count, size, generator=generator, dtype=torch.float64), dim=-1)
        values = torch.randn(draws, count, size, generator=generator, dtype=torch.float64)
        for rule, options in rules.items():
            memory = CorrelationMemory(size, size, rule=rule, **options)  # type: ignore[arg-type]
            state = memory.init_state(draws, dtype=torch.float64)
            for key, value in zip(keys.unbind(1), values.unbind(1), strict=True):
                state = memory.write(state, key, value)
            missed = keys @ state.matrix.mT - values
            errors[rule][column] = float((missed.square().sum((1, 2)) / values.square().sum((1, 2))).mean())
    print("crosstalk: relative squared error of recall, matrix of 64 x 64, random unit keys, mean of 10 draws")
    print("pairs              " + "".join(f"{count:9d}" for count in counts))
    for rule, row in errors.items():
        print(f"{rule:19}" + "".join(f"{value:9.3g}" for value in row))
    print("(pairs - 1) / 64   " + "".join(f"{(count - 1) / size:9.3g}" for count in counts))

    def draw(axes: Axes) -> None:
        for colour, (rule, row) in zip(COLOURS, errors.items(), strict=False):
            axes.plot(counts, row, marker="o", markersize=2.5, color=colour, label=rule)
        axes.plot(
            counts, [(count - 1) / size for count in counts], color=MUTED, linestyle=":", label="(pairs - 1) / 64"
        )
        axes.set(yscale="log", ylim=(1e-5, 4), xlabel="stored pairs", ylabel="relative squared error")
        axes.legend(loc="lower right")

    return panel(draw)


def retention(seed: int) -> Figure:
    """Start a Hopfield network at stored patterns, and measure what is left of them when it has settled."""
    sizes, loads, networks, started = (100, 400, 1600), (0.06, 0.08, 0.1, 0.12, 0.13, 0.14, 0.15, 0.16, 0.18, 0.2), 4, 4
    overlaps: dict[int, list[float]] = {size: [] for size in sizes}
    generator = torch.Generator().manual_seed(seed)
    for size in sizes:
        for load in loads:
            found = []
            for _ in range(networks * 400 // size if size < 400 else networks):
                patterns = binary(generator, round(load * size), size)
                settled = HopfieldNetwork(patterns).recall(patterns[:started]).states
                found.append((settled * patterns[:started]).mean())
            overlaps[size].append(float(torch.stack(found).mean()))
    print(
        "retention: mean overlap of a stored pattern with the fixed point that is reached from it, 16 patterns or more"
    )
    print("patterns per unit  " + "".join(f"{load:7.2f}" for load in loads))
    for size, row in overlaps.items():
        print(f"{size:5d} units        " + "".join(f"{value:7.3f}" for value in row))

    def draw(axes: Axes) -> None:
        for colour, (size, row) in zip(COLOURS, overlaps.items(), strict=False):
            axes.plot(loads, row, marker="o", markersize=2.5, color=colour, label=f"{size} units")
        axes.axvline(0.138, color=MUTED, linewidth=0.8, linestyle=":", label="0.138")
        axes.set(xlabel="patterns per unit", ylabel="overlap after settling", ylim=(0, 1.03))
        axes.legend(loc="lower left")

    return panel(draw)


def largest_count(kept: Callable[[int], float], most: int) -> int:
    """Return the largest number of patterns, of a geometric series, of which at least 95 percent are kept."""
    best, number = 0, 2.0
    while number <= most:
        count = round(number)
        if count > best:
            if kept(count) < 0.95:
                break
            best = count
        number *= math.sqrt(2)
    return best


def dense_capacity(seed: int) -> Figure:
    """Count the random patterns that are fixed points of a dense associative memory."""
    sizes = (12, 16, 20, 24, 32, 40, 48)
    forms: dict[str, dict[str, Any]] = {
        "n = 2": {"interaction": "power", "degree": 2},
        "n = 3": {"degree": 3},
        "n = 4": {"interaction": "power", "degree": 4},
    }
    generator = torch.Generator().manual_seed(seed)

    def measured(size: int, options: dict[str, Any]) -> int:
        def kept(count: int) -> float:
            shares = []
            for _ in range(math.ceil(400 / count)):
                patterns = binary(generator, count, size)
                some = patterns[:400]
                right = (DenseAssociativeMemory(patterns, **options).update(some) == some).all(1)
                shares.append(right.double().mean())
            return float(torch.stack(shares).mean())

        return largest_count(kept, 20_000)

    counts = {name: [measured(size, options) for size in sizes] for name, options in forms.items()}
    print("dense capacity: largest number of random patterns of which 95 percent are fixed points")
    print("units  " + "".join(f"{size:8d}" for size in sizes) + "   exponent")
    for name, row in counts.items():
        exponent = np.polyfit(np.log(sizes), np.log(row), 1)[0]
        print(f"{name:7}" + "".join(f"{count:8d}" for count in row) + f"{exponent:11.2f}")

    def draw(axes: Axes) -> None:
        for colour, (name, row) in zip(COLOURS, counts.items(), strict=False):
            axes.plot(sizes, row, marker="o", markersize=2.5, color=colour, label=name)
        axes.plot(sizes, sizes, color=MUTED, linestyle=":", label="as many as units")
        axes.set(xscale="log", yscale="log", xlabel="units", ylabel="patterns that are kept")
        axes.set_xticks(sizes, [str(size) for size in sizes], minor=False)
        axes.set_xticks([], minor=True)
        axes.legend()

    return panel(draw)


def modern_capacity(seed: int) -> Figure:
    """Count the random patterns on a sphere that a modern Hopfield network returns from corrupted ones."""
    widths, radius, noise, most = tuple(range(6, 15)), 1.4, 0.25, 200_000
    generator = torch.Generator().manual_seed(seed)

    def kept(count: int, width: int) -> float:
        shares = []
        for _ in range(math.ceil(200 / count)):
            patterns = functional.normalize(torch.randn(count, width, generator=generator), dim=-1)
            patterns = patterns * radius * math.sqrt(width - 1)
            some = patterns[:200]
            around = functional.normalize(torch.randn(some.shape, generator=generator), dim=-1)
            probes = some + noise * some.norm(dim=-1, keepdim=True) * around
            states = ModernHopfieldNetwork(patterns, beta=1.0).recall(probes, most=5).states
            shares.append(((states - some).norm(dim=-1) < 0.1 * some.norm(dim=-1)).double().mean())
        return float(torch.stack(shares).mean())

    counts = [largest_count(lambda count, width=width: kept(count, width), most) for width in widths]
    factor = math.exp(np.polyfit(widths, np.log(counts), 1)[0])
    print(
        f"modern capacity: patterns on a sphere of radius {radius:g} sqrt(d - 1), beta 1, noise of {noise:.0%} of the radius"
    )
    print("dimension  " + "".join(f"{width:8d}" for width in widths))
    print(
        "patterns   " + "".join(f"{count:8d}" for count in counts) + f"   a factor of {factor:.1f} for each dimension"
    )

    def draw(axes: Axes) -> None:
        axes.plot(widths, counts, marker="o", markersize=2.5, color=BLUE, label="modern Hopfield network")
        axes.plot(widths, [0.138 * width for width in widths], color=VERMILION, label="0.138 d")
        axes.set(yscale="log", xlabel="dimension d", ylabel="patterns that are recalled")
        axes.legend()

    return panel(draw)


def metastable(seed: int) -> Figure:
    """Settle a modern Hopfield network of 8 clusters of 8 patterns at several inverse temperatures."""
    generator = torch.Generator().manual_seed(seed)
    centres = functional.normalize(torch.randn(8, 64, generator=generator, dtype=torch.float64), dim=-1)
    patterns = centres.repeat_interleave(8, 0) + 0.04 * torch.randn(64, 64, generator=generator, dtype=torch.float64)
    patterns = functional.normalize(patterns, dim=-1)
    betas = [2.0**power for power in range(-1, 9)]
    sizes = []
    for beta in betas:
        network = ModernHopfieldNetwork(patterns, beta=beta)
        settled = network.recall(patterns, most=500, tolerance=1e-8).states
        sizes.append(float(metastable_size(network.weights(settled)).double().median()))
    print(
        "metastable states: median number of patterns that share a fixed point, 8 clusters of 8 unit patterns, d = 64"
    )
    print("beta  " + "".join(f"{beta:7g}" for beta in betas))
    print("size  " + "".join(f"{size:7g}" for size in sizes))

    def draw(axes: Axes) -> None:
        axes.plot(betas, sizes, marker="o", markersize=2.5, color=BLUE)
        for level, name in ((58, "mean of all"), (8, "mean of a cluster"), (1, "a pattern")):
            axes.axhline(level, color=MUTED, linewidth=0.5, linestyle=":")
            axes.annotate(
                name, (betas[-1], level), (0, 2), textcoords="offset points", ha="right", fontsize=6.5, color=MUTED
            )
        axes.set(xscale="log", yscale="log", xlabel="inverse temperature", ylabel="patterns in a fixed point")
        axes.set_xticks(betas[::3], [f"{beta:g}" for beta in betas[::3]])
        axes.set_xticks([], minor=True)
        axes.set_yticks([1, 8, 64], ["1", "8", "64"])
        axes.set_yticks([], minor=True)

    return panel(draw)


PARTS = {
    "landscape": landscape,
    "crosstalk": crosstalk,
    "retention": retention,
    "dense-capacity": dense_capacity,
    "modern-capacity": modern_capacity,
    "metastable": metastable,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, help="run one part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for the figures")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name, part in PARTS.items():
        if options.only not in (None, name):
            continue
        figure = part(options.seed)
        if options.out:
            png, vector = save(figure, options.out, f"memory-{name}")
            vector.unlink()
            print(png)
        print()


if __name__ == "__main__":
    main()
