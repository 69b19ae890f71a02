"""Picture: one example of a graph task as plain Python values, for a figure."""

from collections.abc import Sequence

from torch import Tensor

from memtape.core.graph_picture import GraphPicture, Triple
from memtape.tasks.graph.encoding import BLANK, END, TRIPLE, decoded, digit_scores
from memtape.tasks.graph.graph_batch import GraphBatch
from memtape.tasks.graph.graphs import Graphs
from memtape.tasks.graph.named_graph import NamedGraph

ENDED: Triple = ("end", "", "")


def picture_of(
    batch: GraphBatch,
    named: Sequence[NamedGraph],
    outputs: Tensor | None,
    row: int,
    *,
    answers: Tensor | None = None,
) -> GraphPicture:
    """Return one example as plain Python values, with names where the graph has them, and label numbers elsewhere.

    Args:
        batch: the examples.
        named: the graphs with names, indexed by `Graphs.known`.
        outputs: the network's logits of digits, shape (batch, time, 90), or labels, shape (batch, time, 3); None if there are
            no outputs.
        row: index of the example.
        answers: target labels, shape (batch, time, 3); None if the targets of the batch are their digits.
    """
    graphs, length = batch.graphs, int(batch.lengths[row])
    scored = batch.mask[row, :length].tolist()
    nodes, edges = _names(graphs, named, row)
    table = graphs.present[row].flatten().nonzero().flatten().tolist()
    number = {flat: place for place, flat in enumerate(table)}
    width = graphs.neighbours.shape[2]
    labels = graphs.edge_labels[row].flatten().tolist()
    targets = graphs.neighbours[row].flatten().tolist()
    right = decoded(batch.targets[row, :length]) if answers is None else answers[row, :length]
    given = decoded(batch.inputs[row, :length, :TRIPLE])

    def called(triple: Sequence[int]) -> Triple:
        source, edge, target = triple
        names = (nodes.get(source, _number(source)), edges.get(edge, _number(edge)), nodes.get(target, _number(target)))
        return ENDED if tuple(triple) == END else names

    def called_where(triples: Tensor) -> tuple[Triple | None, ...]:
        return tuple(called(triple) if there else None for triple, there in zip(triples.tolist(), scored, strict=True))

    predicted: tuple[Triple | None, ...] = (None,) * length
    if outputs is not None:
        found = outputs[row, :length]
        predicted = called_where(found if found.shape[-1] == 3 else decoded(digit_scores(found).flatten(-2)))
    count = int((graphs.degrees[row] > 0).sum())
    return GraphPicture(
        nodes=tuple(nodes[label] for label in graphs.node_labels[row, :count].tolist()),
        places=tuple((x, y) for x, y in graphs.places[row, :count].tolist()),
        edges=tuple((flat // width, edges[labels[flat]], targets[flat]) for flat in table),
        paths=tuple(tuple(number[flat] for flat in path if flat >= 0) for path in batch.paths[row].tolist()),
        steps=tuple(called(triple) for triple in given.tolist()),
        shown=tuple(number.get(flat) for flat in batch.shown[row, :length].tolist()),
        answers=called_where(right),
        predicted=predicted,
    )


def _number(label: int) -> str:
    return "_" if label == BLANK else str(label)


def _names(graphs: Graphs, named: Sequence[NamedGraph], row: int) -> tuple[dict[int, str], dict[int, str]]:
    """Return the names of the labels of nodes and of edges."""
    nodes = graphs.node_labels[row, graphs.degrees[row] > 0].tolist()
    present = graphs.present[row]
    labels = graphs.edge_labels[row]
    if (known := int(graphs.known[row])) < 0:
        return {label: str(label) for label in nodes}, {label: str(label) for label in labels[present].tolist()}
    graph = named[known]
    edges = {
        int(labels[node, place]): word
        for node in range(len(graph.nodes))
        for place, (word, _) in enumerate(graph.leaving(node))
    }
    return dict(zip(nodes, graph.nodes, strict=True)), edges
