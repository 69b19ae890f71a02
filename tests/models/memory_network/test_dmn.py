"""The dynamic memory networks of 2015 and 2016, by the letter of the papers."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from memtape.core.inputs.stories import NONE
from memtape.models.memory_network.attention_gru import AttentionGRU
from memtape.models.memory_network.dmn import DMN

D, H = 3, 2
OF_2015 = {"reader": "words", "gates": "sigmoid", "episode": "gru", "update": "gru", "answer": "gru"}
OPTIONS = [{}, OF_2015, *({name: value} for name, value in OF_2015.items()), {"episode": "sum"}]


def network(**options):
    torch.manual_seed(7)
    net = DMN(10, 4, embedding_size=D, hidden_size=H, hops=2, memory_size=3, **options).double().eval()
    with torch.no_grad():  # biases that differ from their initial 0
        for parameter in net.parameters():
            if parameter.ndim == 1:
                parameter.copy_(torch.randn_like(parameter))
    return net


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def plus(*vectors):
    return [sum(entries) for entries in zip(*vectors, strict=True)]


def product(a, b):
    return [x * y for x, y in zip(a, b, strict=True)]


def sigma(x):
    return 1 / (1 + math.exp(-x))


class Letters:
    """One story through the network, with loops over numbers and the parameters by name."""

    def __init__(self, net, options):
        self.table = {name: parameter.tolist() for name, parameter in net.named_parameters()}
        self.net, self.options = net, {"reader": "fusion", "episode": "attention"} | options

    def layer(self, name, vector):
        return plus([dot(row, vector) for row in self.table[f"{name}.weight"]], self.table[f"{name}.bias"])

    def gru(self, name, x, h, parts=("from_input", "from_hidden")):
        """Return the reset product's candidate and the update gate of a GRU, or no gate where it has none."""
        given, own = (self.layer(f"{name}.{part}", vector) for part, vector in zip(parts, (x, h), strict=True))
        r = [sigma(a + b) for a, b in zip(given[:H], own[:H], strict=True)]
        n = [math.tanh(a + c * b) for a, b, c in zip(given[-H:], own[-H:], r, strict=True)]
        z = (
            [sigma(a + b) for a, b in zip(given[H : 2 * H], own[H : 2 * H], strict=True)]
            if len(given) == 3 * H
            else [0.0] * H
        )
        return [(1 - c) * a + c * b for a, b, c in zip(n, h, z, strict=True)]

    def over(self, name, vectors):
        states, h = [], [0.0] * H
        for vector in vectors:
            h = self.gru(name, vector, h)
            states.append(h)
        return states

    def facts(self, story):
        words = self.table["words"]
        if self.options["reader"] == "words":
            ends = [sum(map(len, story[: t + 1])) - 1 for t in range(len(story))]
            states = self.over("reader.gru", [words[word] for sentence in story for word in sentence])
            return [states[end] for end in ends]
        vectors = []
        for sentence in story:
            count, vector = len(sentence), [0.0] * D
            for j, word in enumerate(sentence, start=1):
                for k in range(1, D + 1):
                    weight = 1 + 4 * (k / D - (D + 1) / (2 * D)) * (j / count - (count + 1) / (2 * count))
                    vector[k - 1] += weight * words[word][k - 1]
            vectors.append(vector)
        there = self.over("reader.fusion.forwards", vectors)
        back = self.over("reader.fusion.backwards", vectors[::-1])[::-1]
        return [plus(a, b) for a, b in zip(there, back, strict=True)]

    def attention(self, facts, q, m):
        scores = []
        for f in facts:
            far = [[abs(a - b) for a, b in zip(f, one, strict=True)] for one in (q, m)]
            z = [*product(f, q), *product(f, m), *far[0], *far[1]]
            if "gates" in self.options:
                matrix = self.table["attention.bilinear.weight"]
                z = [*f, *m, *q, *z, *(dot(f, [dot(row, one) for row in matrix]) for one in (q, m))]
            hidden = [math.tanh(x) for x in self.layer("attention.hidden", z)]
            scores += self.layer("attention.score", hidden)
        if "gates" in self.options:
            return [sigma(score) for score in scores]
        return [math.exp(score) / sum(map(math.exp, scores)) for score in scores]

    def episode(self, facts, gates):
        h = [0.0] * H
        for f, g in zip(facts, gates, strict=True):
            if self.options["episode"] == "sum":
                h = plus(h, [g * x for x in f])
            else:
                new = self.gru("episode", f, h, parts=("from_fact", "from_hidden"))
                h = [g * a + (1 - g) * b for a, b in zip(new, h, strict=True)]
        return h

    def answer(self, story, question):
        facts = self.facts(story[-self.net.memory_size :])
        q = self.over("question", [self.table["words"][word] for word in question])[-1]
        m, looked = q, []
        for hop in range(self.net.hops):
            gates = self.attention(facts, q, m)
            e = self.episode(facts, gates)
            m = self.gru("update", e, m) if "update" in self.options else self.relu(hop, m, e, q)
            looked.append(gates)
        features = self.gru("last", q, m) if "answer" in self.options else [*m, *q]
        return self.layer("to_answer", features), looked

    def relu(self, hop, m, e, q):
        return [max(x, 0.0) for x in self.layer(f"update.{hop}", [*m, *e, *q])]


@pytest.mark.parametrize("options", OPTIONS)
def test_every_number_is_that_of_the_equations(options, stories):
    net = network(**options)
    answers, looked = net(stories)
    assert net.looks == "hop"
    for row in range(2):
        story = [[word for word in s if word] for s in stories.sentences[row].tolist() if any(s)]
        question = [word for word in stories.question[row].tolist() if word]
        logits, gates = Letters(net, options).answer(story, question)
        torch.testing.assert_close(answers[row, 0], torch.tensor(logits, dtype=torch.float64))
        first = max(0, len(story) - net.memory_size)
        expected = torch.tensor(gates, dtype=torch.float64)
        torch.testing.assert_close(looked.weights[row, :, first : len(story)], expected)
        assert looked.weights[row].count_nonzero() == expected.numel()


@pytest.mark.parametrize("update_gates", [False, True])
def test_a_golden_step_of_the_attention_gru(update_gates):
    # One entry: reset gates of sigma(0) = 1/2, update gates of sigma(ln 3) = 3/4, n = tanh(f + (2 h + 1) / 2).
    gru = AttentionGRU(1, update_gates=update_gates).double()
    with torch.no_grad():
        for layer, weights, biases in (
            (gru.from_fact, [0, 0, 1], [0, math.log(3), 0]),
            (gru.from_hidden, [0, 0, 2], [0, 0, 1]),
        ):
            rows = [0, 1, 2] if update_gates else [0, 2]
            layer.weight.copy_(torch.tensor(weights, dtype=torch.float64)[rows, None])
            layer.bias.copy_(torch.tensor(biases, dtype=torch.float64)[rows])
    facts, gates = torch.tensor([[[1.0], [-2.0]]]).double(), torch.tensor([[1.0, 0.4]]).double()
    share = 1 / 4 if update_gates else 1
    first = share * math.tanh(1.5)
    expected = first + 0.4 * share * (math.tanh(-2 + (2 * first + 1) / 2) - first)
    torch.testing.assert_close(gru(facts, gates), torch.tensor([[expected]], dtype=torch.float64))


@pytest.mark.parametrize("options", OPTIONS)
def test_padding_has_no_influence(options, padding_changes_nothing):
    padding_changes_nothing(network(**options))


@pytest.mark.parametrize("options", [{}, OF_2015])
def test_every_parameter_learns_and_the_absent_word_keeps_a_zero_embedding(options, stories):
    net = network(**options)
    before = {name: parameter.clone() for name, parameter in net.named_parameters()}
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net(stories)[0].square().sum().backward()
    optimizer.step()
    same = [name for name, parameter in net.named_parameters() if torch.equal(parameter, before[name])]
    # A softmax does not change where all scores grow by the same.
    assert same == ([] if options else ["attention.score.bias"])
    assert net.words[0].abs().sum() == 0


@pytest.mark.parametrize("reader", ["fusion", "words"])
def test_the_vectors_of_absent_sentences_are_zero(reader, padded):
    facts = network(reader=reader).remember(padded.sentences, (padded.sentences != 0).any(2)).facts
    assert torch.equal(facts.any(2), (padded.sentences != 0).any(2))


@pytest.mark.parametrize("options", [{}, OF_2015])
def test_a_story_without_sentences_is_answered_from_the_question(options, padded):
    net = network(**options)
    empty = dataclasses.replace(
        padded, sentences=padded.sentences[:, :0], supports=torch.full_like(padded.supports, NONE)
    )
    answers, looked = net(empty)
    logits, _ = Letters(net, options).answer([], [2, 3, 5])
    torch.testing.assert_close(answers[0, 0], torch.tensor(logits, dtype=torch.float64))
    assert looked.weights.shape == (3, 2, 0)


def test_a_question_without_words_is_the_initial_state(stories):
    net = network()
    assert net.read_question(torch.zeros(2, 3, dtype=torch.long)).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert net.read_question(torch.zeros(2, 0, dtype=torch.long)).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    asked = dataclasses.replace(stories, question=stories.question[:, :0])
    assert torch.isfinite(net(asked)[0]).all()


def test_dropout_is_only_in_training_on_facts_and_the_input_of_the_answer(stories):
    net = network(dropout=0.5)
    assert torch.equal(net(stories)[0], net(stories)[0])
    net.train()
    torch.manual_seed(1)
    facts = net.remember(stories.sentences, (stories.sentences != 0).any(2)).facts
    whole = net.eval().remember(stories.sentences, (stories.sentences != 0).any(2)).facts
    assert ((facts == 0) | torch.isclose(facts, 2 * whole)).all()
    assert 0 < (facts[0] == 0).sum() < facts[0].numel()
    memory = net.remember(stories.sentences, (stories.sentences != 0).any(2))
    query = net.read_question(stories.question)
    features, _ = net.look_up(query, memory)
    net.train()
    drawn = torch.stack([net.look_up(query, memory)[0] for _ in range(20)])
    assert ((drawn == 0) | torch.isclose(drawn, 2 * features)).all()
    assert (drawn == 0).any(0)[:, H:].all()


def test_initial_weights_are_those_of_glorot_and_bengio_with_wide_embeddings():
    torch.manual_seed(0)
    net = DMN(100, 4)
    assert math.sqrt(3) * 0.99 < net.words.abs().max() <= math.sqrt(3)
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            assert layer.weight.abs().max() <= math.sqrt(6 / sum(layer.weight.shape))
            assert layer.bias is None or not layer.bias.any()


@pytest.mark.parametrize("name", list(OF_2015))
def test_an_unknown_option_is_refused(name, shapes_unchecked):
    with pytest.raises(ValueError, match=f"{name} is 'soft', but it must be one of"):
        DMN(6, 6, **{name: "soft"})


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_dropout_that_leaves_nothing_is_refused(rate):
    with pytest.raises(ValueError, match=f"dropout of DMN is {rate}, but it is a probability below 1; give at least 0"):
        DMN(6, 6, dropout=rate)
