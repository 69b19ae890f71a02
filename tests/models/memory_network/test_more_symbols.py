"""More symbols: a network that knows more words keeps its weights, and answers about the old ones as before."""

import pytest
import torch

from memtape import DMN, EntNet, KVMemNN, MemN2N, MemNN

KNOWN, MORE = 10, 13

NETWORKS = {
    "memnn": lambda: MemNN(KNOWN, KNOWN, embedding_size=4, hops=3, ordered=True),
    "memn2n": lambda: MemN2N(KNOWN, KNOWN, embedding_size=4),
    "memn2n, layer-wise": lambda: MemN2N(KNOWN, KNOWN, embedding_size=4, tying="layerwise"),
    "kvmemnn": lambda: KVMemNN(KNOWN, KNOWN, embedding_size=4),
    "kvmemnn, with windows": lambda: KVMemNN(KNOWN, KNOWN, embedding_size=4, window=3),
    "kvmemnn, with answers of its own": lambda: KVMemNN(KNOWN, KNOWN, embedding_size=4, tied_answers=False),
    "dmn": lambda: DMN(KNOWN, KNOWN, embedding_size=3, hidden_size=4),
    "dmn of 2015": lambda: DMN(
        KNOWN, KNOWN, embedding_size=3, hidden_size=4, reader="words", update="gru", answer="gru"
    ),
    "entnet": lambda: EntNet(KNOWN, KNOWN, embedding_size=4, slots=3),
    "entnet, keys of entities": lambda: EntNet(KNOWN, KNOWN, embedding_size=4, entities="1-4"),
}


@pytest.fixture(params=NETWORKS)
def network(request):
    torch.manual_seed(1)
    return NETWORKS[request.param]().double().eval()


@pytest.fixture
def larger(network):
    torch.manual_seed(2)
    return network.with_symbols(MORE)


def new_entries(network, larger):
    """Yield the entries of each parameter that the smaller network does not have."""
    for (name, known), more in zip(network.named_parameters(), larger.parameters(), strict=True):
        is_new = torch.ones(more.shape, dtype=torch.bool)
        is_new[tuple(map(slice, known.shape))] = False
        yield name, more.detach()[is_new]


def test_answers_about_known_words_stay_the_same(network, larger, stories, equal_up_to_rounding):
    answers, looked = network(stories)
    more, wider = larger(stories)
    assert more.shape == (2, 1, MORE)
    equal_up_to_rounding(more[:, :, :KNOWN], answers)
    equal_up_to_rounding(wider.weights, looked.weights)
    equal_up_to_rounding(wider.shares, looked.shares)


def test_the_weights_are_kept_bit_by_bit_and_the_network_is_unchanged(network):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    larger = network.with_symbols(MORE)
    for name, tensor in larger.state_dict().items():
        known = tensor[tuple(map(slice, before[name].shape))]
        assert tensor.dtype == torch.float64
        assert torch.equal(known, before[name])
    with torch.no_grad():
        for parameter in larger.parameters():
            parameter.zero_()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_new_rows_are_drawn_as_those_of_a_new_network(network, larger):
    torch.manual_seed(2)
    drawn = type(network)(**(network.configuration | {"input_size": MORE, "output_size": MORE})).double()
    found = dict(new_entries(network, larger))
    for name, expected in new_entries(network, drawn):
        assert torch.equal(found[name], expected), name
    assert sum(entries.numel() for entries in found.values()) > 0


def test_every_answer_depends_on_the_new_words(larger, stories):
    told = stories.question.clone()
    told[0, 1] = MORE - 1
    asked = type(stories)(sentences=stories.sentences, question=told, supports=stories.supports)
    assert not torch.equal(larger(asked)[0][0], larger(stories)[0][0])


def test_the_absent_word_still_changes_nothing(larger, padding_changes_nothing):
    padding_changes_nothing(larger)


def test_the_larger_network_is_what_its_arguments_build(larger, tmp_path):
    assert larger.input_size == larger.output_size == larger.configuration["input_size"] == MORE
    larger.save_pretrained(tmp_path / "larger")
    again = type(larger).from_pretrained(tmp_path / "larger")
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, larger.state_dict()[name])


def test_parameters_stay_frozen_and_modes_stay():
    network = MemN2N(KNOWN, KNOWN, embedding_size=4).train()
    network.words[1].requires_grad_(False)
    larger = network.with_symbols(MORE)
    assert larger.training
    assert [word.requires_grad for word in larger.words] == [True, False, True, True]


def test_the_same_number_of_symbols_gives_the_same_network(network):
    for name, tensor in network.with_symbols(KNOWN).state_dict().items():
        assert torch.equal(tensor, network.state_dict()[name])


def test_every_new_word_is_an_entity_if_all_words_are():
    network = EntNet(KNOWN, KNOWN, embedding_size=4, entities="all")
    larger = network.with_symbols(MORE)
    assert torch.equal(larger.keys[: KNOWN - 1], network.keys)
    assert len(larger.keys) == MORE - 1


def test_fewer_symbols_and_other_answers_are_refused():
    with pytest.raises(ValueError, match="symbols is 9, but MemN2N keeps its 10 symbols; give at least 10"):
        MemN2N(KNOWN, KNOWN).with_symbols(9)
    with pytest.raises(ValueError, match="DMN has 3 answers and 10 symbols, but with_symbols needs"):
        DMN(KNOWN, 3).with_symbols(MORE)
    with pytest.raises(TypeError, match="symbols"):
        MemN2N(KNOWN, KNOWN).with_symbols(12.0)
