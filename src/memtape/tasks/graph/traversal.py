"""Traversal: follow a walk, given by its edge labels, through a graph presented edge by edge."""

import torch
from torch import Tensor
from torch.nn import functional

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.graph_picture import GraphPicture
from memtape.tasks.data_folder import examples_of
from memtape.tasks.graph.encoding import BLANK, encoded
from memtape.tasks.graph.graph_batch import GraphBatch, shown_at
from memtape.tasks.graph.graphs import draw_between, draw_graphs, shuffled_triples
from memtape.tasks.graph.lessons import TRAVERSAL, Lesson, check_lessons, draw_lessons
from memtape.tasks.graph.named_graph import Atlas
from memtape.tasks.graph.phases import Phase, answering, laid_out
from memtape.tasks.graph.picture import picture_of
from memtape.tasks.graph.triples import TripleTask
from memtape.tasks.graph.underground import underground
from memtape.tasks.graph.underground_files import TUBE, read
from memtape.tasks.graph.walks import edge_triples, random_walks

LESSONS = (*TRAVERSAL, Lesson((2, 2), (1, 1), (7, 7)))
"""The lessons of training, and one of walks of seven steps through the London Underground, a fixed graph."""


class Traversal(TripleTask):
    """Output all edges of a walk through a graph, given the edges of the graph, the first node and the labels of the walk.

    An edge is a triple of labels: of its source node, of the edge itself, and of its target node. A label has three digits,
    each a one-hot vector of ten channels, so a triple takes 90 channels. Channel 90 marks the first step of each phase,
    channel 91 all steps of an answer. The phases are the edges of the graph in random order, and then for each question the
    query, "215 7 _, _ 13 _, ...", and the answer: all triples of the walk and an end marker.

    The length of an example is the number of its lesson, 1 to 14. A batch consists of examples of the longest lesson, and a
    share of examples of earlier ones. Lesson 15 is never used in training: walks of seven steps between interchanges of the
    London Underground, with labels drawn anew for each example.

    Args:
        min_lesson: first lesson of training.
        max_lesson: last lesson of training.
        questions: number of walks through each graph, one after another.
        review: share of examples drawn from the lessons before the last one.
        data_dir: data folder with `london_tube/london.connections.csv` and the two other files, for lesson 15; without it
            the graph of the Underground shipped with memtape is used.

    Raises:
        ValueError: a lesson does not exist, the range is empty, the number of questions is below 1, a share is outside 0..1,
            or a file is missing or invalid.

    Example:
        >>> task = Traversal()
        >>> print(task.show(task.batch(0, 1, lengths=(2, 2))))
        Traversal, 31 steps
        graph  463 133 505, 90 248 634, 928 150 318, 764 121 318, 928 976 764, 945 391 634
               634 121 945, 637 976 945, 318 976 928, 637 121 525, 463 976 525, 505 150 525
               945 248 637, 637 370 634, 505 121 318, 463 409 928, 90 390 945, 637 150 505
               634 248 637, 318 121 505, 945 976 525, 928 391 505, 505 409 928, 525 976 637
               764 248 928, 505 133 764, 90 150 318, 525 150 463
        query  505 133 _
        target 505 133 764, end

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538, with the
        lessons of its extended data; lesson 15 uses another graph of the Underground than its figure 2.
    """

    def __init__(
        self,
        *,
        min_lesson: int = 1,
        max_lesson: int = 14,
        questions: int = 1,
        review: float = 0.1,
        data_dir: str | None = None,
    ):
        check_lessons(self, (min_lesson, max_lesson), len(TRAVERSAL))
        checks.at_least(1, questions=questions)
        checks.probabilities(review=review)
        self.lengths = (min_lesson, max_lesson)
        self.questions, self.review = questions, review
        network, self.data = examples_of(
            data_dir, TUBE, read=read, otherwise=underground, name="the London Underground in zone 1", kind="shipped"
        )
        self.atlas = Atlas([network])

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw graphs and walks, and lay out the edges and, for each question, the query and the answer."""
        drawn = draw_lessons(LESSONS, batch_size, lengths, self.review, generator)
        graphs = draw_graphs(drawn.nodes, drawn.degrees, generator)
        if lengths[1] == len(LESSONS):
            known = torch.where(drawn.lessons == len(LESSONS), 0, -1)
            graphs = self.atlas.replacing(graphs, known, generator)
        phases, paths = [], []
        for _ in range(self.questions):
            steps = draw_between(*drawn.path, generator)
            path = random_walks(graphs, steps, generator)
            walk = edge_triples(graphs, path)
            asked = walk.clone()
            asked[:, 1:, 0] = BLANK
            asked[:, :, 2] = BLANK
            phases += [Phase(asked, steps), answering(walk, steps)]
            paths.append(path)
        triples, counts, order = shuffled_triples(graphs, generator)
        layout = laid_out([Phase(triples, counts), *phases])
        longest = max(path.shape[1] for path in paths)
        return GraphBatch(
            inputs=layout.inputs,
            targets=encoded(layout.answers),
            mask=layout.mask,
            lengths=layout.lengths,
            graphs=graphs,
            shown=shown_at(order, counts, layout.mask.shape[1]),
            paths=torch.stack([functional.pad(path, (0, longest - path.shape[1]), value=-1) for path in paths], dim=1),
        )

    def picture(self, batch: GraphBatch, outputs: Tensor | None = None, row: int = 0) -> GraphPicture:
        """Return the data of a figure of one example: the graph, the walk, and the inputs, targets and outputs of each step."""
        return picture_of(batch, self.atlas.graphs, outputs, row)


CARD = TaskCard(
    name="traversal",
    summary="Follow a walk through a graph, given the labels of its edges.",
    paper=("graves2016",),
    inputs=("sequences",),
    small={"max_lesson": 1},
    unit="lessons",
    test_lengths=(1, 2, 3, 5, 8, 11, 14, 15),
    picture_length=15,
)
