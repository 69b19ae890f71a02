"""Nth farthest: an oracle in plain Python, the layout, and what is known without distances."""

import math

import pytest
import torch

from memtape import NthFarthest


def parsed(task, batch, row):
    """Return the vectors, their labels, N and m of a row, all counted from 1, and check that the question is constant."""
    count = int(batch.lengths[row])
    steps = batch.inputs[row, :count].tolist()
    size, labels = task.dimensions, task.output_size
    vectors = [step[:size] for step in steps]
    found = []
    for first in (size, size + labels, size + 2 * labels):
        channels = [step[first : first + labels] for step in steps]
        assert all(sorted(one) == [0.0] * (labels - 1) + [1.0] for one in channels)
        found.append([one.index(1.0) + 1 for one in channels])
    listed, n, m = found
    assert len(set(n)) == len(set(m)) == 1
    return vectors, listed, n[0], m[0]


def answer(vectors, listed, n, m):
    """Return the label of the Nth farthest vector."""
    chosen = vectors[listed.index(m)]
    distances = [math.dist(vector, chosen) for vector in vectors]
    return sorted(zip(distances, listed, strict=True), reverse=True)[n - 1][1]


def outputs_of(task, batch, labels):
    """Return outputs that predict the given labels at the last steps."""
    outputs = torch.zeros(*batch.mask.shape, task.output_size)
    for row, label in enumerate(labels):
        outputs[row, batch.lengths[row] - 1, label - 1] = 1
    return outputs


@pytest.mark.parametrize("lengths", [(8, 8), (2, 8), (2, 2)])
@pytest.mark.parametrize("dimensions", [1, 16])
def test_an_oracle_answers_everything(dimensions, lengths):
    task = NthFarthest(dimensions=dimensions)
    batch = task.batch(0, 200, lengths=lengths)
    questions = [parsed(task, batch, row) for row in range(200)]
    assert {len(vectors) for vectors, *_ in questions} == set(range(lengths[0], lengths[1] + 1))
    assert all(len(set(listed)) == len(listed) for _, listed, _, _ in questions)
    assert all(n <= len(listed) and m in listed for _, listed, n, m in questions)
    assert batch.mask.nonzero().tolist() == [[row, length - 1] for row, length in enumerate(batch.lengths.tolist())]
    assert task.scores(outputs_of(task, batch, [answer(*one) for one in questions]), batch)["accuracy"] == 1
    for row, length in enumerate(batch.lengths.tolist()):
        assert not batch.inputs[row, length:].any()


def test_the_last_is_m_itself_and_the_first_is_farthest():
    task = NthFarthest()
    batch = task.batch(0, 400)
    for row in range(400):
        vectors, listed, n, m = parsed(task, batch, row)
        target = int(batch.targets[row, -1]) + 1
        assert (target == m) == (n == 8)
        if n == 1:
            chosen = vectors[listed.index(m)]
            assert math.dist(vectors[listed.index(target)], chosen) == max(math.dist(one, chosen) for one in vectors)


def test_vectors_labels_and_questions_are_uniform():
    task = NthFarthest()
    batch = task.batch(0, 4000)
    vectors, channels = batch.inputs[..., :16], batch.inputs[..., 16:].unflatten(-1, (3, 8))
    assert vectors.min() >= -1
    assert vectors.max() < 1
    assert vectors.mean().item() == pytest.approx(0, abs=0.005)
    assert vectors.square().mean().item() == pytest.approx(1 / 3, abs=0.005)
    assert (channels[:, 0].mean(0) - 1 / 8).abs().max() < 0.025
    places = (channels[:, :, 0] * channels[:, :, 2]).sum(-1).mean(0)
    assert (places - 1 / 8).abs().max() < 0.025
    assert ((batch.targets[:, -1].bincount(minlength=8) / 4000) - 1 / 8).abs().max() < 0.025


def test_without_distances_a_quarter_is_right_and_an_eighth_by_a_constant():
    task = NthFarthest()
    batch = task.batch(0, 4000)
    questions = [parsed(task, batch, row) for row in range(4000)]
    constant = task.scores(outputs_of(task, batch, [3] * 4000), batch)["accuracy"]
    assert constant == pytest.approx(task.chance(task.lengths)["accuracy"], abs=0.02)
    others = [m if n == 8 else m % 8 + 1 for _, _, n, m in questions]
    assert task.scores(outputs_of(task, batch, others), batch)["accuracy"] == pytest.approx(1 / 4, abs=0.02)


def test_an_example_as_text_names_the_question_and_the_answer():
    task = NthFarthest(dimensions=3, max_length=9)
    batch = task.batch(0, 1, lengths=(8, 8))
    vectors, listed, n, m = parsed(task, batch, 0)
    lines = task.show(batch, outputs_of(task, batch, [2])).splitlines()
    assert lines[:2] == ["NthFarthest, 8 steps", f"question N = {n}, m = {m}"]
    assert lines[2].split()[1:] == [str(label) for label in listed]
    distances = [math.dist(vector, vectors[listed.index(m)]) for vector in vectors]
    assert lines[3].split()[1:] == [f"{distance:.2f}" for distance in distances]
    assert [line.split() for line in lines[4:]] == [["target", str(answer(vectors, listed, n, m))], ["output", "2"]]


def test_more_vectors_than_labels_are_refused():
    with pytest.raises(
        ValueError, match=r"9 vectors were requested, but NthFarthest has 8 labels, .*; request at most 8"
    ):
        NthFarthest().batch(0, 1, lengths=(8, 9))


@pytest.mark.parametrize("options", [{"dimensions": 0}, {"min_length": 1}, {"max_length": 7}])
def test_invalid_sizes_are_refused(options):
    with pytest.raises(ValueError, match=r"is 0, but it must be|is 1, but it must be|is 7, but min_length is 8"):
        NthFarthest(**options)
