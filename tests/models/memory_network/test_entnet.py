"""The recurrent entity network, by the letter of the paper and of its authors' code."""

import dataclasses
import math

import pytest
import torch
from torch.nn import functional

from memtape.core.backends import use_backend
from memtape.core.compiled_library import kernels
from memtape.core.inputs.stories import NONE, Stories
from memtape.kernels.entity import ENGINES
from memtape.models.memory_network.entity_symbols import entity_symbols
from memtape.models.memory_network.entnet import EntNet

D = 3
KEYS = [{"slots": 2}, {"entities": "1-3,8"}]


@pytest.fixture(params=["reference", "cpu"])
def backend(request):
    if request.param == "cpu" and kernels().absent is not None:
        pytest.skip(f"the kernels are absent: {kernels().absent}")
    with use_backend(request.param):
        yield request.param


def network(**options):
    torch.manual_seed(5)
    net = EntNet(10, 4, embedding_size=D, memory_size=3, sentence_size=4, spread=0.7, **options).double()
    with torch.no_grad():  # masks and slopes that differ from their initial 1
        for parameter in (net.sentence_masks, net.question_masks, net.slopes):
            parameter.copy_(torch.randn_like(parameter))
    return net


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def times(matrix, vector):
    return [dot(row, vector) for row in matrix]


def plus(*vectors):
    return [sum(entries) for entries in zip(*vectors, strict=True)]


def by_the_letter(net, story, question):
    """Return logits, gates of each slot for each sentence and weights of the slots of one story, with loops over numbers."""
    table = {name: parameter.tolist() for name, parameter in net.named_parameters()}
    words, slopes = table["words"], table["slopes"]

    def encoded(sentence, masks):
        return [sum(masks[i][k] * words[word][k] for i, word in enumerate(sentence)) for k in range(D)]

    def phi(vector):
        return [x if x > 0 else a * x for a, x in zip(slopes, vector, strict=True)]

    keys = table["own_keys"] if net.tied is None else [words[symbol] for symbol in net.tied]
    slots, gates = [list(key) for key in keys], [[] for _ in keys]
    for sentence in story[-net.memory_size :]:
        s = encoded(sentence, table["sentence_masks"])
        for j, (w, h) in enumerate(zip(keys, slots, strict=True)):
            g = 1 / (1 + math.exp(-(dot(s, plus(h, w)) + table["gate_bias"][j])))
            parts = (("from_content", h), ("from_sentence", s), ("from_key", w))
            candidate = phi(plus(table["bias"], *(times(table[name], vector) for name, vector in parts)))
            grown = [a + g * b for a, b in zip(h, candidate, strict=True)]
            slots[j] = [x / math.sqrt(dot(grown, grown)) for x in grown]
            gates[j].append(g)
    q = encoded(question, table["question_masks"])
    scores = [math.exp(dot(q, h)) for h in slots]
    p = [score / sum(scores) for score in scores]
    u = [sum(p[j] * h[k] for j, h in enumerate(slots)) for k in range(D)]
    return times(table["to_answer"], phi(plus(q, times(table["from_found"], u)))), gates, p


@pytest.mark.parametrize("options", KEYS)
def test_every_number_is_that_of_the_equations(options, stories, backend):
    net = network(**options)
    answers, looked = net(stories)
    assert net.looks == "slot"
    for row in range(2):
        story = [[word for word in s if word] for s in stories.sentences[row].tolist() if any(s)]
        question = [word for word in stories.question[row].tolist() if word]
        logits, gates, p = (torch.tensor(found, dtype=torch.float64) for found in by_the_letter(net, story, question))
        torch.testing.assert_close(answers[row, 0], logits)
        torch.testing.assert_close(looked.shares[row], p)
        first = max(0, len(story) - net.memory_size)
        torch.testing.assert_close(looked.weights[row, :, first : len(story)], gates)
        assert looked.weights[row].count_nonzero() == gates.numel()


def test_a_golden_step(backend):
    # Two slots of two entries, one sentence of one word: every number can be found with pen and paper.
    net = EntNet(3, 2, embedding_size=2, slots=2).double()
    given = {
        "words": [[0, 0], [1, 0], [0, 2]],
        "own_keys": [[1, 0], [0, 1]],
        "gate_bias": [-2, 0],
        "from_content": [[0, 0], [0, 0]],
        "from_sentence": [[0, 0], [4, 0]],
        "from_key": [[0, 0], [0, -8]],
        "bias": [0, 4],
        "slopes": [1, 0.5],
        "from_found": [[1, 0], [0, 1]],
        "to_answer": [[1, 0], [0, 1]],
    }
    with torch.no_grad():
        for name, values in given.items():
            getattr(net, name).copy_(torch.tensor(values, dtype=torch.float64))
    stories = Stories(sentences=torch.tensor([[[1]]]), question=torch.tensor([[2]]), supports=torch.tensor([[0]]))
    answers, looked = net(stories)
    # s = (1, 0). Slot 1: gate sigma(1 + 1 - 2) = 1/2, candidate (0, 4 + 4), content (1, 4) / sqrt(17).
    # Slot 2: gate sigma(0) = 1/2, candidate (0, 4 + 4 - 8), content (0, 1).
    assert looked.weights.tolist() == [[[0.5], [0.5]]]
    # q = (0, 2): scores 8 / sqrt(17) and 2.
    p = 1 / (1 + math.exp(2 - 8 / math.sqrt(17)))
    torch.testing.assert_close(looked.shares[0], torch.tensor([p, 1 - p], dtype=torch.float64))
    expected = [p / math.sqrt(17), 2 + 4 * p / math.sqrt(17) + (1 - p)]
    torch.testing.assert_close(answers[0, 0], torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("options", KEYS)
def test_padding_has_no_influence(options, padding_changes_nothing, backend):
    padding_changes_nothing(network(**options))


def test_rows_in_another_order_have_the_same_answers(padded, equal_up_to_rounding, backend):
    net, order = network(slots=2), torch.tensor([2, 1, 0])
    answers, looked = net(padded)
    turned = Stories(**{field.name: getattr(padded, field.name)[order] for field in dataclasses.fields(padded)})
    others, again = net(turned)
    equal_up_to_rounding(others, answers[order])
    equal_up_to_rounding(again.weights, looked.weights[order])


def test_gradients_are_those_of_differences(stories, backend):
    net = network(entities="1-3,8")
    names = [name for name, _ in net.named_parameters()]

    def answers(*parameters):
        return torch.func.functional_call(net, dict(zip(names, parameters, strict=True)), (stories,))[0]

    assert torch.autograd.gradcheck(answers, tuple(net.parameters()))


def test_every_parameter_learns_and_the_absent_word_keeps_a_zero_embedding(stories, backend):
    net = network(slots=2)
    before = {name: parameter.clone() for name, parameter in net.named_parameters()}
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net(stories)[0].square().sum().backward()
    optimizer.step()
    assert all(not torch.equal(parameter, before[name]) for name, parameter in net.named_parameters())
    assert net.words[0].abs().sum() == 0


def test_a_story_without_sentences_is_answered_from_the_keys(padded, backend):
    net = network(slots=2)
    empty = dataclasses.replace(
        padded, sentences=padded.sentences[:, :0], supports=torch.full_like(padded.supports, NONE)
    )
    answers, looked = net(empty)
    logits, _, p = by_the_letter(net, [], [2, 3, 5])
    torch.testing.assert_close(answers[0, 0], torch.tensor(logits, dtype=torch.float64))
    torch.testing.assert_close(looked.shares[0], torch.tensor(p, dtype=torch.float64))
    assert looked.weights.shape == (3, 2, 0)


@pytest.mark.parametrize("chosen", ["reference", "cpu"])
def test_where_a_backend_runs(chosen, stories, monkeypatch):
    net, ran = network(slots=2), []

    def engine(steps, lengths):
        ran.append(lengths.tolist())
        return steps.first.expand(2, -1, -1), torch.zeros_like(steps.by_key)

    monkeypatch.setitem(ENGINES, "cpu", engine)
    with use_backend(chosen):
        net(stories)
        assert ran == ([[3, 2]] if chosen == "cpu" else [])
        ran.clear()
        with torch.autocast("cpu", torch.bfloat16):
            assert net.float()(stories)[0].dtype == torch.bfloat16
        net.double()
        gradient = torch.func.grad(lambda words: torch.func.functional_call(net, {"words": words}, stories)[0].sum())
        assert gradient(net.words.detach()).abs().sum() > 0
        net.bfloat16()(stories)
    assert not ran


def test_masks_and_slopes_are_initially_one():
    net = EntNet(6, 6)
    assert all((p == 1).all() for p in (net.sentence_masks, net.question_masks, net.slopes))
    assert net.keys.shape == (20, 100)


def test_tied_keys_are_the_embeddings_of_the_entities():
    net = EntNet(6, 6, entities="all", embedding_size=2)
    assert torch.equal(net.keys, net.words[1:])
    assert EntNet(6, 6, entities="4, 2", embedding_size=2, slots=2).tied == (2, 4)
    assert entity_symbols("1,3-5,4", 9) == (1, 3, 4, 5)


@pytest.mark.parametrize("text", ["0", "9", "3-2", "1,,2", "x", "", "2-9", "-1", "٣"])
def test_entities_that_are_no_symbols_are_refused(text):
    with pytest.raises(ValueError, match=r"it must name symbols of 1\.\.8"):
        entity_symbols(text, 9)


def test_other_slots_than_entities_are_refused():
    with pytest.raises(
        ValueError, match="slots is 5, but entities names 2 symbols and each has one slot; leave slots out"
    ):
        EntNet(6, 6, entities="2,4", slots=5)


@pytest.mark.parametrize(
    ("option", "error"), [({"slots": 0}, ValueError), ({"slots": 2.0}, TypeError), ({"spread": 0.0}, ValueError)]
)
def test_sizes_that_make_no_network_are_refused(option, error, shapes_unchecked):
    with pytest.raises(error, match=f"{next(iter(option))}.* is .*, but it must be"):
        EntNet(6, 6, **option)


@pytest.mark.parametrize("name", ["sentences", "question"])
def test_more_words_than_masks_are_refused_and_absent_ones_are_not_counted(name, stories):
    net, given = network(slots=2), getattr(stories, name)
    net(dataclasses.replace(stories, **{name: functional.pad(given, (0, 4))}))
    longer = functional.pad(torch.where(given == 0, 1, given), (0, 2), value=1)
    if name == "sentences":
        longer[1, 2:] = 0
    with pytest.raises(
        ValueError, match=f"the {name} of the stories have up to 5 words, but EntNet has masks for 4; build"
    ):
        net(dataclasses.replace(stories, **{name: longer}))
