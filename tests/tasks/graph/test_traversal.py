"""Traversal: an independent walk over the presented edges gives the targets."""

import math

import pytest
import torch

from memtape.tasks.graph.lessons import TRAVERSAL
from memtape.tasks.graph.traversal import Traversal


def label_of(bits):
    """Return the number that thirty channels encode, None for a blank."""
    if not any(bits):
        return None
    digits = [[place for place in range(10) if bits[10 * digit + place] == 1] for digit in range(3)]
    assert all(len(found) == 1 for found in digits)
    return int("".join(str(found[0]) for found in digits))


def triple_of(channels):
    return tuple(label_of(channels[30 * part : 30 * part + 30]) for part in range(3))


def phases_of(batch, row):
    """Return the phases of a row: lists of steps, each with its input, whether it is scored, and its target."""
    phases = []
    for step in range(int(batch.lengths[row])):
        channels = batch.inputs[row, step].tolist()
        assert set(channels) <= {0, 1}
        if channels[90]:
            phases.append([])
        assert bool(channels[91]) == bool(batch.mask[row, step])
        phases[-1].append((triple_of(channels), channels[91] == 1, triple_of(batch.targets[row, step].tolist())))
    return phases


@pytest.mark.parametrize(("lesson", "questions"), [(1, 1), (4, 3), (9, 1), (14, 2), (15, 1)])
def test_a_walk_follows_the_given_labels(lesson, questions):
    task = Traversal(questions=questions)
    assert (task.input_size, task.output_size) == (92, 90)
    batch = task.batch(0, 12, lengths=(lesson, lesson))
    walks = set()
    for row in range(12):
        description, *rounds = phases_of(batch, row)
        assert len(rounds) == 2 * questions
        leads = {(source, edge): target for (source, edge, target), _, _ in description}
        assert len(leads) == len(description)
        for queries, answer_steps in zip(rounds[::2], rounds[1::2], strict=True):
            assert not any(scored or target != (None, None, None) for _, scored, target in description + queries)
            node, walk = queries[0][0][0], []
            for place, ((source, edge, target), _, _) in enumerate(queries):
                assert (source is None, target) == (place > 0, None)
                walk.append((node, edge, leads[node, edge]))
                node = leads[node, edge]
            assert all(step[:2] == ((None, None, None), True) for step in answer_steps)
            assert [step[2] for step in answer_steps] == [*walk, (0, 0, 0)]
            walks.add(len(walk))
        if lesson < 15:
            wanted = TRAVERSAL[lesson - 1]
            nodes = {source for source, _ in leads}
            assert wanted.nodes[0] <= len(nodes) <= wanted.nodes[1]
            assert len(leads) <= len(nodes) * wanted.degrees[1]
    low, high = TRAVERSAL[lesson - 1].path if lesson < 15 else (7, 7)
    assert walks <= set(range(low, high + 1))
    assert len(walks) > 1 or low == high


def test_walks_start_at_a_uniform_node_and_take_each_edge_with_equal_probability():
    batch = Traversal().batch(0, 4_000, lengths=(1, 1))
    graphs = batch.graphs
    small = (graphs.degrees > 0).sum(1) == 3
    edges = batch.paths[small][:, 0, 0]
    shares = edges.bincount(minlength=12)[: 3 * graphs.neighbours.shape[2]].reshape(3, -1) / len(edges)
    assert (abs(shares.sum(1) - 1 / 3) < 0.08).all()
    assert abs(shares[:, 0].sum() - 0.5) < 0.08  # of two edges


def test_a_tenth_of_the_rows_is_of_earlier_lessons():
    def shares(review, lengths, least):
        batch = Traversal(review=review).batch(0, 600, lengths=lengths)
        nodes = (batch.graphs.degrees > 0).sum(1)
        return float((nodes < least).float().mean())

    assert shares(0.1, (1, 5), 10) == pytest.approx(0.1 * (0.5 * 7 / 8 + 0.5 * 5 / 6), abs=0.03)
    assert shares(0.0, (1, 5), 10) == 0
    assert shares(0.5, (4, 5), 10) == pytest.approx(0.5 * 5 / 6, abs=0.08)
    assert shares(0.5, (5, 5), 10) == 0


def test_an_answer_is_right_if_every_digit_of_it_is():
    task = Traversal()
    batch = task.batch(0, 6, lengths=(4, 4))
    perfect = 30 * batch.targets
    scores = task.scores(perfect, batch)
    assert scores == {"cross_entropy": pytest.approx(0, abs=1e-6), "right": 1}
    step = int(batch.mask[2].nonzero()[0])
    spoilt = perfect.clone()
    spoilt[2, step, 70:80] = spoilt[2, step, 70:80].roll(1)
    assert task.scores(spoilt, batch)["right"] == pytest.approx(5 / 6)
    spoilt[4, int(batch.lengths[4]) - 1, :10] = torch.arange(10.0)
    assert task.scores(spoilt, batch)["right"] == pytest.approx(4 / 6)


def test_the_loss_is_the_cross_entropy_of_nine_digits():
    task = Traversal()
    batch = task.batch(0, 3, lengths=(3, 3))
    outputs = torch.randn(*batch.mask.shape, 90, dtype=torch.float64)
    nats = []
    for row, step in batch.mask.nonzero().tolist():
        total = 0.0
        for digit in range(9):
            logits = outputs[row, step, 10 * digit : 10 * digit + 10].tolist()
            right = batch.targets[row, step, 10 * digit : 10 * digit + 10].argmax()
            total += math.log(sum(math.exp(logit) for logit in logits)) - logits[right]
        nats.append(total)
    assert task.loss(outputs, batch).item() == pytest.approx(sum(nats) / len(nats), rel=1e-6)
    assert task.scores(outputs, batch)["cross_entropy"] == pytest.approx(sum(nats) / len(nats), rel=1e-6)
    level = torch.zeros_like(outputs)
    assert task.loss(level, batch).item() == pytest.approx(task.chance((1, 1))["cross_entropy"], rel=1e-6)


def test_an_example_is_shown_phase_by_phase():
    task = Traversal()
    batch = task.batch(0, 2, lengths=(2, 2))
    lines = task.show(batch, -batch.targets, row=1).splitlines()
    assert lines[0] == f"Traversal, {int(batch.lengths[1])} steps"
    assert [line.split()[0] for line in lines if not line.startswith("  ")][1:] == [
        "graph",
        "query",
        "target",
        "output",
    ]
    assert all(word.endswith("!") for word in lines[-1].removeprefix("output ").split(", "))
    assert "!" not in task.show(batch, batch.targets)


def test_a_drawing_names_the_stations_and_the_steps_of_the_edges():
    task = Traversal()
    batch = task.batch(0, 2, lengths=(15, 15))
    picture = task.picture(batch, batch.targets, row=1)
    assert picture.nodes == task.atlas.graphs[0].nodes
    assert sorted(picture.edges) == sorted(task.atlas.graphs[0].edges)
    assert picture.predicted == picture.answers
    queries = [triple for triple in picture.answers if triple]
    (path,) = picture.paths
    walk = [picture.edges[number] for number in path]
    assert queries == [*((picture.nodes[a], word, picture.nodes[b]) for a, word, b in walk), ("end", "", "")]
    for triple, number in zip(picture.steps[:104], picture.shown[:104], strict=True):
        source, word, target = picture.edges[number]
        assert triple == (picture.nodes[source], word, picture.nodes[target])
    assert set(picture.shown[104:]) == {None}
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in picture.places)


def test_a_drawing_of_a_random_graph_has_its_numbers():
    task = Traversal(questions=2)
    batch = task.batch(0, 3, lengths=(4, 4))
    picture = task.picture(batch, row=2)
    description, _, first, _, second = phases_of(batch, 2)
    assert picture.steps[: len(description)] == tuple(tuple(map(str, triple)) for triple, _, _ in description)
    walks = [tuple(map(str, triple)) for _, _, triple in [*first[:-1], *second[:-1]]]
    assert [t for t in picture.answers if t and t[0] != "end"] == walks
    assert [len(path) for path in picture.paths] == [len(first) - 1, len(second) - 1]
    assert set(picture.predicted) == {None}


def test_lessons_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match=r"max_lesson of Traversal is 15, but training has the lessons 1\.\.14; lower"):
        Traversal(max_lesson=15)
    with pytest.raises(ValueError, match=r"lesson 16 is requested, but there are 15 lessons; give one in 1\.\.15"):
        Traversal().batch(0, 1, lengths=(16, 16))
    with pytest.raises(ValueError, match="max_lesson of Traversal is 2, but min_lesson is 3 and must not be larger"):
        Traversal(min_lesson=3, max_lesson=2)
    with pytest.raises(ValueError, match="questions is 0"):
        Traversal(questions=0)
    with pytest.raises(ValueError, match=r"review is 2.0, but it is a probability; give a number in 0\.\.1"):
        Traversal(review=2.0)
