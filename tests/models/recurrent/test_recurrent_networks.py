"""The recurrent networks that the command line builds."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from memtape.catalog.registry import MODELS
from memtape.models.recurrent.bigru import BiGRU
from memtape.models.recurrent.bilstm import BiLSTM
from memtape.models.recurrent.esn import EchoState
from memtape.models.recurrent.gru import GRU
from memtape.models.recurrent.jordan import Jordan
from memtape.models.recurrent.summary import summarised


def with_options(*names):
    """Return the networks over sequences that have these options."""
    known = {name: {option.name for option in entry.options} for name, entry in MODELS.items()}
    fitting = [MODELS[name] for name, options in known.items() if {"hidden_size", *names} <= options]
    return [entry.load() for entry in fitting if entry.card.inputs == ("sequences",)]


NETWORKS = with_options("embedding_size")
LAYERED = with_options("embedding_size", "layers", "dropout")
SYMBOLS = torch.tensor([[1, 4, 0, 2], [3, 3, 0, 0]])
LENGTHS = torch.tensor([4, 2])


def built(network, **options):
    torch.manual_seed(0)
    return network(5, 3, hidden_size=8, **options).double()


def one_hot(symbols):
    return nn.functional.one_hot(symbols, 5).double()


@pytest.mark.parametrize("network", NETWORKS)
def test_symbols_and_their_vectors_give_the_same_outputs(network):
    model = built(network)
    ys, _ = model(SYMBOLS, lengths=LENGTHS)
    expected, _ = model(one_hot(SYMBOLS), lengths=LENGTHS)
    assert ys.shape == (2, 4, 3)
    torch.testing.assert_close(ys, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("network", NETWORKS)
def test_an_embedding_is_between_the_symbols_and_the_first_layer(network):
    model = built(network, embedding_size=6)
    tables = [value for value in model.state_dict().values() if value.shape == (5, 6)]
    assert len(tables) == 1
    before, _ = model(SYMBOLS, lengths=LENGTHS)
    with torch.no_grad():
        tables[0][4] += 1.0  # row 0 reads symbol 4 at its second step, row 1 never does
    after, _ = model(SYMBOLS, lengths=LENGTHS)
    assert not torch.equal(before[0], after[0])
    torch.testing.assert_close(before[1], after[1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("network", LAYERED)
def test_layers_are_added_and_dropout_is_active_in_training_only(network):
    one, two = (sum(p.numel() for p in built(network, layers=layers).parameters()) for layers in (1, 2))
    assert two > one
    model = built(network, layers=2, dropout=0.5)
    assert not torch.equal(model(SYMBOLS)[0], model(SYMBOLS)[0])
    model.eval()
    assert torch.equal(model(SYMBOLS)[0], model(SYMBOLS)[0])


@pytest.mark.parametrize("network", NETWORKS)
def test_padding_has_no_influence(network):
    model = built(network).eval()
    other = SYMBOLS.clone()
    other[1, 2:] = 4
    torch.testing.assert_close(model(SYMBOLS, lengths=LENGTHS)[0], model(other, lengths=LENGTHS)[0])
    alone, _ = model(SYMBOLS[1:, :2])
    torch.testing.assert_close(model(SYMBOLS, lengths=LENGTHS)[0][1:, :2], alone, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_is_shared_with_its_configuration(network, tmp_path):
    model = built(network, embedding_size=6).float().eval()
    model.save_pretrained(tmp_path / "shared")
    loaded = network.from_pretrained(tmp_path / "shared")
    assert loaded.configuration == model.configuration
    assert torch.equal(loaded(SYMBOLS)[0], model(SYMBOLS)[0])


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("option", [{"hidden_size": 0}, {"embedding_size": 0}])
def test_a_size_is_at_least_one(network, option):
    with pytest.raises(ValueError, match="is 0, but it must be at least 1"):
        network(5, 3, **option)


@pytest.mark.parametrize("network", [BiLSTM, BiGRU])
@pytest.mark.parametrize("summary", ["ends", "mean", "max"])
def test_a_summary_is_the_same_at_every_step_and_depends_on_the_whole_row(network, summary):
    model = built(network, summary=summary)
    ys, _ = model(SYMBOLS, lengths=LENGTHS)
    torch.testing.assert_close(ys[0], ys[0, :1].expand(4, 3))
    torch.testing.assert_close(ys[1, 0], ys[1, 1])
    assert not ys[1, 2:].any()
    for step in range(4):
        changed = SYMBOLS.clone()
        changed[0, step] = (changed[0, step] + 1) % 5
        assert not torch.allclose(model(changed, lengths=LENGTHS)[0][0, 0], ys[0, 0])


def test_the_mean_and_the_maximum_are_over_the_steps_of_the_row_alone():
    seen, _ = built(BiGRU).layers(one_hot(SYMBOLS), None, lengths=LENGTHS)
    torch.testing.assert_close(summarised("mean", seen, LENGTHS, None)[1, 0], seen[1, :2].mean(dim=0))
    torch.testing.assert_close(summarised("max", seen, LENGTHS, None)[1, 0], seen[1, :2].amax(dim=0))


def test_the_book_s_gru_reads_every_input_one_step_late():
    model = built(GRU, variant="book")
    ys, _ = model(SYMBOLS)
    changed = SYMBOLS.clone()
    changed[:, 1] = 2
    seen = (model(changed)[0] - ys).abs().sum(dim=(0, 2))
    assert seen[:2].eq(0).all()
    assert seen[2:].gt(0).all()


def test_jordan_is_teacher_forced_by_its_option():
    assert built(Jordan).forced
    assert not built(Jordan, teacher_forcing=False).forced


def test_only_jordan_accepts_targets_for_teacher_forcing():
    targets = torch.tensor([[0, 1, 2, 1], [2, 0, 0, 0]])
    for options in ({}, {"embedding_size": 6}):
        model = built(Jordan, **options)
        forced, _ = model(SYMBOLS, lengths=LENGTHS, targets=targets)
        free, _ = model(SYMBOLS, lengths=LENGTHS)
        torch.testing.assert_close(forced[:, 0], free[:, 0])
        assert not torch.allclose(forced[0, 1], free[0, 1])
    with pytest.raises(ValueError, match="targets were given, but Readout has no output feedback to replace"):
        built(GRU)(SYMBOLS, targets=targets)


@pytest.mark.parametrize(
    ("name", "value"), [("starts", torch.zeros(2, 4).bool()), ("collect", lambda state: state), ("checkpoint_every", 2)]
)
def test_options_that_need_single_steps_are_refused_with_targets(name, value):
    targets = torch.zeros(2, 4, dtype=torch.long)
    with pytest.raises(
        ValueError, match=f"{name} was given with targets, but teacher forcing may compute all steps at once"
    ):
        built(Jordan)(SYMBOLS, targets=targets, **{name: value})


def test_packed_sequences_support_teacher_forcing():
    model, xs = built(Jordan), one_hot(SYMBOLS)
    targets = torch.tensor([[0, 1, 2, 1], [2, 0, 0, 0]])
    packed = pack_padded_sequence(xs, LENGTHS, batch_first=True)
    outputs, _ = model(packed, targets=targets)
    expected, _ = model(xs, lengths=LENGTHS, targets=targets)
    torch.testing.assert_close(pad_packed_sequence(outputs, batch_first=True)[0], expected)


def test_only_the_readout_of_a_reservoir_is_trained():
    names = {name for name, _ in built(EchoState, embedding_size=6).named_parameters()}
    assert names == {"cell.cell.to_output.weight", "cell.cell.to_output.bias"}
