"""The end-to-end memory network, by the letter of the paper."""

import dataclasses
import math

import pytest
import torch

from memtape.core.inputs.stories import Stories
from memtape.models.memory_network.memn2n import MemN2N

D = 4


def network(**options):
    torch.manual_seed(3)
    return MemN2N(10, 10, embedding_size=D, hops=2, memory_size=3, spread=0.7, **options).double().eval()


def weight(k, j, words):
    return 1 + 4 * (k / D - (D + 1) / (2 * D)) * (j / words - (words + 1) / (2 * words))


def encoded(words, table, encoding):
    vector = [0.0] * D
    for j, word in enumerate(words, start=1):
        for k in range(1, D + 1):
            vector[k - 1] += (weight(k, j, len(words)) if encoding == "position" else 1.0) * table[word][k - 1]
    return vector


def by_the_letter(
    net, story, question, *, tying, encoding="position", temporal=True, half_relu=False, empty_slots=True, linear=False
):
    """Return logits and weights of one story, with loops over numbers."""
    words, times = ([table.tolist() for table in tables] for tables in (net.words, net.times))
    story = story[-net.memory_size :]
    u = encoded(question, words[0], encoding)
    looked = []
    for hop in range(net.hops):
        keys, values = (hop, hop + 1) if tying == "adjacent" else (1, 2)
        terms = (hop, hop + 1) if tying == "adjacent" else (0, 1)
        memory = [], []
        for rows, table, term in zip(memory, (keys, values), terms, strict=True):
            for at, sentence in enumerate(story):
                vector, age = encoded(sentence, words[table], encoding), len(story) - 1 - at
                rows.append([v + (times[term][age][k] if temporal else 0.0) for k, v in enumerate(vector)])
        scores = [sum(a * b for a, b in zip(m, u, strict=True)) for m in memory[0]]
        total = sum(map(math.exp, scores)) + (net.memory_size - len(story) if empty_slots else 0)
        p = scores if linear else [math.exp(score) / total for score in scores]
        found = [sum(p[i] * memory[1][i][k] for i in range(len(story))) for k in range(D)]
        if tying == "layerwise":
            turn = net.turn.tolist()
            u = [sum(turn[k][other] * u[other] for other in range(D)) for k in range(D)]
        u = [a + b for a, b in zip(u, found, strict=True)]
        if half_relu:
            u = [value if k < D // 2 else max(value, 0.0) for k, value in enumerate(u)]
        looked.append(p)
    answers = words[net.hops] if tying == "adjacent" else net.to_answer.tolist()
    return [sum(a * b for a, b in zip(row, u, strict=True)) for row in answers], looked


OPTIONS = [
    {"tying": "adjacent"},
    {"tying": "layerwise"},
    {"tying": "adjacent", "encoding": "bag"},
    {"tying": "adjacent", "temporal": False},
    {"tying": "layerwise", "half_relu": True},
    {"tying": "adjacent", "empty_slots": False},
]


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
def test_every_number_is_that_of_the_equations(options, linear, stories):
    net = network(**options)
    net.linear = linear
    answers, looked = net(stories)
    for row in range(2):
        story = [[word for word in s if word] for s in stories.sentences[row].tolist() if any(s)]
        question = [word for word in stories.question[row].tolist() if word]
        logits, weights = by_the_letter(net, story, question, linear=linear, **options)
        torch.testing.assert_close(answers[row, 0], torch.tensor(logits, dtype=torch.float64))
        first = max(0, len(story) - 3)
        for hop in range(2):
            torch.testing.assert_close(
                looked.weights[row, hop, first : len(story)], torch.tensor(weights[hop], dtype=torch.float64)
            )
            assert looked.weights[row, hop].count_nonzero() == len(story) - first


def test_a_golden_two_hop_network():
    # One word in each of two sentences, one entry in each vector: every number can be found with pen and paper.
    net = MemN2N(4, 4, embedding_size=1, hops=2, memory_size=2).double().eval()
    with torch.no_grad():
        for table, values in zip(net.words, ([0, 1, 2, 1], [0, 2, 0, 1], [0, 1, -1, 0.5]), strict=True):
            table.copy_(torch.tensor(values, dtype=torch.float64)[:, None])
        for table in net.times:
            table.zero_()
    stories = Stories(sentences=torch.tensor([[[1], [2]]]), question=torch.tensor([[3]]), supports=torch.tensor([[0]]))
    answers, looked = net(stories)
    p = 1 / (1 + math.e)  # u = 1, scores 1 and 2
    u = 1 + 2 * p
    q = 1 / (1 + math.exp(-2 * u))  # scores 2u and 0
    u += q * 1 + (1 - q) * -1
    torch.testing.assert_close(looked.weights[0, :, 0], torch.tensor([p, q], dtype=torch.float64))
    torch.testing.assert_close(answers[0, 0], u * torch.tensor([0, 1, -1, 0.5], dtype=torch.float64))


@pytest.mark.parametrize("options", OPTIONS)
def test_padding_has_no_influence(options, padding_changes_nothing):
    padding_changes_nothing(network(**options))


def test_the_absent_word_keeps_a_zero_embedding(stories):
    net = network(tying="adjacent")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        net(stories)[0].square().sum().backward()
        optimizer.step()
    for table in net.words:
        assert table[0].abs().sum() == 0


def test_an_empty_story_is_answered_from_the_question_alone(padded):
    net = network(tying="adjacent")
    empty = dataclasses.replace(padded, question=padded.question.clone())
    empty.question[2, 0] = 5
    answers, looked = net(empty)
    question = net.read_question(torch.tensor([[5]]))[0]
    torch.testing.assert_close(answers[2, 0], net.words[2] @ question)
    assert looked.weights[2].abs().sum() == 0


def test_random_noise_is_only_in_training(stories):
    net = network(tying="adjacent", random_noise=1.0)
    assert torch.equal(net(stories)[0], net(stories)[0])
    net.train()
    assert len({float(net(stories)[0].sum().detach()) for _ in range(20)}) > 1


def test_random_noise_gives_a_sentence_the_same_age_in_all_tables(stories, equal_up_to_rounding):
    net = network(tying="adjacent", random_noise=1.0).train()
    with torch.no_grad():
        for tables in (net.words, net.times):
            for table in tables:
                table.copy_(tables[0])
    for _ in range(10):
        memory = net.remember(stories.sentences[:, :2], torch.ones(2, 2, dtype=torch.bool))
        equal_up_to_rounding(memory.vectors[:, :, :-1], memory.vectors[:, :, 1:])


def test_adjacent_tying_needs_answers_that_are_symbols():
    with pytest.raises(ValueError, match="the answers are the symbols; make them equal"):
        MemN2N(10, 3)
    assert MemN2N(10, 3, tying="layerwise").output_size == 3


def test_a_state_is_refused(stories, shapes_unchecked):
    with pytest.raises(ValueError, match="no initial state; pass None"):
        network()(stories, stories)
