"""Shortest path: find a shortest path between two nodes of a graph presented edge by edge."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.graph_picture import GraphPicture
from memtape.core.score import Score
from memtape.core.task import DrawnTask, Player
from memtape.tasks.data_folder import examples_of
from memtape.tasks.graph.edge_choices import edge_scores, planner_nats
from memtape.tasks.graph.encoding import BLANK, CHANNELS, TRIPLE, as_text
from memtape.tasks.graph.graph_batch import shown_at
from memtape.tasks.graph.graphs import Graphs, chosen, draw_graphs, shuffled_triples
from memtape.tasks.graph.lessons import SHORTEST_PATH, Drawn, Lesson, check_lessons, draw_lessons
from memtape.tasks.graph.named_graph import Atlas
from memtape.tasks.graph.paths import Crossing, PathBatch, step_inputs, walked
from memtape.tasks.graph.phases import Phase, empty, laid_out
from memtape.tasks.graph.picture import picture_of
from memtape.tasks.graph.planner import distances, draw_ends
from memtape.tasks.graph.triple_text import shown_phases
from memtape.tasks.graph.underground import underground
from memtape.tasks.graph.underground_files import TUBE, read

LESSONS = (*SHORTEST_PATH, Lesson((2, 2), (1, 1), (4, 4)))
"""The lessons of training, and one of shortest paths of four steps through the London Underground, a fixed graph."""

ROUNDS = 1_000
"""How often a graph without two nodes at a distance of the lesson is drawn again, at most."""


class ShortestPath(DrawnTask):
    r"""Follow a shortest path from one node to another, edge by edge, given the edges of a graph and the two nodes.

    At each step the network chooses one of the outgoing edges of the current node. The outputs are logits of the nine digits
    of a triple. The probability of an edge is the product of those of its digits, normalised over the available edges,
    $p(e) = \prod_d p_d(e_d) / \sum_{e'} \prod_d p_d(e'_d)$. The edge that was taken is the next input. In training it is the
    edge of an optimal planner with probability `planner_share`, and otherwise drawn from the network's distribution; the target
    at each step is the planner's edge from the current node. In evaluation the network follows its most probable edges. A path
    ends at the goal, or one step after the length of a shortest path.

    An edge is a triple of labels: of its source node, of the edge itself, and of its target node. A label has three digits,
    each a one-hot vector of ten channels, so a triple takes 90 channels. Channel 90 marks the first step of each phase,
    channel 91 all steps of the path. The phases are the edges of the graph in random order, the query, "215 _ 380", blank
    planning steps, and the path.

    The length of an example is the number of its lesson, 1 to 15. A batch consists of examples of the longest lesson, and a
    share of examples of earlier ones. Lesson 16 is never used in training: paths of four steps between interchanges of the
    London Underground, with labels drawn anew for each example. `minimal` is the share of shortest paths, `within_one` that of
    paths at most one step longer.

    Args:
        min_lesson: first lesson of training.
        max_lesson: last lesson of training.
        planning: number of blank steps before the path.
        planner_share: in training, probability at each step that the path follows the planner's edge.
        review: share of examples drawn from the lessons before the last one.
        data_dir: data folder with `london_tube/london.connections.csv` and the two other files, for lesson 16; without it
            the graph of the Underground shipped with memtape is used.

    Raises:
        ValueError: a lesson does not exist, the range is empty, a size is below 1, a share is outside 0..1, or a file is
            missing or invalid.

    Example:
        >>> task = ShortestPath()
        >>> print(task.show(task.batch(0, 1, lengths=(1, 1))))
        ShortestPath, 28 steps
        graph  945 391 634, 505 409 928, 764 248 928, 634 121 945, 928 391 505, 463 409 928
               505 121 318, 637 976 945, 90 390 945, 463 976 525, 90 248 634, 525 976 637
               945 248 637, 318 121 505, 637 370 634
        query  90 _ 637
        wait   10 steps
        path   90 390 945
        target 90 390 945, 945 248 637

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538, with the
        lessons of its extended data; lesson 16 uses another graph of the Underground than its figure 2.
        Ross, Gordon & Bagnell (2011), "A reduction of imitation learning and structured prediction to no-regret online
        learning", arXiv:1011.0686, for the mixture of the planner's and the network's choices.
    """

    interactive = True
    scored = (
        Score(name="cross_entropy", label="cross-entropy, nats per step", short="nats"),
        Score(name="minimal", label="share of shortest paths", short="minimal", higher_is_better=True),
        Score(
            name="within_one", label="share of paths at most one step longer", short="within one", higher_is_better=True
        ),
    )
    solved_at = 0.8
    input_size = CHANNELS
    output_size = TRIPLE

    def __init__(
        self,
        *,
        min_lesson: int = 1,
        max_lesson: int = 15,
        planning: int = 10,
        planner_share: float = 0.8,
        review: float = 0.0,
        data_dir: str | None = None,
    ):
        check_lessons(self, (min_lesson, max_lesson), len(SHORTEST_PATH))
        checks.at_least(1, planning=planning)
        checks.probabilities(planner_share=planner_share, review=review)
        self.lengths = (min_lesson, max_lesson)
        self.planning, self.planner_share, self.review = planning, planner_share, review
        network, self.data = examples_of(
            data_dir, TUBE, read=read, otherwise=underground, name="the London Underground in zone 1", kind="shipped"
        )
        self.atlas = Atlas([network])

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw graphs, starts and goals, and lay out the edges, the query, blank steps and the planner's path."""
        drawn = draw_lessons(LESSONS, batch_size, lengths, self.review, generator)
        graphs, steps, starts, goals = self._asked(drawn, generator)
        triples, counts, order = shuffled_triples(graphs, generator)
        one = torch.ones_like(counts)
        first, last = (graphs.node_labels.gather(1, node[:, None])[:, 0] for node in (starts, goals))
        query = torch.stack([first, torch.full_like(first, BLANK), last], dim=-1)[:, None]
        layout = laid_out([Phase(triples, counts), Phase(query, one), empty(self.planning * one)])
        asked = PathBatch(
            inputs=layout.inputs,
            targets=torch.zeros_like(layout.answers),
            mask=layout.mask,
            lengths=layout.lengths,
            graphs=graphs,
            shown=shown_at(order, counts, layout.mask.shape[1]),
            paths=torch.empty(batch_size, 1, 0, dtype=torch.long),
            starts=starts,
            goals=goals,
            begins=layout.lengths,
            limits=steps[torch.arange(batch_size), starts, goals] + 1,
            distances=steps,
        )
        return walked(asked, lambda crossing: crossing.planned, generator)

    def play(self, batch: SequenceBatch, player: Player, generator: torch.Generator | None) -> SequenceBatch:
        """Let a network choose the edges of the paths, in training mixed with the planner's choices."""
        assert isinstance(batch, PathBatch)
        _, state = player(batch.inputs[:, : int(batch.begins.max())], None, batch.begins)

        def choose(crossing: Crossing) -> Tensor:
            nonlocal state
            outputs, state = player(step_inputs(crossing)[:, None], state, crossing.alive.long())
            scores = edge_scores(outputs[:, 0], crossing.triples)
            if generator is None:
                return scores.argmax(1)
            own = torch.multinomial(_chances(scores, crossing), 1, generator=generator)[:, 0]
            led = torch.rand(len(own), dtype=torch.float32, generator=generator) < self.planner_share
            return torch.where(led, crossing.planned, own)

        return walked(batch, choose, generator)

    def _asked(self, drawn: Drawn, generator: torch.Generator) -> tuple[Graphs, Tensor, Tensor, Tensor]:
        """Draw graphs, and return them with the distances between their nodes, and a start and a goal for each."""
        graphs = self._graphs(drawn, generator)
        for _ in range(ROUNDS):
            steps = distances(graphs)
            starts, goals, found = draw_ends(steps, *drawn.path, generator)
            if found.all():
                return graphs, steps, starts, goals
            graphs = chosen(found, graphs, self._graphs(drawn, generator))
        raise RuntimeError(f"no two nodes are far enough apart in any of {ROUNDS} graphs; this should never happen")

    def _graphs(self, drawn: Drawn, generator: torch.Generator) -> Graphs:
        graphs = draw_graphs(drawn.nodes, drawn.degrees, generator)
        beyond = drawn.lessons == len(LESSONS)
        return self.atlas.replacing(graphs, torch.where(beyond, 0, -1), generator) if beyond.any() else graphs

    def loss(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        """Return the mean cross-entropy of the planner's edges, in nats per step."""
        return planner_nats(outputs[batch.mask], batch.targets[batch.mask]).mean()

    def weight(self, batch: SequenceBatch) -> float:
        """Return the number of steps of all paths."""
        return float(batch.mask.sum())

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the cross-entropy in nats, and the numbers of steps, paths, shortest paths, and paths within one step.

        The excess of a scored step is the distance to the goal after the most probable edge minus that after the best edge;
        the excess of a path is the sum over its steps.
        """
        answer, choices = outputs.detach()[batch.mask], batch.targets[batch.mask]
        after = choices[..., 3]
        taken = edge_scores(answer, choices[..., :3]).argmax(1)
        excess = after.gather(1, taken[:, None])[:, 0] - after.amin(1)
        rows = batch.mask.nonzero()[:, 0]
        of_path = torch.zeros(len(batch), dtype=excess.dtype, device=excess.device).index_add(0, rows, excess)
        return {
            "nats": float(planner_nats(answer, choices).sum()),
            "steps": float(len(answer)),
            "minimal": float((of_path == 0).sum()),
            "within_one": float((of_path <= 1).sum()),
            "paths": float(len(batch)),
        }

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `cross_entropy` per step, `minimal` and `within_one`."""
        shares = {name: tally[name] / tally["paths"] for name in ("minimal", "within_one")}
        return {"cross_entropy": tally["nats"] / tally["steps"], **shares}

    def chance(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the cross-entropy of a uniform distribution over the available edges, averaged over the planner's steps."""
        batch = self.batch(0, 256, split="example", lengths=lengths)
        edges = (batch.targets[batch.mask][..., 0] != BLANK).sum(-1)
        return {"cross_entropy": float(edges.double().log().mean())}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the graph, the query, the path, and the planner's edges along it.

        With `outputs`, the most probable edges follow; `!` marks those after which the goal is farther than it need be.
        """
        length = int(batch.lengths[row])
        scored = batch.mask[row, :length]
        choices = batch.targets[row, :length][scored]
        planned = choices[torch.arange(len(choices)), choices[..., 4].argmax(1)]
        lines = shown_phases(batch.inputs[row, :length], None, None)
        lines.append("target " + ", ".join(as_text(edge[:3]) for edge in planned))
        if outputs is not None:
            taken = choices[
                torch.arange(len(choices)), edge_scores(outputs[row, :length][scored], choices[..., :3]).argmax(1)
            ]
            marks = ["" if edge[3] == right[3] else "!" for edge, right in zip(taken, planned, strict=True)]
            lines.append(
                "output " + ", ".join(f"{as_text(edge[:3])}{mark}" for edge, mark in zip(taken, marks, strict=True))
            )
        return "\n".join([f"{type(self).__name__}, {length} steps", *lines])

    def picture(self, batch: PathBatch, outputs: Tensor | None = None, row: int = 0) -> GraphPicture:
        """Return the data of a figure of one example: the graph, the path, and the inputs, targets and outputs of each step."""
        rows = torch.arange(len(batch))[:, None]
        times = torch.arange(batch.mask.shape[1])
        choices = batch.targets
        planned = choices[rows, times, choices[..., 4].argmax(-1), :3]
        predicted = None
        if outputs is not None:
            best = edge_scores(outputs.flatten(0, 1), choices[..., :3].flatten(0, 1)).argmax(-1)
            predicted = choices[rows, times, best.reshape(batch.mask.shape), :3]
        return picture_of(batch, self.atlas.graphs, predicted, row, answers=planned)


def _chances(scores: Float[Tensor, "batch edges"], crossing: Crossing) -> Float[Tensor, "batch edges"]:
    """Return the probability of each edge; uniform where the outputs are NaN, which the loss will report."""
    uniform = (crossing.triples[..., 0] != BLANK).to(scores)
    return torch.where(scores.isnan().any(1, keepdim=True), uniform, scores.exp())


CARD = TaskCard(
    name="shortest-path",
    summary="Find a shortest path between two nodes of a graph.",
    paper=("graves2016",),
    inputs=("sequences",),
    small={"min_lesson": 8, "max_lesson": 9},
    unit="lessons",
    test_lengths=(1, 4, 8, 12, 15, 16),
    picture_length=16,
)
