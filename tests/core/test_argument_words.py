"""Networks answer the words of `torch.nn.LSTM` with the argument that is meant."""

import inspect

import pytest

import memtape
from memtape.catalog.built_in import public_names
from memtape.cells import LSTMCell, Stacked, VariationalDropout
from memtape.core.argument_words import ABSENT, MEANT
from memtape.sharing.shareable import Shareable

pytestmark = pytest.mark.usefixtures("shapes_unchecked")

NETWORKS = [
    found
    for name, place in public_names().items()
    if place.startswith("memtape.models.") and issubclass(found := getattr(memtape, name), Shareable)
]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("word", ABSENT)
def test_every_network_answers_every_word_of_torch_with_an_argument_that_it_has(network, word):
    names = inspect.signature(network).parameters
    if word in names:
        return
    with pytest.raises(TypeError, match=f"^{network.__name__} was given {word}, but ") as caught:
        network(3, 2, **{word: 2})
    meant = [name for name in MEANT.get(word, ()) if name in names][:1]
    assert str(caught.value).endswith(f"write {meant[0]}=2" if meant else ABSENT[word])


@pytest.mark.parametrize(
    ("network", "word", "value", "answer"),
    [
        (memtape.NTM, "num_layers", 2, "the argument of this meaning is controller_layers; write controller_layers=2"),
        (memtape.NTM, "hidden_size", 64, "the argument of this meaning is controller_size; write controller_size=64"),
        (memtape.StackedLSTM, "num_layers", 2, "the argument of this meaning is layers; write layers=2"),
        (memtape.BiLSTM, "num_layers", 2, "the argument of this meaning is layers; write layers=2"),
        (memtape.Elman, "nonlinearity", "relu", "the argument of this meaning is activation; write activation='relu'"),
        (memtape.DNC, "batch_first", True, "its inputs and outputs always have the shape"),
        (memtape.GRU, "bidirectional", True, "the direction belongs to the class; leave it out, and use BiLSTM"),
        (memtape.SAM, "dropout", 0.5, "it has no dropout between layers; leave it out"),
        (memtape.TreeLSTM, "device", "cpu", r"it is moved after it was built; leave it out and call .to\(...\)"),
    ],
)
def test_the_word_that_is_meant(network, word, value, answer):
    with pytest.raises(TypeError, match=f"^{network.__name__} was given {word}, but {answer}"):
        network(3, 2, **{word: value})


@pytest.mark.parametrize("network", NETWORKS)
def test_torch_s_third_argument_without_a_name(network):
    with pytest.raises(
        TypeError, match=f"{network.__name__} was given 3 arguments without names, but only input_size, output"
    ):
        network(3, 2, 1)


def test_other_words_are_python_s():
    with pytest.raises(TypeError, match="unexpected keyword argument 'slot'"):
        memtape.NTM(3, 2, slot=1)
    with pytest.raises(TypeError, match="missing"):
        memtape.NTM(3)


def test_signatures_and_docstrings_stay():
    names = list(inspect.signature(memtape.BiGRU).parameters)
    assert names == ["input_size", "output_size", "hidden_size", "layers", "summary", "embedding_size", "dropout"]
    assert "slots" in inspect.signature(memtape.NTM).parameters


def test_a_class_of_one_s_own_has_its_own_words():
    class Own(memtape.NTM):
        def __init__(self, num_layers, batch_first):
            super().__init__(3, 2, slots=4, controller_layers=num_layers)
            self.batch_first = batch_first

    assert Own(num_layers=1, batch_first=False).configuration["controller_layers"] == 1
    with pytest.raises(TypeError, match="unexpected keyword argument 'dropout'"):
        Own(num_layers=1, batch_first=False, dropout=0.1)


def test_a_class_of_one_s_own_that_passes_arguments_on_is_answered_by_ours():
    class Own(memtape.NTM):
        def __init__(self, *args, num_layers=1, **kwargs):
            super().__init__(*args, controller_layers=num_layers, **kwargs)

    assert Own(3, 2, num_layers=1).configuration["controller_layers"] == 1
    with pytest.raises(TypeError, match=r"^NTM was given batch_first, but its inputs"):
        Own(3, 2, batch_first=True)


def test_parts_that_are_no_networks_keep_the_words_of_python():
    with pytest.raises(TypeError, match="unexpected keyword argument 'dropout'"):
        VariationalDropout(LSTMCell(2, 3), dropout=0.5)
    with pytest.raises(TypeError, match="unexpected keyword argument 'hidden_size'"):
        Stacked([LSTMCell(2, 3)], hidden_size=3)
