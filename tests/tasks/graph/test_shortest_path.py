"""Shortest path: each step is compared with a breadth-first search over the presented edges."""

import itertools
import math

import pytest
import torch

from memtape import NTM
from memtape.tasks.graph.encoding import decoded, encoded
from memtape.tasks.graph.lessons import SHORTEST_PATH
from memtape.tasks.graph.planner import FAR
from memtape.tasks.graph.shortest_path import ShortestPath
from memtape.training.draw_batch import draw_batch
from memtape.training.evaluation import evaluate


def search(leads, start, goal):
    """Return the number of edges from a start to a goal, by breadth-first search."""
    found, waiting = {start: 0}, [start]
    for node in waiting:
        for target in leads.get(node, {}).values():
            if target not in found:
                found[target] = found[node] + 1
                waiting.append(target)
    return found.get(goal, FAR)


def read(batch, row):
    """Return the contents of a row: its edges, the ends, the inputs of the path, and the presented edges to choose
    from.
    """
    length = int(batch.lengths[row])
    triples = decoded(batch.inputs[row, :length, :90]).tolist()
    marks = [*batch.inputs[row, :length, 90].nonzero().flatten().tolist(), length]
    edges, (query,), wait, path = (triples[first:last] for first, last in itertools.pairwise(marks))
    assert wait == [[-1] * 3] * 10
    assert query[1] == -1
    assert batch.inputs[row, :length, 91].tolist() == batch.mask[row, :length].tolist()
    assert batch.mask[row].sum() == len(path)
    assert batch.mask[row, length - len(path) : length].all()
    leads = {}
    for source, edge, target in edges:
        leads.setdefault(source, {})[edge] = target
    choices = batch.targets[row, length - len(path) : length].tolist()
    return leads, query[0], query[2], path, choices


def follow(batch, row):
    """Follow a row, check each step, and return the shortest length, the edges, and whether the goal is reached."""
    leads, start, goal, path, choices = read(batch, row)
    node, shortest, taken = start, search(leads, start, goal), []
    assert path[0] == [-1] * 3
    for step, offered in enumerate(choices):
        valid = [choice for choice in offered if choice[0] != -1]
        assert sorted(choice[:3] for choice in valid) == sorted([node, edge, t] for edge, t in leads[node].items())
        for choice in valid:
            assert choice[3] == search(leads, choice[2], goal)
        (planned,) = [choice for choice in offered if choice[4]]
        assert planned[3] == min(choice[3] for choice in valid)
        last = step == len(choices) - 1
        flat = int(batch.paths[row, 0, step])
        width = batch.graphs.neighbours.shape[2]
        labels = batch.graphs.triples()[row, flat // width, flat % width].tolist()
        assert last or path[step + 1] == labels
        assert labels[0] == node
        node = labels[2]
        taken.append(labels)
        assert last or node != goal
    assert len(taken) == shortest + 1 or node == goal
    assert len(taken) <= shortest + 1
    return shortest, taken, node == goal


@pytest.mark.parametrize("lesson", [1, 5, 15, 16])
def test_the_planner_follows_a_shortest_path(lesson):
    batch = ShortestPath().batch(0, 12, lengths=(lesson, lesson))
    lengths = set()
    for row in range(12):
        shortest, taken, reached = follow(batch, row)
        assert reached
        assert len(taken) == shortest
        lengths.add(shortest)
    low, high = SHORTEST_PATH[lesson - 1].path if lesson < 16 else (4, 4)
    assert lengths == set(range(low, high + 1))


def test_the_planner_takes_all_optimal_edges_with_equal_probability():
    batch = ShortestPath().batch(0, 300, lengths=(15, 15))
    choices = batch.targets[batch.mask]
    valid = choices[:, :, 0] != -1
    best = valid & (choices[:, :, 3] == choices[:, :, 3].masked_fill(~valid, FAR + 1).amin(1, keepdim=True))
    two = best.sum(1) == 2
    first = best[two].long().argmax(1) == choices[two][:, :, 4].argmax(1)
    assert two.sum() > 100
    assert abs(first.float().mean() - 0.5) < 4 * math.sqrt(0.25 / int(two.sum()))


def test_the_loss_sums_the_probability_of_all_optimal_edges():
    task = ShortestPath()
    batch = task.batch(0, 4, lengths=(8, 8))
    outputs = torch.randn(*batch.mask.shape, 90, dtype=torch.float64)
    nats, lost = [], []
    for row in range(4):
        steps = batch.mask[row].nonzero().flatten().tolist()
        lost.append(0)
        for step in steps:
            logits = outputs[row, step].reshape(9, 10).tolist()
            shares = []
            for source, edge, target, _, _ in batch.targets[row, step].tolist():
                if source == -1:
                    shares.append(0.0)
                    continue
                digits = [int(digit) for label in (source, edge, target) for digit in f"{label:03d}"]
                share = 1.0
                for place, digit in enumerate(digits):
                    share *= math.exp(logits[place][digit]) / sum(math.exp(logit) for logit in logits[place])
                shares.append(share)
            choices = batch.targets[row, step].tolist()
            right = [choice[4] for choice in choices].index(1)
            nats.append(-math.log(shares[right] / sum(shares)))
            taken = choices[shares.index(max(shares))]
            lost[-1] += taken[3] - min(choice[3] for choice in choices)
    assert task.loss(outputs, batch).item() == pytest.approx(sum(nats) / len(nats), rel=1e-9)
    scores = task.scores(outputs, batch)
    assert scores["cross_entropy"] == pytest.approx(sum(nats) / len(nats), rel=1e-9)
    assert scores["minimal"] == sum(one == 0 for one in lost) / 4
    assert scores["within_one"] == sum(one <= 1 for one in lost) / 4


def test_a_uniform_prediction_costs_the_logarithm_of_the_number_of_edges():
    task = ShortestPath()
    batch = task.batch(0, 400, lengths=(14, 14))
    level = torch.zeros(*batch.mask.shape, 90)
    assert task.chance((14, 14)) == {"cross_entropy": pytest.approx(task.loss(level, batch).item(), abs=0.05)}
    assert math.log(2) < task.chance((14, 14))["cross_entropy"] < math.log(5)
    assert task.chance((1, 1))["cross_entropy"] < math.log(2)


class Oracle:
    """Predict the planner's edge, or a wrong one if there is one; the state counts the steps of each row."""

    def __init__(self, batch, wrong_at=None):
        self.batch, self.wrong_at = batch, wrong_at

    def __call__(self, inputs, state, lengths):
        before = torch.zeros(len(inputs), dtype=torch.long) if state is None else state
        rows = torch.arange(len(inputs))
        node = self.batch.starts if state is None else self.node
        self.node = node
        if state is not None and inputs.shape[1] == 1:
            prediction = decoded(inputs[:, 0, :90])
            for row in rows.tolist():
                if prediction[row, 0] >= 0 and lengths[row]:
                    names = self.batch.graphs.node_labels[row].tolist()
                    self.node = self.node.clone()
                    self.node[row] = names.index(int(prediction[row, 2]))
        outputs = torch.zeros(len(inputs), inputs.shape[1], 90)
        table = self.batch.graphs.triples()
        for row in rows.tolist():
            node = int(self.node[row])
            ends = self.batch.graphs.neighbours[row, node, : self.batch.graphs.degrees[row, node]]
            far = self.batch.distances[row, ends, self.batch.goals[row]].tolist()
            wanted = max if self.wrong_at is not None and int(before[row]) == self.wrong_at + 1 else min
            outputs[row, -1] = 50 * encoded(table[row, node, far.index(wanted(far))])
        return outputs, before + (lengths > 0)


def test_a_network_that_predicts_the_path_is_right_at_every_step():
    task = ShortestPath()
    batch = task.batch(0, 10, lengths=(15, 15))
    played = task.play(batch, Oracle(batch), None)
    for row in range(10):
        shortest, taken, reached = follow(played, row)
        assert reached
        assert len(taken) == shortest
    assert torch.equal(played.inputs[:, : int(batch.begins.min())], batch.inputs[:, : int(batch.begins.min())])


def test_a_wrong_edge_is_followed():
    task = ShortestPath()
    batch = task.batch(0, 20, lengths=(15, 15))
    played = task.play(batch, Oracle(batch, wrong_at=0), None)
    astray = 0
    for row in range(20):
        shortest, taken, reached = follow(played, row)
        astray += not reached or len(taken) > shortest
    assert astray > 10


@pytest.fixture
def network():
    torch.manual_seed(0)
    return NTM(92, 90, slots=8, width=6, controller_size=12)


def test_scores_of_an_interactive_episode_are_those_of_its_paths(network):
    task = ShortestPath(min_lesson=1, max_lesson=5)
    scores = evaluate(network, task, sequences=32, seed=0, split="test")
    batch = draw_batch(task, network, 0, 32, seed=0, split="test")
    first = [follow(batch, row) for row in range(32)]
    assert scores["minimal"] == sum(reached and len(taken) == n for n, taken, reached in first) / 32
    assert scores["within_one"] == sum(reached for _, _, reached in first) / 32
    assert 0 < scores["minimal"] < scores["within_one"] < 1


def test_a_network_follows_its_most_probable_edge_without_the_planner(network):
    task = ShortestPath(min_lesson=8, max_lesson=8)
    batch = draw_batch(task, network, 0, 16, seed=0, split="test")
    outputs, _ = network(batch.inputs, lengths=batch.lengths)
    picture = [task.picture(batch, outputs, row) for row in range(16)]
    for row, drawn in enumerate(picture):
        _, taken, _ = follow(batch, row)
        assert [prediction for prediction in drawn.predicted if prediction] == [tuple(map(str, edge)) for edge in taken]
        (path,) = drawn.paths
        assert [drawn.edges[number][1] for number in path] == [str(edge[1]) for edge in taken]


def test_the_planner_acts_with_the_given_probability(network):
    def followed(share):
        task = ShortestPath(min_lesson=14, max_lesson=14, planner_share=share)
        batch = draw_batch(task, network, 0, 64, seed=0)
        same = batch.paths[:, 0]
        planned = batch.targets[batch.mask][:, :, 4].argmax(1)
        return (same[same >= 0] % batch.graphs.neighbours.shape[2] == planned).float().mean()

    alone = followed(0.0)
    assert alone < 0.5
    assert followed(1.0) == 1
    assert followed(0.8) == pytest.approx(0.8 + 0.2 * float(alone), abs=0.08)


def test_a_network_with_nan_outputs_still_acts_and_its_loss_is_nan():
    task = ShortestPath(planner_share=0.0)
    batch = task.batch(0, 8, lengths=(8, 8))

    def broken(inputs, state, lengths):
        return torch.full((*inputs.shape[:2], 90), torch.nan), 0

    for generator in (torch.Generator(), None):
        played = task.play(batch, broken, generator)
        for row in range(8):
            follow(played, row)
        assert task.loss(broken(played.inputs, None, None)[0], played).isnan()


def test_an_episode_is_a_pure_function_of_seed_split_index_and_network(network):
    task = ShortestPath(planner_share=0.3, max_lesson=8)

    def played(index=0, seed=0, split="train"):
        return draw_batch(task, network, index, 8, seed=seed, split=split)

    once = played()
    torch.rand(3)
    again = played()
    assert torch.equal(once.inputs, again.inputs)
    assert torch.equal(once.targets, again.targets)
    assert torch.equal(once.paths, again.paths)
    others = (played(index=1), played(seed=1), played(split="test"))
    assert all(
        other.inputs.shape != once.inputs.shape or not torch.equal(other.inputs, once.inputs) for other in others
    )


def test_an_example_is_shown_with_its_wrong_steps_marked(network):
    task = ShortestPath()
    batch = task.batch(0, 1, lengths=(8, 8))
    lines = task.show(batch, torch.randn(1, batch.mask.shape[1], 90)).splitlines()
    assert [line.split()[0] for line in lines if not line.startswith("  ")][1:] == [
        *("graph", "query", "wait", "path", "target", "output")
    ]
    assert lines[-2].removeprefix("target ") == ", ".join(" ".join(map(str, edge)) for edge in follow(batch, 0)[1])
    assert "!" in lines[-1]


def test_sizes_shares_and_lessons_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="planning is 0, but it must be at least 1"):
        ShortestPath(planning=0)
    with pytest.raises(ValueError, match=r"planner_share is 1\.5, but it is a probability"):
        ShortestPath(planner_share=1.5)
    with pytest.raises(ValueError, match=r"review is -0\.5, but it is a probability"):
        ShortestPath(review=-0.5)
    with pytest.raises(
        ValueError, match=r"max_lesson of ShortestPath is 16, but training has the lessons 1\.\.15; lower"
    ):
        ShortestPath(max_lesson=16)
