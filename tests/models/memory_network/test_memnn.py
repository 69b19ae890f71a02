"""The memory network with strong supervision, by the letter of the paper."""

import dataclasses
import math

import pytest
import torch

from memtape.core.inputs.stories import NONE, Stories
from memtape.models.memory_network.memnn import MemNN

D, SYMBOLS, ANSWERS, KEPT, HOPS = 4, 10, 6, 3, 2
TARGETS = torch.tensor([[4], [2]])


def network(**options):
    torch.manual_seed(3)
    sizes = {"embedding_size": D, "hops": HOPS, "memory_size": KEPT, "spread": 0.7, "margin": 0.3}
    return MemNN(SYMBOLS, ANSWERS, **{**sizes, **options}).double().eval()


def weight(k, j, words):
    return 1 + 4 * (k / D - (D + 1) / (2 * D)) * (j / words - (words + 1) / (2 * words))


def add(*vectors):
    return [sum(values) for values in zip(*vectors, strict=True)]


def dot(first, second):
    return sum(a * b for a, b in zip(first, second, strict=True))


class ByTheLetter:
    """One story, with loops over numbers; facts are numbered from the oldest, and the fact that stops is "stop"."""

    def __init__(self, net, story, question):
        self.net, self.story, self.question = net, story[-KEPT:], question
        self.forgotten = len(story) - len(self.story)

    def encoded(self, words, table, maps):
        vector, rows = [0.0] * D, table.tolist()
        if maps is not None:
            for j, word in enumerate(words, start=1):
                part = math.ceil(j * len(maps) / len(words)) - 1
                vector = add(vector, [dot(rows[word], column) for column in maps[part].mT.tolist()])
            return vector
        for j, word in enumerate(words, start=1):
            for k in range(1, D + 1):
                scale = weight(k, j, len(words)) if self.net.encoding == "position" else 1.0
                vector[k - 1] += scale * rows[word][k - 1]
        return vector

    def x(self, found, question_table, found_tables, maps):
        shared, own = found_tables
        tables = [shared] * self.net.hops if own is None else [shared + table for table in own]
        parts = [self.encoded(self.story[fact], tables[hop], maps) for hop, fact in enumerate(found) if fact >= 0]
        features = add(self.encoded(self.question, question_table, maps), *parts)
        return [math.tanh(value) for value in features] if self.net.nonlinear else features

    def y(self, fact):
        return (
            self.net.stopping.tolist()
            if fact == "stop"
            else self.encoded(self.story[fact], self.net.facts, self.net.maps_to_facts)
        )

    def s_o(self, found, y, other):
        tables = self.net.found_to_facts, self.net.hop_to_facts
        asked = self.x(found, self.net.asked_to_facts, tables, self.net.maps_to_facts)
        difference = [a - b for a, b in zip(self.y(y), self.y(other), strict=True)]
        if self.net.times is not None:
            age = found[-1] if found and found[-1] >= 0 else len(self.story)
            pairs = ((age, y), (age, other), (y, other))
            bits = ["stop" not in pair and pair[0] < pair[1] for pair in pairs]
            difference = add(
                difference, *[t for bit, t in zip(bits, self.net.times.tolist(), strict=True) if bit], [0.0] * D
            )
        return dot(asked, difference)

    def facts(self):
        return [*range(len(self.story)), *(["stop"] if self.net.stop else [])]

    def winner(self, found):
        best = len(self.story) - 1
        for fact in reversed(range(len(self.story) - 1)):
            if self.s_o(found, fact, best) > 0:
                best = fact
        return "stop" if self.net.stop and self.s_o(found, "stop", best) > 0 else best

    def search(self):
        found = []
        while len(found) < self.net.hops and (fact := self.winner(found)) != "stop":
            found.append(fact)
        return found

    def logits(self, found):
        tables = self.net.found_to_answer, self.net.hop_to_answer
        features = self.x(found, self.net.asked_to_answer, tables, self.net.maps_to_answer)
        return [dot(features, row) for row in self.net.answers.tolist()]

    def loss(self, supports, answer):
        supports = [support - self.forgotten for support in supports]
        labels = [*supports, "stop"] if self.net.stop else supports
        total, margin = 0.0, self.net.margin
        for hop, f in enumerate(labels[: self.net.hops]):
            before = supports[:hop]
            if f != "stop" and f < 0:
                continue
            for other in self.facts():
                if other != f:
                    total += max(0.0, margin - self.s_o(before, f, other))
                    if self.net.times is not None:
                        total += max(0.0, margin + self.s_o(before, other, f))
        logits = self.logits(supports[: self.net.hops])
        return total + sum(max(0.0, margin - logits[answer] + s) for r, s in enumerate(logits) if r != answer)


OPTIONS = [
    {},
    {"encoding": "bag"},
    {"temporal": False},
    {"stop": False},
    {"nonlinear": True},
    {"ordered": True},
    {"encoding": "multilinear", "parts": 3},
    {"stop": False, "temporal": False},
]
LONGER = [*OPTIONS, {"ordered": True, "hops": 3, "encoding": "multilinear"}, {"hops": 5}]


def rows_of(stories, net):
    for row in range(2):
        story = [[word for word in s if word] for s in stories.sentences[row].tolist() if any(s)]
        yield row, ByTheLetter(net, story, [word for word in stories.question[row].tolist() if word])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("options", LONGER)
def test_the_facts_found_and_the_answers_are_those_of_the_equations(options, seed, stories):
    net = network(**options)
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_()
    answers, looked = net(stories)
    for row, letter in rows_of(stories, net):
        found = letter.search()
        torch.testing.assert_close(answers[row, 0], torch.tensor(letter.logits(found), dtype=torch.float64))
        places = [[fact + letter.forgotten] for fact in found] + [[]] * (net.hops - len(found))
        assert [weights.nonzero().flatten().tolist() for weights in looked.weights[row]] == places
        assert set(looked.weights.unique().tolist()) <= {0, 1}


SUPPORTS = [
    [[2, 0], [0, NONE]],
    [[3, 1], [1, 0]],
    [[1, NONE], [1, NONE]],
    [[2, 3], [0, 1]],
    [[0, 2], [0, NONE]],
    [[3, 2, 1], [1, 0, 1]],
]


@pytest.mark.parametrize("supports", SUPPORTS)
@pytest.mark.parametrize("options", LONGER)
def test_the_loss_is_that_of_the_equations(options, supports, stories):
    net = network(**options)
    taught = dataclasses.replace(stories, supports=torch.tensor(supports))
    answers, looked, losses = net(taught, targets=TARGETS)
    assert losses.shape == (2, 1)
    for row, letter in rows_of(stories, net):
        labels = [support for support in supports[row] if support != NONE]
        torch.testing.assert_close(float(losses[row, 0].detach()), letter.loss(labels, int(TARGETS[row, 0])))
        given = [support - letter.forgotten for support in labels[: net.hops]]
        held = [support for support in given if support >= 0]
        torch.testing.assert_close(answers[row, 0], torch.tensor(letter.logits(given), dtype=torch.float64))
        assert sorted(looked.weights[row].nonzero()[:, 1].tolist()) == sorted(k + letter.forgotten for k in held)


@pytest.mark.parametrize("options", OPTIONS)
def test_each_hop_is_scored_alone(options, stories):
    for seed in range(5):
        net = network(**options)
        torch.manual_seed(seed)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.normal_()
        taught = dataclasses.replace(stories, supports=torch.tensor([[2, 1], [0, NONE]]))
        right, known = net.hops_right(taught)
        assert known.tolist() == [[True, True], [True, net.stop]]
        letters = dict(rows_of(stories, net))
        labels = [([], 1), ([1], 0), ([], 0), ([0], "stop")]  # the first story has forgotten a sentence
        expected = [letters[n // 2].winner(before) == f for n, (before, f) in enumerate(labels)]
        assert right.flatten().tolist() == [e and k for e, k in zip(expected, known.flatten().tolist(), strict=True)]


def test_a_golden_network():
    # Two sentences of one word and one entry in each vector: every number can be found with pen and paper.
    net = MemNN(4, 3, embedding_size=1, hops=2, memory_size=2, margin=0.5).double().eval()
    values = {
        "asked_to_facts": [0, 0, 0, 1],
        "found_to_facts": [0, -1, -3, 0],
        "facts": [0, 2, 3, 0],
        "asked_to_answer": [0, 0, 0, 2],
        "found_to_answer": [0, -1, 1, 0],
        "answers": [0, 1, -1],
        "times": [1, 2, -4],
        "stopping": 1,
    }
    with torch.no_grad():
        for name, numbers in values.items():
            parameter = getattr(net, name)
            parameter.copy_(torch.tensor(numbers, dtype=torch.float64).view(parameter.shape))
    stories = Stories(
        sentences=torch.tensor([[[1], [2]]]), question=torch.tensor([[3]]), supports=torch.tensor([[1, 0]])
    )
    answers, looked = net(stories)
    # Hop 1, q = 1: the old sentence against the new one 2 - 3 - 4 < 0, stop against the new one 1 - 3 < 0.
    # Hop 2, q = 1 - 3 = -2, x as old as the new sentence: (-2)(2 - 3 - 4) > 0, stop against the old one (-2)(1 - 2) > 0.
    assert looked.weights.tolist() == [[[0, 1], [0, 0]]]
    assert answers.tolist() == [[[0, 3, -3]]]  # 2 + 1
    _, _, losses = net(stories, targets=torch.tensor([[2]]))
    # Hop 1, f the new one: s(f, old) = 1 and s(old, f) = -5, s(f, stop) = 2: no loss.
    # Hop 2, f the old one: s(f, new) = 10, s(new, f) = (-2)(3 - 2) = -2, s(f, stop) = -2 twice: 2.5 each.
    # Answer, 2 + 1 - 1 = 2: scores 0, 2, -2: 0.5 + 2 + 0 and 0.5 + 2 + 2.
    assert losses.tolist() == [[5 + 2.5 + 4.5]]
    right, known = net.hops_right(stories)
    assert right.tolist() == [[True, False]]
    assert known.all()


def test_a_search_that_has_stopped_finds_nothing_more():
    net = MemNN(4, 3, embedding_size=1, hops=3, memory_size=2).double().eval()
    values = {"asked_to_facts": [0, 0, 0, 1], "found_to_facts": [0, -2, 0, 0], "facts": [0, 3, 2, 0], "stopping": 2.5}
    with torch.no_grad():
        for name, numbers in {**values, "times": [0, -1, 0.1]}.items():
            parameter = getattr(net, name)
            parameter.copy_(torch.tensor(numbers, dtype=torch.float64).view(parameter.shape))
    stories = Stories(sentences=torch.tensor([[[1], [2]]]), question=torch.tensor([[3]]), supports=torch.tensor([[0]]))
    # Hop 1, q = 1: 3 + 0.1 > 2 and 2.5 < 3. Hop 2, q = -1: -3 - 0.1 < -2 - 1, and stop against the new one -2.5 + 2 + 1 > 0.
    # With the age of the question, stop would lose again: -2.5 + 2 < 0.
    assert net(stories)[1].weights.tolist() == [[[1, 0], [0, 0], [0, 0]]]


@pytest.mark.parametrize("options", OPTIONS)
def test_padding_has_no_influence(options, stories, padded, padding_changes_nothing):
    net = network(**options)
    padding_changes_nothing(net)
    assert torch.equal(net.hops_right(padded)[0][:2], net.hops_right(stories)[0])


@pytest.mark.parametrize("options", OPTIONS)
def test_padding_changes_no_loss_and_no_gradient(options, stories, padded):
    results = []
    for given, targets in ((stories, TARGETS), (padded, torch.cat([TARGETS, torch.tensor([[0]])]))):
        net = network(**options)
        losses = net(given, targets=targets)[2][:2]
        losses.sum().backward()
        results.append([losses, *(parameter.grad for parameter in net.parameters())])
    for first, second in zip(*results, strict=True):
        torch.testing.assert_close(first, second)


def test_a_question_without_supports_teaches_the_answer_only(stories):
    net = network()
    untold = dataclasses.replace(stories, supports=torch.full((2, 1), NONE))
    net(untold, targets=TARGETS)[2].sum().backward()
    assert net.facts.grad.abs().sum() == 0
    assert net.answers.grad.abs().sum() > 0
    assert not net.hops_right(untold)[1].any()


def test_one_hop_needs_no_words_of_facts_found_before(stories):
    net = network(hops=1)
    assert net.found_to_facts is None
    net(stories, targets=TARGETS)[2].sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


@pytest.mark.parametrize("supports", [0, 1])
def test_every_parameter_has_a_gradient_in_training(supports, padded):
    # Processes that train together wait for the gradients of all parameters, whatever the stories.
    net = network(ordered=True)
    empty = dataclasses.replace(padded, sentences=padded.sentences * 0, supports=torch.full((3, supports), NONE))
    net(empty, targets=torch.tensor([[4], [2], [0]]))[2].sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_an_empty_story_is_answered_from_the_question_alone(padded):
    net = network(stop=False)
    empty = dataclasses.replace(padded, question=padded.question.clone())
    empty.question[2, 0] = 5
    answers, looked = net(empty)
    torch.testing.assert_close(answers[2, 0], net.answers @ net.asked_to_answer[5])
    assert looked.weights[2].abs().sum() == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"margin": 0.0}, "margin"),
        ({"spread": -1.0}, "spread"),
        ({"hops": 0}, "hops"),
        ({"encoding": "x"}, "encoding"),
        ({"parts": 0}, "parts"),
    ],
)
def test_options_outside_their_range_are_refused(options, reason, shapes_unchecked):
    with pytest.raises(ValueError, match=reason):
        MemNN(SYMBOLS, ANSWERS, **options)


def test_a_state_is_refused(stories, shapes_unchecked):
    for told in ({}, {"targets": TARGETS}):
        with pytest.raises(ValueError, match="no initial state; pass None"):
            network()(stories, stories, **told)
