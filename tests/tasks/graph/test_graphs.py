"""Random graphs, edge by edge, against a loop over all points."""

import math

import pytest
import torch

from memtape.tasks.graph.graphs import draw_between, draw_graphs, shuffled_triples


def several(low, high, degrees, seed=0, rows=40, **options):
    generator = torch.Generator().manual_seed(seed)
    nodes = draw_between(torch.full((rows,), low), torch.full((rows,), high), generator)
    bounds = tuple(torch.full((rows,), bound) for bound in degrees)
    return nodes, draw_graphs(nodes, bounds, generator, **options)


@pytest.mark.parametrize(
    ("low", "high", "degrees"), [(3, 10, (2, 4)), (2, 2, (1, 4)), (10, 40, (2, 6)), (5, 20, (1, 2))]
)
def test_each_node_leads_to_its_nearest_neighbours(low, high, degrees):
    nodes, graphs = several(low, high, degrees)
    found = set()
    for row, count in enumerate(nodes.tolist()):
        points = graphs.places[row].tolist()
        assert not graphs.degrees[row, count:].any()
        for node in range(count):
            leaving = int(graphs.degrees[row, node])
            assert min(degrees[0], count - 1) <= leaving <= min(degrees[1], count - 1)
            found.add(leaving)
            others = [other for other in range(count) if other != node]
            nearest = sorted(others, key=lambda other: math.dist(points[node], points[other]))
            assert graphs.neighbours[row, node, :leaving].tolist() == nearest[:leaving]
    assert found == set(range(min(degrees[0], high - 1), min(degrees[1], high - 1) + 1))


def test_labels_of_nodes_and_of_the_edges_of_a_node_differ_and_edges_share_a_pool():
    nodes, graphs = several(5, 30, (2, 4))
    for row, count in enumerate(nodes.tolist()):
        names = graphs.node_labels[row, :count].tolist()
        assert len(set(names)) == count
        assert set(names) <= set(range(1000))
        pool = set()
        for node in range(count):
            labels = graphs.edge_labels[row, node, : graphs.degrees[row, node]].tolist()
            assert len(set(labels)) == len(labels)
            pool.update(labels)
        assert len(pool) <= count < int(graphs.degrees[row].sum())


def test_edges_can_have_few_labels():
    _, graphs = several(12, 18, (2, 4), edge_labels=10)
    labels = graphs.edge_labels[graphs.present]
    shares = labels.bincount(minlength=10) / len(labels)
    assert (abs(shares - 0.1) < 0.03).all()
    for node in range(12):
        leaving = graphs.edge_labels[0, node, : graphs.degrees[0, node]].tolist()
        assert len(set(leaving)) == len(leaving)


def test_points_and_labels_are_uniform():
    _, graphs = several(30, 30, (2, 4), rows=200)
    assert (abs(graphs.places.mean((0, 1)) - 0.5) < 0.02).all()
    assert abs(graphs.node_labels.float().mean() - 499.5) < 15
    assert abs(graphs.edge_labels[graphs.present].float().mean() - 499.5) < 15
    assert graphs.node_labels.min() == 0
    assert graphs.node_labels.max() == 999


def test_all_edges_are_presented_once_in_a_random_order():
    nodes, graphs = several(3, 12, (2, 4))
    triples, counts, order = shuffled_triples(graphs, torch.Generator().manual_seed(1))
    width = graphs.neighbours.shape[2]
    shuffled = False
    for row, count in enumerate(nodes.tolist()):
        edges = [(node, place) for node in range(count) for place in range(int(graphs.degrees[row, node]))]
        assert int(counts[row]) == len(edges)
        presented = [divmod(flat, width) for flat in order[row, : len(edges)].tolist()]
        assert sorted(presented) == edges
        shuffled |= presented != edges
        for (node, place), triple in zip(presented, triples[row].tolist(), strict=False):
            target = graphs.neighbours[row, node, place]
            names = graphs.node_labels[row]
            assert triple == [names[node], graphs.edge_labels[row, node, place], names[target]]
    assert shuffled


def test_padding_changes_no_edge():
    _, graphs = several(3, 8, (2, 4))
    wider = graphs.padded(11, 6)
    assert wider.neighbours.shape == (40, 11, 6)
    assert torch.equal(wider.present.flatten(1).sum(1), graphs.present.flatten(1).sum(1))
    assert torch.equal(wider.triples()[wider.present], graphs.triples()[graphs.present])
