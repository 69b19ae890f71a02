"""Inference: an independent search over the presented edges follows each relation."""

import itertools
import math

import pytest
import torch

from memtape.tasks.graph.encoding import decoded
from memtape.tasks.graph.inference import Inference
from memtape.tasks.graph.lessons import INFERENCE
from memtape.tasks.graph.relations import relation_labels, sequences

MEANING = {
    int(name): [label for label in labels if label >= 0]
    for name, labels in zip(relation_labels(), sequences().tolist(), strict=True)
}


def phases_of(batch, row):
    """Return the phases of a row: whether each is scored, its inputs, and its targets."""
    length = int(batch.lengths[row])
    inputs = decoded(batch.inputs[row, :length, :90]).tolist()
    targets = decoded(batch.targets[row, :length]).tolist()
    marks = [*batch.inputs[row, :length, 90].nonzero().flatten().tolist(), length]
    assert torch.equal(batch.inputs[row, :length, 91].bool(), batch.mask[row, :length])
    phases = []
    for first, last in itertools.pairwise(marks):
        assert batch.mask[row, first:last].all() or not batch.mask[row, first:last].any()
        phases.append((bool(batch.mask[row, first]), inputs[first:last], targets[first:last]))
    return phases


def test_there_are_a_hundred_relations_of_each_length():
    assert list(MEANING) == list(range(10, 410))
    assert [len(labels) for labels in MEANING.values()] == [2] * 100 + [3] * 100 + [4] * 100 + [5] * 100
    assert len({tuple(labels) for labels in MEANING.values()}) == 400
    assert {label for labels in MEANING.values() for label in labels} == set(range(10))


def test_relations_have_a_fixed_meaning():
    assert {name: MEANING[name] for name in (10, 110, 210, 310, 409)} == {
        10: [4, 0],
        110: [2, 0, 9],
        210: [7, 8, 3, 8],
        310: [6, 3, 1, 8, 2],
        409: [9, 1, 7, 2, 9],
    }


@pytest.mark.parametrize("lesson", [1, 4, 8, 17, 18, 19])
def test_an_answer_is_the_person_with_the_relation(lesson):
    task, lengths, answers = Inference(), set(), []
    batch = task.batch(0, 10, lengths=(lesson, lesson))
    for row in range(10):
        (scored, edges, _), *rounds = phases_of(batch, row)
        assert not scored
        leads = {(source, edge): target for source, edge, target in edges}
        assert len(leads) == len(edges)
        assert {edge for _, edge in leads} <= set(range(10))
        if lesson < 18:
            low, high = INFERENCE[lesson - 1].nodes
            assert low <= len({source for source, _ in leads}) <= high
        assert len(rounds) == 9
        for query, wait, answer in zip(rounds[::3], rounds[1::3], rounds[2::3], strict=True):
            assert (query[0], wait[0], answer[0]) == (False, False, True)
            ((start, relation, blank),) = query[1]
            assert blank == -1
            assert wait[1] == [[-1] * 3] * 10
            assert answer[1] == [[-1] * 3] * 2
            node = start
            for label in MEANING[relation]:
                node = leads[node, label]
            assert answer[2] == [[start, relation, node], [0, 0, 0]]
            lengths.add(len(MEANING[relation]))
            answers.append((start, node))
    low, high = INFERENCE[lesson - 1].path if lesson < 18 else (4, 4)
    assert lengths == set(range(low, high + 1))
    assert len(set(answers)) > 20


def test_the_numbers_of_queries_and_empty_steps_are_options():
    short, usual = (task.batch(0, 4, lengths=(1, 1)) for task in (Inference(questions=1, planning=2), Inference()))
    assert torch.equal(usual.lengths - short.lengths, torch.full((4,), 3 * 13 - 5))
    assert short.paths.shape[1] == 1


def test_path_lengths_are_uniform_where_such_relations_exist():
    batch = Inference().batch(0, 200, lengths=(17, 17))
    steps = (batch.paths >= 0).sum(-1).flatten()
    shares = steps.bincount(minlength=6)[2:] / len(steps)
    assert (abs(shares - 0.25) < 4 * math.sqrt(0.25 * 0.75 / 600)).all()


def test_each_query_is_scored_separately():
    task = Inference()
    batch = task.batch(0, 4, lengths=(2, 2))
    predictions = 30 * batch.targets
    assert task.scores(predictions, batch)["right"] == 1
    steps = batch.mask[1].nonzero().flatten()
    assert len(steps) == 6
    predictions[1, steps[2]] = predictions[1, steps[2]].roll(1)
    predictions[1, steps[3]] = predictions[1, steps[3]].roll(1)
    assert task.scores(predictions, batch)["right"] == pytest.approx(11 / 12)


def test_a_drawing_of_a_family_names_its_people():
    task = Inference()
    batch = task.batch(0, 3, lengths=(18, 18))
    picture = task.picture(batch, row=1)
    assert picture.nodes in [tree.nodes for tree in task.atlas.graphs[:2]]
    assert len(picture.paths) == 3
    answers = [answer for answer in picture.answers if answer][::2]
    for path, (start, relation, end) in zip(picture.paths, answers, strict=True):
        path_edges = [picture.edges[number] for number in path]
        assert picture.nodes[path_edges[0][0]] == start
        assert picture.nodes[path_edges[-1][2]] == end
        assert [before[2] for before in path_edges[:-1]] == [after[0] for after in path_edges[1:]]
        assert len(path_edges) == len(MEANING[int(relation)]) == 4


def test_sizes_below_1_and_lessons_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="questions is 0, but it must be at least 1"):
        Inference(questions=0)
    with pytest.raises(ValueError, match="planning is 0, but it must be at least 1"):
        Inference(planning=0)
    with pytest.raises(ValueError, match=r"max_lesson of Inference is 18, but training has the lessons 1\.\.17; lower"):
        Inference(max_lesson=18)
    with pytest.raises(ValueError, match="lesson 20 is requested, but there are 19 lessons"):
        Inference().batch(0, 1, lengths=(20, 20))
    with pytest.raises(ValueError, match=r"review is -1\.0, but it is a probability"):
        Inference(review=-1.0)
