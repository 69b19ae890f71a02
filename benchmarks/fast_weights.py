r"""Fast weights: to which earlier symbols does a trained network attend when it is given a letter again?

    python benchmarks/fast_weights.py RUN --out fast-weights.png

reads a run of `memtape train fast-weights associative-retrieval`, and prints how often the last step attends most to the
queried pair. It draws the attention of each step of a test sequence, the first of these, to the hidden vectors before it,
$\eta \lambda^{age} h_\tau \cdot h^0_t$.
"""

import argparse
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

import memtape
from memtape.cells import FastWeightsCell
from memtape.core.atomic_write import write_atomically
from memtape.viz.saving import rendered
from memtape.viz.style import SIGNED, paper_style


def attention(cell: FastWeightsCell, xs: Tensor) -> Tensor:
    """Return the weight of each earlier step in the inner loop of each step: (batch, time, earlier time)."""
    state, hiddens, rows = cell.init_state(len(xs)), [], []
    for step, x in enumerate(xs.unbind(1)):
        first = (cell.from_hidden(state.hidden) + cell.from_input(x)).relu()
        row = torch.zeros(len(xs), xs.shape[1])
        for earlier, hidden in enumerate(hiddens):
            row[:, earlier] = cell.rate * cell.decay ** (step - 1 - earlier) * (hidden * first).sum(1)
        rows.append(row)
        hidden, state = cell(x, state)
        hiddens.append(hidden)
    return torch.stack(rows, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, help="file for the picture")
    options = parser.parse_args()
    network, task = memtape.load(options.run).model.eval(), memtape.AssociativeRetrieval()
    batch = task.batch(0, 1000, split="test")
    (cell,) = (part for part in network.modules() if isinstance(part, FastWeightsCell))
    with torch.no_grad():
        weights = attention(cell, torch.nn.functional.embedding(batch.inputs, network.cell.table))
    pairs = weights[:, -1, :8].unflatten(1, (4, 2)).amax(-1).argmax(-1)
    queried = (batch.inputs[:, :8:2] == batch.inputs[:, -1:]).long().argmax(-1)
    print(
        f"the last step attends most to the queried pair in {(pairs == queried).double().mean():.1%} of 1,000 sequences"
    )
    if options.out:
        row = int((pairs == queried).long().argmax())
        symbols = [task.vocabulary[symbol] for symbol in batch.inputs[row].tolist()]
        with paper_style():
            figure = Figure(figsize=(3.4, 2.8), layout="constrained")
            axes = figure.subplots()
            most = float(weights[row].abs().max())
            image = axes.imshow(weights[row], cmap=SIGNED, vmin=-most, vmax=most, interpolation="none")
            axes.set_xticks(range(len(symbols)), symbols)
            axes.set_yticks(range(len(symbols)), symbols)
            axes.set(xlabel="attended step", ylabel="step")
            figure.colorbar(image, ax=axes, label="weight", shrink=0.8)
        write_atomically(options.out, rendered(figure, "png"))


if __name__ == "__main__":
    main()
