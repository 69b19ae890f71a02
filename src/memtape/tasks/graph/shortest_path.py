"""Shortest path: go from a node to another along as few edges as there can be, in a graph that was told edge by edge."""

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
from memtape.tasks.graph.edge_choices import edge_scores, planner_nats
from memtape.tasks.graph.encoding import BLANK, CHANNELS, TRIPLE, told
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
from memtape.tasks.graph.underground_files import read

LESSONS = (*SHORTEST_PATH, Lesson((2, 2), (1, 1), (4, 4)))
"""Those of training, and shortest paths of four steps through the Underground, whose graph is what it is."""

ROUNDS = 1_000
"""Graphs are drawn again so often, at most, where no two nodes are as far apart as a lesson wants."""


class ShortestPath(DrawnTask):
    r"""See the edges of a graph, then two nodes, and go from the one to the other, edge by edge, as short a way as there is.

    At each step the network chooses among the edges that leave the node where it stands. An output of ten digits nine times
    gives an edge the product of the probabilities of its digits, and these are made to sum to 1 over the edges that can be
    taken, $p(e) = \prod_d p_d(e_d) / \sum_{e'} \prod_d p_d(e'_d)$. The next input is the edge that was taken. In training it
    is that of an optimal planner with a probability, and else one drawn from the network's own; what is learned at each step
    is the planner's, wherever the path stands. Otherwise the network goes alone, along its most probable edges. A path ends
    at the goal, or one step after it could have been there.

    An edge is told as a triple of labels, of the node that it leaves, of itself, and of the node that it leads to, each three
    digits of ten channels. One more channel marks the first step of each phase, and another all steps of the path. The phases
    are the edges in random order; the question, "215 _ 380"; empty steps to think; and the path.

    A length is a lesson, from 1 to 15. A batch is of its longest lesson, but for a share of earlier ones. Lesson 16, which
    training never draws, are paths of four steps from interchange to interchange of the London Underground, with labels drawn
    anew for each. `minimal` is the share of paths that are as short as can be, `within_one` of those that are at most one step
    longer.

    Args:
        min_lesson: first lesson of training.
        max_lesson: last lesson of training.
        planning: empty steps before the path.
        planner_share: probability, at each step of a path in training, that it goes on along the planner's edge.
        review: share of examples that are of the lessons before the last one.
        data_dir: folder of data, with `london_tube/london.connections.csv` and the two other files, for lesson 16; without it
            the Underground is the one that this project wrote down.

    Raises:
        ValueError: a lesson that does not exist, an empty range, a size below 1, a share outside of 0..1, or a file that is
            missing or is not what it should be.

    Example:
        >>> task = ShortestPath()
        >>> print(task.show(task.batch(0, 1, lengths=(1, 1))))
        ShortestPath, 28 steps
        told   945 391 634, 505 409 928, 764 248 928, 634 121 945, 928 391 505, 463 409 928
               505 121 318, 637 976 945, 90 390 945, 463 976 525, 90 248 634, 525 976 637
               945 248 637, 318 121 505, 637 370 634
        asked  90 _ 637
        wait   10 steps
        went   90 390 945
        target 90 390 945, 945 248 637

    References:
        Graves et al. (2016), "Hybrid computing using a neural network with dynamic external memory", Nature 538, with the
        lessons of the extended data, and as lesson 16 a graph of our own for that of its figure 2.
        Ross, Gordon & Bagnell (2011), "A reduction of imitation learning and structured prediction to no-regret online
        learning", arXiv:1011.0686, for mixing the planner with the network.
    """

    played = True
    scored = (
        Score(name="cross_entropy", label="cross-entropy, nats per step", short="nats"),
        Score(name="minimal", label="paths of least length", short="least", higher_is_better=True),
        Score(name="within_one", label="paths at most one step longer", short="within one", higher_is_better=True),
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
        self.atlas = Atlas([underground() if data_dir is None else read(data_dir)])

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw graphs and ends and lay them out: edges, question, empty steps, and the path that the planner takes."""
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
        """Let a network choose the edges, in training along with the planner."""
        assert isinstance(batch, PathBatch)
        _, state = player(batch.inputs[:, : int(batch.begins.max())], None, batch.begins)

        def choose(crossing: Crossing) -> Tensor:
            nonlocal state
            outputs, state = player(step_inputs(crossing)[:, None], state, crossing.alive.long())
            scores = edge_scores(outputs[:, 0], crossing.triples)
            if generator is None:
                return scores.argmax(1)
            own = torch.multinomial(_chances(scores, crossing), 1, generator=generator)[:, 0]
            led = torch.rand(len(own), generator=generator) < self.planner_share
            return torch.where(led, crossing.planned, own)

        return walked(batch, choose, generator)

    def _asked(self, drawn: Drawn, generator: torch.Generator) -> tuple[Graphs, Tensor, Tensor, Tensor]:
        """Return graphs, how far their nodes are from one another, and a node and a goal of each."""
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
        """Return the mean cross-entropy of the planner's edges, in nats."""
        return planner_nats(outputs[batch.mask], batch.targets[batch.mask]).mean()

    def weight(self, batch: SequenceBatch) -> float:
        """Return the number of steps of all paths."""
        return float(batch.mask.sum())

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the cross-entropy in nats, the numbers of steps and paths, and how many paths lose no step and at most one.

        A step that is not scored loses nothing; one that is loses as many steps as the goal is farther after the most probable
        edge than after the best one.
        """
        answer, choices = outputs.detach()[batch.mask], batch.targets[batch.mask]
        after = choices[..., 3]
        taken = edge_scores(answer, choices[..., :3]).argmax(1)
        lost = after.gather(1, taken[:, None])[:, 0] - after.amin(1)
        rows = batch.mask.nonzero()[:, 0]
        losses = torch.zeros(len(batch), dtype=lost.dtype, device=lost.device).index_add(0, rows, lost)
        return {
            "nats": float(planner_nats(answer, choices).sum()),
            "steps": float(len(answer)),
            "minimal": float((losses == 0).sum()),
            "within_one": float((losses <= 1).sum()),
            "paths": float(len(batch)),
        }

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `cross_entropy` per step, `minimal` and `within_one`."""
        shares = {name: tally[name] / tally["paths"] for name in ("minimal", "within_one")}
        return {"cross_entropy": tally["nats"] / tally["steps"], **shares}

    def guess(self, lengths: tuple[int, int]) -> dict[str, float]:
        """Return the cross-entropy of who holds all edges alike, an average over steps of the planner."""
        batch = self.batch(0, 256, split="example", lengths=lengths)
        edges = (batch.targets[batch.mask][..., 0] != BLANK).sum(-1)
        return {"cross_entropy": float(edges.double().log().mean())}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the edges that are told, the question, the path, and the planner's edges along it.

        With `outputs`, the most probable edges along the path follow, and those that lead away from the goal are marked by `!`.
        """
        length = int(batch.lengths[row])
        scored = batch.mask[row, :length]
        choices = batch.targets[row, :length][scored]
        planned = choices[torch.arange(len(choices)), choices[..., 4].argmax(1)]
        lines = shown_phases(batch.inputs[row, :length], None, None)
        lines.append("target " + ", ".join(told(edge[:3]) for edge in planned))
        if outputs is not None:
            taken = choices[
                torch.arange(len(choices)), edge_scores(outputs[row, :length][scored], choices[..., :3]).argmax(1)
            ]
            marks = ["" if edge[3] == right[3] else "!" for edge, right in zip(taken, planned, strict=True)]
            lines.append(
                "output " + ", ".join(f"{told(edge[:3])}{mark}" for edge, mark in zip(taken, marks, strict=True))
            )
        return "\n".join([f"{type(self).__name__}, {length} steps", *lines])

    def picture(self, batch: PathBatch, outputs: Tensor | None = None, row: int = 0) -> GraphPicture:
        """Return what a figure of one example needs: the graph, the path, what is told and asked, and the edges along it."""
        rows = torch.arange(len(batch))[:, None]
        times = torch.arange(batch.mask.shape[1])
        choices = batch.targets
        planned = choices[rows, times, choices[..., 4].argmax(-1), :3]
        said = None
        if outputs is not None:
            best = edge_scores(outputs.flatten(0, 1), choices[..., :3].flatten(0, 1)).argmax(-1)
            said = choices[rows, times, best.reshape(batch.mask.shape), :3]
        return picture_of(batch, self.atlas.graphs, said, row, answers=planned)


def _chances(scores: Float[Tensor, "batch edges"], crossing: Crossing) -> Float[Tensor, "batch edges"]:
    """Return the probability of each edge; all alike where the network says no numbers, which its loss will tell."""
    alike = (crossing.triples[..., 0] != BLANK).to(scores)
    return torch.where(scores.isnan().any(1, keepdim=True), alike, scores.exp())


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
