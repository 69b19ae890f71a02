"""Trees: time of a training step of a Tree-LSTM, level by level over a batch, and node by node.

    python benchmarks/trees.py --batch 25 64 --threads 1 2
    python benchmarks/trees.py --file train.txt --epoch

The first command compares the fold with a loop over the nodes, on random trees of 2 to 52 words, 19 on average. The
second reads the bracketed trees of a file, and also measures complete training steps: word vectors, readout, the loss
at every node, and the optimiser. The optimiser costs more than the network if it updates all word vectors, unless it is
fused, or updates the batch's words alone.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils import _pytree as pytree

from memtape.core.fold import fold
from memtape.core.inputs.trees import NONE
from memtape.core.tree_cell import AnyTreeCell
from memtape.experiments.bench.measure import side_by_side
from memtape.models.tree.treelstm import TreeLSTM
from memtape.tasks.language.bracketed import BracketedTree, read_bracketed
from memtape.tasks.language.labelled_trees import LabelledTrees, labelled_trees, vocabulary_of

CLASSES = 5
RATE = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=["constituency", "nary", "child_sum"], default="constituency")
    parser.add_argument("--hidden", type=int, default=150)
    parser.add_argument("--embedding", type=int, default=300)
    parser.add_argument("--batch", type=int, nargs="+", default=[25, 64], help="trees per step")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--file", help="a file of bracketed trees, instead of random ones")
    parser.add_argument(
        "--epoch", action="store_true", help="measure complete training steps, instead of the fold and the loop"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="about how long to time each group")
    parser.add_argument("--json", help="write the rows to this file")
    options = parser.parse_args()
    torch.manual_seed(0)
    read = read_bracketed(options.file, classes=CLASSES) if options.file else random_trees(2048)
    vocabulary = vocabulary_of(read)
    bank = labelled_trees(read, vocabulary)
    print(f"{len(read)} trees, {int(bank.lengths.sum())} nodes, {len(vocabulary)} words")
    rows = []
    for threads in options.threads:
        torch.set_num_threads(threads)
        for size in options.batch:
            torch.manual_seed(0)
            network = TreeLSTM(
                len(vocabulary) + 1,
                CLASSES,
                kind=options.kind,
                hidden_size=options.hidden,
                embedding_size=options.embedding,
            )
            batches = [bank.take(torch.randperm(len(read))[:size]) for _ in range(20)]
            steps = updates(network, batches) if options.epoch else folds(network, batches)
            times = side_by_side(steps, seconds=options.seconds)
            first = next(iter(times.values()))
            for name, own in times.items():
                row = {
                    "work": name,
                    "kind": options.kind,
                    "batch": size,
                    "threads": threads,
                    "ms": 1e3 * median(own),
                    "ratio": median(mine / theirs for mine, theirs in zip(own, first, strict=True)),
                    "epoch_seconds": median(own) * len(read) / size,
                }
                rows.append(row)
                print(
                    f"{name:34} batch {size:3}  threads {threads}  {row['ms']:8.2f} ms a step  {row['ratio']:6.2f} of the "
                    f"first  {row['epoch_seconds']:7.1f} s an epoch",
                    flush=True,
                )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


def folds(network: TreeLSTM, batches: list[LabelledTrees]) -> dict[str, Callable[[], None]]:
    """Return functions that compute the gradients of the cell's parameters, by the order of the nodes."""
    vectors = network.embedding.weight.detach()
    turn = iter(range(10**9))

    def step(way: Callable[..., Tensor]) -> None:
        batch = batches[next(turn) // 2 % len(batches)]
        way(network.cell, batch, vectors).square().sum().backward()
        network.zero_grad()

    return {"levels": partial(step, level_by_level), "nodes": partial(step, node_by_node)}


def level_by_level(cell: AnyTreeCell, batch: LabelledTrees, vectors: Tensor) -> Tensor:
    return fold(cell, batch.trees, lambda words: vectors[words], lengths=batch.lengths)[0]


def node_by_node(cell: AnyTreeCell, batch: LabelledTrees, vectors: Tensor) -> Tensor:
    """Compute one node after another, as in a program that loops over each tree."""
    outputs = []
    tables = zip(batch.trees.words.tolist(), batch.trees.children.tolist(), batch.lengths.tolist(), strict=True)
    for words, children, length in tables:
        states: list[Any] = []
        for word, own in zip(words[:length], children[:length], strict=True):
            if own[0] == NONE:
                states.append(cell.leaf(cell.read(vectors[word : word + 1])))
            else:
                pair = pytree.tree_map(lambda *two: torch.stack(two, dim=1), *(states[child] for child in own))
                states.append(cell.node(pair, None))
        outputs += [state.hidden for state in states]
    return torch.cat(outputs)


def updates(network: TreeLSTM, batches: list[LabelledTrees]) -> dict[str, Callable[[], None]]:
    """Return complete training steps, by how the word vectors are updated."""
    turn = iter(range(10**9))

    def gradient() -> None:
        batch = batches[next(turn) % len(batches)]
        outputs, _ = network(batch.trees, lengths=batch.lengths)
        network.zero_grad()
        functional.cross_entropy(outputs.flatten(0, 1), batch.labels.flatten(), ignore_index=NONE).backward()

    def update(optimizers: list[torch.optim.Optimizer], sparse: bool) -> None:
        network.embedding.sparse = sparse
        gradient()
        for optimizer in optimizers:
            optimizer.step()

    words = [network.embedding.weight]
    others = [parameter for parameter in network.parameters() if parameter is not network.embedding.weight]

    def steps(*optimizers: torch.optim.Optimizer, sparse: bool = False) -> Callable[[], None]:
        return partial(update, list(optimizers), sparse)

    optim = torch.optim
    torch.sparse.check_sparse_tensor_invariants.disable()
    return {
        "gradient alone": steps(),
        "gradient alone, sparse": steps(sparse=True),
        "AdaGrad": steps(optim.Adagrad([*others, *words], lr=RATE)),
        "AdaGrad, fused": steps(optim.Adagrad([*others, *words], lr=RATE, fused=True)),
        "AdaGrad, sparse": steps(optim.Adagrad([*others, *words], lr=RATE), sparse=True),
        "Adam": steps(optim.Adam([*others, *words])),
        "Adam, fused": steps(optim.Adam([*others, *words], fused=True)),
        "Adam and SparseAdam": steps(optim.Adam(others), optim.SparseAdam(words), sparse=True),
    }


def random_trees(count: int) -> list[BracketedTree]:
    """Draw binary trees of 2 to 52 words that branch to the right more often than to the left, like parses of English."""
    sizes = (19 + 9 * torch.randn(count)).round().clamp(2, 52).int().tolist()
    return [grown(size) for size in sizes]


def grown(size: int) -> BracketedTree:
    tree = BracketedTree(words=[], children=[], labels=[])

    def grow(size: int) -> int:
        pair = None
        if size > 1:
            left = 1 + int((size - 1) * torch.rand(()).item() ** 2)
            pair = grow(left), grow(size - left)
        tree.words.append(None if pair else str(int(1e4 ** torch.rand(()).item())))
        tree.children.append(pair)
        tree.labels.append(int(CLASSES * torch.rand(()).item()))
        return len(tree.words) - 1

    grow(size)
    return tree


if __name__ == "__main__":
    main()
