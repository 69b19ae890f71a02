"""The planner against a breadth-first search."""

import pytest
import torch

from memtape.tasks.graph.graphs import draw_between, draw_graphs
from memtape.tasks.graph.planner import FAR, after_each_edge, distances, draw_ends


@pytest.fixture(params=[(1, 2), (2, 4)])
def graphs(request):
    generator = torch.Generator().manual_seed(3)
    nodes = draw_between(torch.full((25,), 3), torch.full((25,), 14), generator)
    low, high = (torch.full((25,), bound) for bound in request.param)
    return draw_graphs(nodes, (low, high), generator)


def search(graphs, row, start):
    """Return the distance of each node from a start, by breadth-first search."""
    found, waiting = {start: 0}, [start]
    for node in waiting:
        for target in graphs.neighbours[row, node, : graphs.degrees[row, node]].tolist():
            if target not in found:
                found[target] = found[node] + 1
                waiting.append(target)
    return found


def test_distances_are_those_of_a_search(graphs):
    steps, nodes, far = distances(graphs), graphs.degrees.shape[1], 0
    for row in range(25):
        for start in range(int((graphs.degrees[row] > 0).sum())):
            found = search(graphs, row, start)
            assert steps[row, start].tolist() == [found.get(goal, FAR) for goal in range(nodes)]
            far = max(far, *found.values())
    assert far > 3


def test_the_distance_after_an_edge_is_that_of_its_target(graphs):
    steps = distances(graphs)
    node, goal = torch.zeros(25, dtype=torch.long), torch.full((25,), 2)
    after = after_each_edge(graphs, steps, node, goal)
    for row in range(25):
        degree = int(graphs.degrees[row, 0])
        assert after[row, degree:].tolist() == [FAR] * (after.shape[1] - degree)
        for place, target in enumerate(graphs.neighbours[row, 0, :degree].tolist()):
            assert after[row, place] == search(graphs, row, target).get(2, FAR)


def test_ends_have_the_given_distance(graphs):
    steps = distances(graphs)
    generator = torch.Generator().manual_seed(0)
    low, high = torch.full((25,), 2), torch.full((25,), 3)
    seen, pairs = set(), set()
    for _ in range(20):
        starts, goals, found = draw_ends(steps, low, high, generator)
        for row in range(25):
            exists = ((steps[row] >= 2) & (steps[row] <= 3)).any()
            assert found[row] == exists
            if exists:
                seen.add(int(steps[row, starts[row], goals[row]]))
                pairs.add((row, int(starts[row]), int(goals[row])))
    assert seen == {2, 3}
    assert len(pairs) > 100


def test_missing_ends_are_not_found(graphs):
    bounds = torch.full((25,), 13)
    _, _, found = draw_ends(distances(graphs), bounds, bounds + 1, torch.Generator())
    assert not found.any()
