"""The key-value memory network, by the letter of the paper."""

import dataclasses
import math

import pytest
import torch

from memtape.core.inputs.stories import Stories
from memtape.models.memory_network.kvmemnn import KVMemNN

D, SYMBOLS, KEPT = 4, 10, 3


def network(**options):
    torch.manual_seed(3)
    sizes = {"embedding_size": D, "hops": 2, "memory_size": KEPT, "spread": 0.7}
    return KVMemNN(SYMBOLS, SYMBOLS, **sizes, **options).double().eval()


def weight(k, j, words):
    return 1 + 4 * (k / D - (D + 1) / (2 * D)) * (j / words - (words + 1) / (2 * words))


def encoded(words, table, encoding):
    vector = [0.0] * D
    for j, word in enumerate(words, start=1):
        for k in range(1, D + 1):
            vector[k - 1] += (weight(k, j, len(words)) if encoding == "position" else 1.0) * table[word][k - 1]
    return vector


def slots_of(story, window):
    """Return the words of the key and of the value, and the number of the sentence, of each slot.

    With windows, a word in the middle of a key or of a value has a second symbol, `SYMBOLS` after its own.
    """
    if window is None:
        return [(sentence, sentence, at) for at, sentence in enumerate(story)]
    found = []
    for at, sentence in enumerate(story):
        for middle, word in enumerate(sentence):
            first = max(middle - window // 2, 0)
            around = sentence[first : middle + window // 2 + 1]
            found.append(
                ([other + SYMBOLS * (first + k == middle) for k, other in enumerate(around)], [word + SYMBOLS], at)
            )
    return found


def by_the_letter(
    net,
    story,
    question,
    *,
    window=None,
    titles=False,
    encoding="position",
    temporal=True,
    hash_limit=None,
    tied_answers=True,
):
    """Return logits and weights of one story, with loops over numbers."""
    table, story = net.words.flatten(0, 1).tolist(), story[-KEPT:]
    second = 0 if window is None else SYMBOLS
    slots = [(*slot, None) for slot in slots_of(story, window)]
    if titles:
        slots += [(key, value, at, story[at][0]) for key, value, at, _ in slots]
    if hash_limit is not None:
        words_of = [{word % SYMBOLS for word in key} | ({story[at][0]} if titles else set()) for key, _, at, _ in slots]
        common = {word: sum(word in words for words in words_of) for word in question}
        slots = [
            slot
            for slot, words in zip(slots, words_of, strict=True)
            if any(word in question and common[word] <= hash_limit for word in words)
        ]
    times = net.times.tolist() if temporal else [[[0.0] * D] * KEPT] * 2
    keys, values = [], []
    for key, value, at, title in slots:
        age = len(story) - 1 - at
        terms = [encoded(key, table, encoding), times[0][age]]
        if titles:
            terms.append(table[story[at][0]])
        if title is not None:
            terms.append(net.title.tolist())
        keys.append([sum(numbers) for numbers in zip(*terms, strict=True)])
        plain = [a + b for a, b in zip(encoded(value, table, encoding), times[1][age], strict=True)]
        values.append(plain if title is None else table[title + second])
    q, looked = encoded(question, table, encoding), []
    for turn in net.turns.tolist():
        scores = [math.exp(sum(a * b for a, b in zip(key, q, strict=True))) for key in keys]
        p = [score / sum(scores) for score in scores]
        moved = [q[k] + sum(p[i] * values[i][k] for i in range(len(p))) for k in range(D)]
        q = [sum(turn[k][other] * moved[other] for other in range(D)) for k in range(D)]
        looked.append([sum(p[i] for i, slot in enumerate(slots) if slot[2] == at) for at in range(len(story))])
    answers = [[0.0] * D, *table[second + 1 : second + SYMBOLS]] if tied_answers else net.to_answer.tolist()
    return [sum(a * b for a, b in zip(row, q, strict=True)) for row in answers], looked


OPTIONS = [
    {},
    {"encoding": "bag"},
    {"temporal": False},
    {"tied_answers": False},
    {"hash_limit": 1},
    {"hash_limit": 9, "temporal": False},
    {"window": 3},
    {"window": 3, "encoding": "bag", "hash_limit": 2},
    {"window": 1, "tied_answers": False},
    {"titles": True},
    {"titles": True, "hash_limit": 2, "temporal": False},
    {"window": 3, "titles": True},
    {"window": 3, "titles": True, "hash_limit": 4, "encoding": "bag"},
]


def rows_of(stories):
    for row in range(len(stories.sentences)):
        story = [[word for word in s if word] for s in stories.sentences[row].tolist() if any(s)]
        yield row, story, [word for word in stories.question[row].tolist() if word]


@pytest.mark.parametrize("options", OPTIONS)
def test_every_number_is_that_of_the_equations(options, stories):
    net = network(**options)
    answers, looked = net(stories)
    for row, story, question in rows_of(stories):
        logits, weights = by_the_letter(net, story, question, **options)
        torch.testing.assert_close(answers[row, 0], torch.tensor(logits, dtype=torch.float64))
        first = max(0, len(story) - KEPT)
        torch.testing.assert_close(
            looked.weights[row, :, first : len(story)], torch.tensor(weights, dtype=torch.float64)
        )
        assert looked.weights[row, :, :first].count_nonzero() == 0


def test_a_golden_two_hop_network():
    # One word in each of two sentences, one entry in each vector: every number can be found with pen and paper.
    net = KVMemNN(4, 4, embedding_size=1, hops=2, memory_size=2, temporal=False).double().eval()
    with torch.no_grad():
        net.words.copy_(torch.tensor([[[0.0], [1.0], [2.0], [-1.0]]], dtype=torch.float64))
        net.turns.copy_(torch.tensor([-2.0, 3.0], dtype=torch.float64)[:, None, None])
    stories = Stories(sentences=torch.tensor([[[1], [2]]]), question=torch.tensor([[3]]), supports=torch.tensor([[0]]))
    answers, looked = net(stories)
    p = 1 / (1 + math.exp(-1))  # q = -1, scores -1 and -2
    q = -2 * (-1 + p * 1 + (1 - p) * 2)  # -2 (1 - p)
    r = 1 / (1 + math.exp(q))  # scores q and 2q
    q = 3 * (q + r * 1 + (1 - r) * 2)
    torch.testing.assert_close(looked.weights[0, :, 0], torch.tensor([p, r], dtype=torch.float64))
    torch.testing.assert_close(answers[0, 0], q * torch.tensor([0.0, 1.0, 2.0, -1.0], dtype=torch.float64))


@pytest.mark.parametrize("options", OPTIONS)
def test_padding_has_no_influence(options, padding_changes_nothing):
    padding_changes_nothing(network(**options))


@pytest.mark.parametrize("options", [{}, {"window": 3}, {"titles": True}, {"window": 3, "titles": True}])
def test_the_absent_word_keeps_a_zero_embedding(options, stories):
    net = network(**options)
    net(stories)[0].square().sum().backward()
    assert net.words.grad[0, 0].abs().sum() == 0
    assert net.words[0, 0].abs().sum() == 0


def test_a_common_word_of_the_question_chooses_no_slot(stories):
    # The words of the question are 2, 3 and 5; the last three sentences are 4 5, 6 7 2 and 3 1.
    told = dataclasses.replace(stories, sentences=stories.sentences.clone(), question=stories.question.clone())
    told.sentences[0, 3, 1] = 2
    told.question[0] = torch.tensor([2, 0, 0])
    assert (network(hash_limit=2)(told)[1].weights[0] > 0).tolist() == [[False, False, True, True]] * 2
    answers, looked = network(hash_limit=1)(told)
    assert looked.weights[0].abs().sum() == 0
    net = network()
    torch.testing.assert_close(answers[0, 0], net.words[0] @ net.turns[1] @ net.turns[0] @ net.words[0, 2])


def test_a_story_and_a_question_without_words_are_answered(padded):
    for options in OPTIONS:
        answers, looked = network(**options)(padded)
        assert torch.isfinite(answers).all()
        assert looked.weights[2].abs().sum() == 0
        nothing = Stories(
            sentences=torch.zeros(1, 0, 0, dtype=torch.long),
            question=torch.zeros(1, 0, dtype=torch.long),
            supports=torch.zeros(1, 0, dtype=torch.long),
        )
        assert network(**options)(nothing)[0].shape == (1, 1, SYMBOLS)


def test_random_noise_is_only_in_training(stories):
    net = network(random_noise=1.0)
    assert torch.equal(net(stories)[0], net(stories)[0])
    net.train()
    assert len({float(net(stories)[0].sum().detach()) for _ in range(20)}) > 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"window": 4}, "has a word in its middle; give an odd number"),
        ({"window": 0}, "window"),
        ({"hash_limit": 0}, "hash_limit"),
        ({"encoding": "letters"}, "encoding"),
        ({"random_noise": 1.5}, "random_noise"),
        ({"spread": 0.0}, "spread"),
    ],
)
def test_options_outside_their_range_are_refused(options, reason, shapes_unchecked):
    with pytest.raises(ValueError, match=reason):
        KVMemNN(SYMBOLS, SYMBOLS, **options)


def test_tied_answers_need_answers_that_are_symbols():
    with pytest.raises(ValueError, match=r"these are the symbols; make them equal, or choose tied_answers=False"):
        KVMemNN(10, 3)
    assert KVMemNN(10, 3, tied_answers=False).output_size == 3


def test_a_matching_network_finds_the_missing_word_and_the_title_before_training():
    torch.manual_seed(0)
    net = KVMemNN(
        60,
        60,
        embedding_size=256,
        hops=1,
        window=5,
        titles=True,
        encoding="bag",
        temporal=False,
        spread=0.2,
        matching=True,
    ).eval()
    assert torch.equal(net.words[1], -2 * net.words[0])
    assert torch.equal(net.turns[0], torch.eye(256))
    told = torch.tensor([[[50, *range(1, 12)], [51, *range(20, 31)]]])
    blank, supports = 59, torch.tensor([[0]])
    net.title.data = -net.words[0, blank].detach()
    asked = torch.tensor([[3, 4, 5, 6, blank, 8, 9, 10, 11]])
    answers, looked = net(Stories(sentences=told, question=asked, supports=supports))
    assert int(answers.argmax()) == 7
    assert looked.weights[0, 0, 0] > 0.9
    net.title.data = net.words[0, [22, 24, 26, 28]].sum(0).detach() / 4
    answers, looked = net(Stories(sentences=told, question=torch.tensor([[22, 24, 26, 28]]), supports=supports))
    assert int(answers.argmax()) == 51
