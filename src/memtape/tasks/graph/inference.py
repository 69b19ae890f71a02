"""Inference: who stands in a relation to a node, where a relation is the name of a sequence of edges."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.graph_picture import GraphPicture
from memtape.tasks.graph.encoding import BLANK, encoded
from memtape.tasks.graph.families import hinton, invented
from memtape.tasks.graph.family_files import read
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
"""Relations of four steps in families, whose graphs are what they are."""

LESSONS = (*INFERENCE, FAMILIES, FAMILIES)

INVENTED = 64
"""Families that are made up."""

ROUNDS = 1_000
"""Graphs are drawn again so often, at most, where no relation can be followed."""


class Inference(TripleTask):
    """See the edges of a graph, then a node and the name of a relation, and say the node that stands in it.

    Edges are called 0 to 9. Each of the relations, 10 to 409, stands for a sequence of two to five edges, always the same;
    which ones is never told, and has to be learned. An edge is told as a triple of labels, of the node that it leaves, of
    itself, and of the node that it leads to, each three digits of ten channels. One more channel marks the first step of each
    phase, and another all steps of an answer. The phases are the edges in random order, and for each question: the question,
    "215 63 _"; empty steps to think; and the answer, "215 63 380" and an end.

    A length is a lesson, from 1 to 17. A batch is of its longest lesson, but for a share of earlier ones. Training never draws
    lesson 18, relations of four steps in the two families of Hinton, and lesson 19, such in families that are made up; what
    their edges are called is drawn anew for each.

    Args:
        min_lesson: first lesson of training.
        max_lesson: last lesson of training.
        questions: questions about each graph.
        planning: empty steps before each answer.
        review: share of examples that are of the lessons before the last one.
        data_dir: folder of data, with `kinship_hinton/hinton1986_triples.tsv`, for lesson 18; without it the families are those
            that this project wrote down.

    Raises:
        ValueError: a lesson that does not exist, an empty range, a size below 1, a share outside of 0..1, or a file that is
            missing or is not what it should be.

    Example:
        >>> task = Inference(questions=2)
        >>> print(task.show(task.batch(0, 1, lengths=(1, 1))))
        Inference, 32 steps
        told   974 0 407, 407 7 974, 974 1 131, 131 4 407, 407 2 131, 131 1 974
        asked  974 62 _
        wait   10 steps
        target 974 62 974, end
        asked  131 62 _
        wait   10 steps
        target 131 62 131, end

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538, with the
        lessons of the extended data; the relations and the families are our own.
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
        trees = hinton() if data_dir is None else read(data_dir)
        self.trees = len(trees)
        self.atlas = Atlas([*trees, *(invented(number) for number in range(INVENTED))])

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw graphs and questions and lay them out: edges, and for each question a query, empty steps and the answer."""
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
        """Return graphs, and which relations of the lessons' lengths can be followed in them: in each graph at least one."""
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
        of_hinton, made_up = ((torch.rand(len(beyond), generator=generator) * n).long() for n in (self.trees, INVENTED))
        known = torch.where(beyond == 1, of_hinton, torch.where(beyond == 2, self.trees + made_up, -1))
        return self.atlas.replacing(graphs, known, generator, edge_labels=EDGE_LABELS)

    def picture(self, batch: GraphBatch, outputs: Tensor | None = None, row: int = 0) -> GraphPicture:
        """Return what a figure of one example needs: the graph, the ways of the relations, what is told, asked and said."""
        return picture_of(batch, self.atlas.graphs, outputs, row)


def _question(possible: Bool[Tensor, "batch nodes relations"], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw a node and a relation that can be followed from it: its number of edges first, of those that there are.

    All numbers of edges that a graph has relations of are alike, and so are all nodes and relations of that number.
    """
    steps = (sequences() >= 0).sum(1)
    relations = possible.shape[2]
    some = possible.any(1)
    has = torch.stack([(some & (steps == number)).any(1) for number in STEPS], dim=1)
    chances = torch.rand(has.shape, generator=generator).masked_fill(~has, -1.0)
    number = torch.tensor(STEPS)[chances.argmax(1)]
    open_to = possible & (steps == number[:, None])[:, None]
    chances = torch.rand(possible.shape, generator=generator).masked_fill(~open_to, -1.0)
    flat = chances.flatten(1).argmax(1)
    return flat // relations, flat % relations


CARD = TaskCard(
    name="inference",
    summary="Find the node in a given relation to another, where the relation is a chain of edges.",
    paper=("graves2016",),
    inputs=("sequences",),
    small={"max_lesson": 1, "questions": 1, "planning": 1},
    unit="lessons",
    test_lengths=(1, 4, 9, 13, 17, 18),
    picture_length=18,
)
