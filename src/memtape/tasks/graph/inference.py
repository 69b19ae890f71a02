"""Inference: find the node that is related to a given node, where a relation is a named sequence of edges."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.graph_picture import GraphPicture
from memtape.tasks.data_folder import examples_of
from memtape.tasks.graph.encoding import BLANK, encoded
from memtape.tasks.graph.families import hinton_families, synthetic_family
from memtape.tasks.graph.family_files import KINSHIP, read
from memtape.tasks.graph.graph_batch import GraphBatch, shown_at
from memtape.tasks.graph.graphs import Graphs, chosen, draw_graphs, shuffled_triples
from memtape.tasks.graph.lessons import INFERENCE, Drawn, Lesson, check_lessons, draw_lessons
from memtape.tasks.graph.named_graph import Atlas
from memtape.tasks.graph.phases import Phase, answering, empty, laid_out
from memtape.tasks.graph.picture import picture_of
from memtape.tasks.graph.relations import EDGE_LABELS, STEPS, followed, relation_labels, sequences
from memtape.tasks.graph.triples import TripleTask
from memtape.tasks.graph.walks import ends

FAMILIES = Lesson((2, 2), (1, 1), (4, 4))
"""Relations of four steps in families, which are fixed graphs."""

LESSONS = (*INFERENCE, FAMILIES, FAMILIES)

SYNTHETIC = 64
"""Number of synthetic families."""

ROUNDS = 1_000
"""How often a graph in which no relation can be followed is drawn again, at most."""


class Inference(TripleTask):
    """Output the node that is related to a given node, given the edges of a graph, the node and the name of the relation.

    The labels of edges are 0 to 9. Each of the relations, 10 to 409, is a fixed sequence of two to five edge labels. The
    sequences are never part of the input and have to be learned. An edge is a triple of labels: of its source node, of the
    edge itself, and of its target node. A label has three digits, each a one-hot vector of ten channels, so a triple takes 90
    channels. Channel 90 marks the first step of each phase, channel 91 all steps of an answer. The phases are the edges of the
    graph in random order, and then for each question the query, "215 63 _", blank planning steps, and the answer,
    "215 63 380" and an end marker.

    The length of an example is the number of its lesson, 1 to 17. A batch consists of examples of the longest lesson, and a
    share of examples of earlier ones. Two lessons are never used in training: relations of four steps in the two families of
    Hinton (18) and in synthetic families (19); their edge labels are drawn anew for each example.

    Args:
        min_lesson: first lesson of training.
        max_lesson: last lesson of training.
        questions: number of questions about each graph.
        planning: number of blank steps before each answer.
        review: share of examples drawn from the lessons before the last one.
        data_dir: data folder with `kinship_hinton/hinton1986_triples.tsv`, for lesson 18; without it the families shipped with
            memtape are used.

    Raises:
        ValueError: a lesson does not exist, the range is empty, a size is below 1, a share is outside 0..1, or a file is
            missing or invalid.

    Example:
        >>> task = Inference(questions=2)
        >>> print(task.show(task.batch(0, 1, lengths=(1, 1))))
        Inference, 32 steps
        graph  974 0 407, 407 7 974, 974 1 131, 131 4 407, 407 2 131, 131 1 974
        query  974 62 _
        wait   10 steps
        target 974 62 974, end
        query  131 62 _
        wait   10 steps
        target 131 62 131, end

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538, with the
        lessons of its extended data; it does not list its relations and families, and those here differ.
    """

    def __init__(
        self,
        *,
        min_lesson: int = 1,
        max_lesson: int = 17,
        questions: int = 3,
        planning: int = 10,
        review: float = 0.1,
        data_dir: str | None = None,
    ):
        check_lessons(self, (min_lesson, max_lesson), len(INFERENCE))
        checks.at_least(1, questions=questions, planning=planning)
        checks.probabilities(review=review)
        self.lengths = (min_lesson, max_lesson)
        self.questions, self.planning, self.review = questions, planning, review
        trees, self.data = examples_of(
            data_dir, KINSHIP, read=read, otherwise=hinton_families, name="Hinton's families", kind="shipped"
        )
        self.trees = len(trees)
        self.atlas = Atlas([*trees, *(synthetic_family(number) for number in range(SYNTHETIC))])

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw graphs and questions, and lay out the edges and, for each question, the query, blank steps and the answer."""
        drawn = draw_lessons(LESSONS, batch_size, lengths, self.review, generator)
        graphs, possible, ways = self._with_relations(drawn, generator)
        triples, counts, order = shuffled_triples(graphs, generator)
        one, blank = torch.ones_like(counts), torch.full_like(counts, BLANK)
        phases, paths = [Phase(triples, counts)], []
        for _ in range(self.questions):
            start, relation = _question(possible, generator)
            path = ways[torch.arange(batch_size), start, relation]
            steps = (path >= 0).sum(1)
            end = ends(graphs, path.gather(1, steps[:, None] - 1)[:, 0])
            first, last = (graphs.node_labels.gather(1, node[:, None])[:, 0] for node in (start, end))
            name = relation_labels()[relation]
            query, answer = (torch.stack([first, name, what], dim=-1)[:, None] for what in (blank, last))
            phases += [Phase(query, one), empty(self.planning * one), answering(answer, one)]
            paths.append(path)
        layout = laid_out(phases)
        return GraphBatch(
            inputs=layout.inputs,
            targets=encoded(layout.answers),
            mask=layout.mask,
            lengths=layout.lengths,
            graphs=graphs,
            shown=shown_at(order, counts, layout.mask.shape[1]),
            paths=torch.stack(paths, dim=1),
        )

    def _with_relations(
        self, drawn: Drawn, generator: torch.Generator
    ) -> tuple[Graphs, Bool[Tensor, "batch nodes relations"], Int[Tensor, "batch nodes relations steps"]]:
        """Draw graphs in each of which at least one relation of the lesson's lengths can be followed, and find these."""
        steps = (sequences() >= 0).sum(1)
        low, high = drawn.path
        allowed = ((steps >= low[:, None]) & (steps <= high[:, None]))[:, None]
        graphs = self._graphs(drawn, generator)
        for _ in range(ROUNDS):
            possible, ways = followed(graphs)
            possible &= allowed
            lacking = ~possible.flatten(1).any(1)
            if not lacking.any():
                return graphs, possible, ways
            graphs = chosen(lacking, self._graphs(drawn, generator), graphs)
        raise RuntimeError(f"no relation can be followed in any of {ROUNDS} graphs; this should never happen")

    def _graphs(self, drawn: Drawn, generator: torch.Generator) -> Graphs:
        graphs = draw_graphs(drawn.nodes, drawn.degrees, generator, edge_labels=EDGE_LABELS)
        beyond = drawn.lessons - len(INFERENCE)
        if not (beyond > 0).any():
            return graphs
        of_hinton, synthetic = (
            (torch.rand(len(beyond), dtype=torch.float32, generator=generator) * n).long()
            for n in (self.trees, SYNTHETIC)
        )
        known = torch.where(beyond == 1, of_hinton, torch.where(beyond == 2, self.trees + synthetic, -1))
        return self.atlas.replacing(graphs, known, generator, edge_labels=EDGE_LABELS)

    def picture(self, batch: GraphBatch, outputs: Tensor | None = None, row: int = 0) -> GraphPicture:
        """Return the data of a figure of one example: the graph, the paths of the relations, inputs, targets and outputs."""
        return picture_of(batch, self.atlas.graphs, outputs, row)


def _question(possible: Bool[Tensor, "batch nodes relations"], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw a node and a relation that can be followed from it.

    The number of edges of the relation is drawn first, uniformly from those that occur in the graph, then a node and a relation
    of that number, uniformly.
    """
    steps = (sequences() >= 0).sum(1)
    relations = possible.shape[2]
    some = possible.any(1)
    has = torch.stack([(some & (steps == number)).any(1) for number in STEPS], dim=1)
    chances = torch.rand(has.shape, dtype=torch.float32, generator=generator).masked_fill(~has, -1.0)
    number = torch.tensor(STEPS)[chances.argmax(1)]
    open_to = possible & (steps == number[:, None])[:, None]
    chances = torch.rand(possible.shape, dtype=torch.float32, generator=generator).masked_fill(~open_to, -1.0)
    flat = chances.flatten(1).argmax(1)
    return flat // relations, flat % relations


CARD = TaskCard(
    name="inference",
    summary="Find the node in a given relation to another, where a relation is a sequence of edges.",
    paper=("graves2016",),
    inputs=("sequences",),
    small={"max_lesson": 1, "questions": 1, "planning": 1},
    unit="lessons",
    test_lengths=(1, 4, 9, 13, 17, 18),
    picture_length=18,
)
