"""Word problems: the axioms of the groups, and products of permutations by composing functions."""

import itertools

import pytest
import torch

from memtape.tasks.formal.permutation_groups import GENERATORS, group_of, permutation
from memtape.tasks.formal.word_problem import WordProblem

SIZES = {"Z2": 2, "Z60": 60, "S3": 6, "A5": 60, "A4xZ5": 60, "S5": 120}
COMMUTATIVE = {"Z2", "Z60"}


@pytest.mark.parametrize("name", GENERATORS)
def test_a_group_has_its_size_and_the_axioms(name):
    group = group_of(name)
    size, table = SIZES[name], group.products
    assert len(group.elements) == len(set(group.elements)) == size
    assert torch.equal(table[0], torch.arange(size))
    assert torch.equal(table[:, 0], torch.arange(size))
    assert ((table == 0).sum(1) == 1).all()
    assert (table.sort(1).values == torch.arange(size)).all()
    a, b, c = torch.randint(0, size, (3, 200), generator=torch.Generator().manual_seed(0))
    assert torch.equal(table[table[a, b], c], table[a, table[b, c]])
    assert torch.equal(table, table.T) == (name in COMMUTATIVE)


def test_alternating_groups_have_even_permutations_only():
    def odd(element):
        return sum(x > y for x, y in itertools.combinations(element, 2)) % 2

    assert not any(map(odd, group_of("A5").elements))
    assert set(group_of("S5").elements) == set(itertools.permutations(range(5)))
    assert not any(odd(element[:4]) for element in group_of("A4xZ5").elements)


def test_a_permutation_maps_along_its_cycles():
    assert permutation([(0, 1, 2)], 4) == (1, 2, 0, 3)
    assert permutation([], 2) == (0, 1)
    assert permutation([(0, 1), (2, 3)], 4) == (1, 0, 3, 2)


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("inputs", ["generators", "all"])
@pytest.mark.parametrize(("lengths", "rows"), [((3, 40), 10), ((500, 500), 2)])
def test_targets_are_products_of_permutations(name, inputs, lengths, rows):
    task, group = WordProblem(group=name, inputs=inputs), group_of(name)
    batch = task.batch(0, rows, lengths=lengths)
    outputs = torch.zeros(*batch.mask.shape, task.output_size)
    for row, length in enumerate(batch.lengths.tolist()):
        position = list(range(len(group.elements[0])))
        for step in range(length):
            element = group.elements[int(task.vocabulary[batch.inputs[row, step]])]
            position = [element[place] for place in position]
            outputs[row, step, group.elements.index(tuple(position))] = 1
    assert task.scores(outputs, batch) == {"step_accuracy": 1.0, "accuracy": 1.0}
    assert task.input_size == (SIZES[name] if inputs == "all" else 2)


def test_parity_is_the_number_of_ones():
    batch = WordProblem(group="Z2").batch(0, 20, lengths=(500, 500))
    assert torch.equal(batch.targets, batch.inputs.cumsum(1) % 2)


def test_a_sequence_with_one_wrong_product_is_wrong():
    task = WordProblem(group="S3")
    batch = task.batch(0, 4, lengths=(10, 10))
    outputs = torch.nn.functional.one_hot(batch.targets, 6).float()
    outputs[3, 7] = outputs[3, 7].roll(1)
    assert task.scores(outputs, batch) == {"step_accuracy": 39 / 40, "accuracy": 3 / 4}
    assert task.chance((3, 40)) == {"step_accuracy": 1 / 6}


def test_inputs_are_uniform():
    inputs = WordProblem(group="S3", inputs="all").batch(0, 600, lengths=(5, 5)).inputs
    assert (inputs.flatten().bincount() / 3000).tolist() == pytest.approx([1 / 6] * 6, abs=0.035)


def test_bad_options_are_refused_in_one_sentence(shapes_unchecked):
    with pytest.raises(ValueError, match="group is 'Z7', but it must be one of 'Z2', 'Z60', 'S3', 'A5', 'A4xZ5', 'S5'"):
        WordProblem(group="Z7")
    with pytest.raises(ValueError, match="inputs is 'some', but it must be one of 'generators', 'all'; choose one"):
        WordProblem(inputs="some")
    with pytest.raises(ValueError, match="max_length of WordProblem is 2, but min_length is 3"):
        WordProblem(max_length=2)
