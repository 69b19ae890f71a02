"""Sequence to sequence: teacher forcing, sampling, states, options, errors."""

import inspect

import pytest
import torch
from torch.nn import functional

from memtape import tree
from memtape.core.inputs.pairs import BOUNDARY, Pairs, given_for
from memtape.inference.decoding import greedy
from memtape.models.seq2seq.seq2seq import Seq2Seq

SOURCE, TARGET = 6, 5
LENGTHS = torch.tensor([4, 1, 3])
TARGETS = torch.tensor([[3, 1, 2, BOUNDARY], [BOUNDARY, 0, 0, 0], [4, 4, BOUNDARY, 0]])
SMALL = {"hidden_size": 5, "embedding_size": 3}


def pairs_of(source=None, lengths=(3, 0, 2)):
    source = torch.tensor([[1, 5, 2], [0, 0, 0], [4, 3, 0]]) if source is None else source
    return Pairs(source=source, source_lengths=torch.tensor(lengths), given=given_for(TARGETS))


def network_of(**options):
    network = Seq2Seq(SOURCE, TARGET, **(SMALL | options)).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    return network


FORMS = {
    "bahdanau": {},
    "luong": {"attend_first": False, "attention": "general", "cell": "gru"},
    "dot": {"attend_first": False, "attention": "dot", "bidirectional": False, "encoder_layers": 2},
    "vector": {"context": "vector", "into": "both", "decoder_layers": 2},
}


@pytest.fixture(params=FORMS.values(), ids=FORMS)
def network(request):
    return network_of(**request.param)


def test_outputs_are_the_logits_of_every_symbol_and_zeros_in_the_padding(network):
    ys, _ = network(pairs_of(), lengths=LENGTHS)
    assert ys.shape == (3, 4, TARGET)
    for row, length in enumerate(LENGTHS.tolist()):
        assert ys[row, :length].all()
        assert not ys[row, length:].any()


def test_padding_has_no_influence(network, equal_up_to_rounding):
    clean, last = network(pairs_of(), lengths=LENGTHS)
    pairs = pairs_of(torch.tensor([[1, 5, 2], [-7, 99, 99], [4, 3, 99]]))
    given = torch.where(torch.arange(4) < LENGTHS[:, None], pairs.given, 99)
    dirty = Pairs(source=pairs.source, source_lengths=pairs.source_lengths, given=given)
    ys, end = network(dirty, lengths=LENGTHS)
    equal_up_to_rounding(ys, clean)
    equal_up_to_rounding(tree.named_tensors(end), tree.named_tensors(last))


def test_rows_are_independent(network):
    pairs = pairs_of()
    ys, _ = network(pairs, lengths=LENGTHS)
    for row in range(3):
        alone, _ = network(tree.rows(pairs, row, row + 1), lengths=LENGTHS[row : row + 1])
        torch.testing.assert_close(alone, ys[row : row + 1], rtol=1e-12, atol=1e-12)


def test_a_state_continues_a_sequence(network):
    pairs = pairs_of()
    whole, last = network(pairs)
    halves = [
        Pairs(source=pairs.source, source_lengths=pairs.source_lengths, given=part) for part in pairs.given.split(2, 1)
    ]
    first, middle = network(halves[0])
    second, end = network(halves[1], middle)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(tree.named_tensors(end), tree.named_tensors(last), rtol=1e-12, atol=1e-12)


def test_single_steps_equal_the_whole_sequence_under_full_teacher_forcing(network):
    """Scheduled sampling with a probability close to 1."""
    ys, last = network(pairs_of(), lengths=LENGTHS)
    sampled, end = network(pairs_of(), lengths=LENGTHS, targets=TARGETS, teacher=1 - 1e-12)
    torch.testing.assert_close(sampled, ys, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(tree.named_tensors(end), tree.named_tensors(last), rtol=1e-10, atol=1e-12)
    parameters = list(network.parameters())
    first, second = (torch.autograd.grad(out.pow(2).sum(), parameters) for out in (ys, sampled))
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


def test_without_a_teacher_the_network_reads_its_own_outputs(network):
    with torch.no_grad():
        network.decoder.to_output.weight.mul_(1000)  # logits so large that drawing gives the most likely symbol
    found = greedy(network, network.begin(pairs_of().source, pairs_of().source_lengths), longest=4, stop=None)
    ys, _ = network(pairs_of(), teacher=0.0)
    assert torch.equal(ys.argmax(-1), found.symbols)
    assert not torch.equal(found.symbols[:, :-1], pairs_of().given[:, 1:])


def test_targets_are_fed_with_the_given_probability(monkeypatch):
    network = network_of(context="vector")
    inputs = []
    step = network.step
    monkeypatch.setattr(network, "step", lambda symbols, state: (inputs.append(symbols), step(symbols, state))[1])
    with torch.no_grad():
        network.decoder.to_output.weight.zero_()
        network.decoder.to_output.bias.copy_(torch.tensor([-100.0, -100, -100, 100, -100]))
    rows, time = 200, 21
    pairs = Pairs(
        source=torch.zeros(rows, 1, dtype=torch.long),
        source_lengths=torch.ones(rows, dtype=torch.long),
        given=given_for(torch.full((rows, time), 1)),
    )
    network(pairs, teacher=0.7)
    fed = torch.stack(inputs, dim=1)
    assert not fed[:, 0].any()
    assert set(fed[:, 1:].unique().tolist()) == {1, 3}
    assert abs(float((fed[:, 1:] == 1).double().mean()) - 0.7) < 0.03


def test_a_correct_answer_under_teacher_forcing_is_that_of_greedy_decoding(network):
    pairs = pairs_of()
    found = greedy(network, network.begin(pairs.source, pairs.source_lengths), longest=6)
    given = Pairs(source=pairs.source, source_lengths=pairs.source_lengths, given=given_for(found.symbols))
    ys, _ = network(given, lengths=found.lengths)
    alive = torch.arange(ys.shape[1]) < found.lengths[:, None]
    assert torch.equal(ys.argmax(-1)[alive], found.symbols[alive])
    gains = torch.log_softmax(ys, -1).gather(2, found.symbols[..., None])[..., 0]
    torch.testing.assert_close(torch.where(alive, gains, 0).sum(1), found.log_likelihood)


def test_every_parameter_has_a_gradient(network):
    ys, _ = network(pairs_of(), lengths=LENGTHS)
    functional.cross_entropy(ys.flatten(0, 1), TARGETS.flatten()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad.any(), name


OTHERS = {
    "cell": "gru",
    "hidden_size": 6,
    "embedding_size": 4,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "bidirectional": False,
    "context": "vector",
    "attention": "general",
    "attend_first": False,
    "into": "both",
    "dropout": 0.5,
}


@pytest.mark.parametrize("option", OTHERS)
def test_every_option_changes_the_answer(option):
    answers = []
    for options in ({}, {option: OTHERS[option]}):
        torch.manual_seed(3)
        network = Seq2Seq(SOURCE, TARGET, **(SMALL | options))
        torch.manual_seed(4)
        answers.append(network(pairs_of(), lengths=LENGTHS)[0])
    assert not torch.equal(*answers)


def test_the_list_of_options_is_complete():
    parameters = inspect.signature(Seq2Seq).parameters.values()
    assert {p.name for p in parameters if p.kind is p.KEYWORD_ONLY} == {*OTHERS, "source"}


def test_dropout_is_active_in_training_only():
    network = network_of(dropout=0.5).eval()
    assert torch.equal(network(pairs_of())[0], network(pairs_of())[0])


def test_it_is_shared_and_loaded(network, tmp_path):
    network.float().save_pretrained(tmp_path / "mine")
    other = Seq2Seq.from_pretrained(tmp_path / "mine")
    assert other.configuration == network.configuration
    assert torch.equal(other(pairs_of())[0], network(pairs_of())[0])


@pytest.mark.parametrize("attend_first", [True, False])
def test_it_learns_to_reverse_sequences(attend_first):
    symbols = 4
    generator = torch.Generator().manual_seed(5)
    network = Seq2Seq(symbols, symbols, hidden_size=24, embedding_size=8, attend_first=attend_first)
    optimizer = torch.optim.Adam(network.parameters(), 0.03)
    for _ in range(40):
        source = torch.randint(1, symbols, (32, 3), generator=generator)
        targets = functional.pad(source.flip(1), (0, 1), value=BOUNDARY)
        pairs = Pairs(source=source, source_lengths=torch.full((32,), 3), given=given_for(targets))
        loss = functional.cross_entropy(network(pairs)[0].flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = greedy(network, network.begin(source), longest=10)
    assert found.symbols.shape == targets.shape
    assert (found.symbols == targets).all(1).double().mean() > 0.9


VECTORS = torch.Generator().manual_seed(1)


def vectors_of(size=SOURCE):
    return torch.randn(3, 3, size, dtype=torch.float64, generator=VECTORS)


def test_a_source_of_one_hot_vectors_equals_a_source_of_symbols(network):
    options = {name: value for name, value in network.configuration.items() if name != "source"}
    reader = Seq2Seq(**options, source="vectors").double()
    weights = network.state_dict()
    weights["source_vectors.weight"] = weights["source_vectors.weight"].T
    reader.load_state_dict({**weights, "source_vectors.bias": torch.zeros(3, dtype=torch.float64)})
    symbols = pairs_of()
    vectors = pairs_of(functional.one_hot(symbols.source, SOURCE).double())
    torch.testing.assert_close(
        reader(vectors, lengths=LENGTHS)[0], network(symbols, lengths=LENGTHS)[0], rtol=1e-12, atol=1e-12
    )


def test_vectors_beyond_the_end_of_a_source_change_nothing():
    network = network_of(source="vectors")
    vectors = vectors_of()
    clean, _ = network(pairs_of(vectors), lengths=LENGTHS)
    vectors[1] = vectors[2, 2:] = torch.nan
    torch.testing.assert_close(network(pairs_of(vectors), lengths=LENGTHS)[0], clean, rtol=0, atol=0)


def test_it_learns_to_name_the_largest_entry_of_each_vector():
    """A small task like speech recognition: inputs are frames of three numbers, outputs are the symbols 1 to 3."""
    generator = torch.Generator().manual_seed(5)
    network = Seq2Seq(3, 4, source="vectors", hidden_size=24, embedding_size=8)
    optimizer = torch.optim.Adam(network.parameters(), 0.03)
    for _ in range(60):
        source = torch.randn(32, 3, 3, generator=generator)
        targets = functional.pad(source.argmax(2) + 1, (0, 1), value=BOUNDARY)
        pairs = Pairs(source=source, source_lengths=torch.full((32,), 3), given=given_for(targets))
        loss = functional.cross_entropy(network(pairs)[0].flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = greedy(network, network.begin(source), longest=10)
    named = found.symbols[:, :4] == targets
    assert named.double().mean() > 0.85  # a constant prediction is right in half of the places


def test_a_source_of_another_form_is_refused(shapes_unchecked):
    vectors, symbols = network_of(source="vectors"), network_of()
    with pytest.raises(
        ValueError, match=r"reads vectors of shape \(batch, time, 6\) with at least one step of time; pad"
    ):
        vectors(pairs_of(vectors_of(size=5)))
    with pytest.raises(ValueError, match=r"the source has shape \(3, 3\), but this Seq2Seq reads vectors of shape"):
        vectors(pairs_of(torch.zeros(3, 3)))
    with pytest.raises(
        TypeError, match='int64, but this Seq2Seq reads vectors; pass floats, or choose source="symbols"'
    ):
        vectors(pairs_of())
    with pytest.raises(
        TypeError, match="float64, but this Seq2Seq reads symbols there; pass integers, or choose source"
    ):
        symbols(pairs_of(vectors_of()))
    with pytest.raises(ValueError, match="source is 'frames', but it must be one of"):
        network_of(source="frames")


def test_an_unknown_symbol_is_refused():
    network = network_of()
    with pytest.raises(
        ValueError, match=r"the symbol at \(row, step\) \(0, 1\) is 6, but the source side of Seq2Seq reads"
    ):
        network(pairs_of(torch.tensor([[1, 6, 2], [0, 0, 0], [4, 3, 0]])))
    pairs = pairs_of()
    with pytest.raises(
        ValueError, match=r"is 5, but the target side of Seq2Seq reads the symbols 0\.\.4; use the vocabulary"
    ):
        network(Pairs(source=pairs.source, source_lengths=pairs.source_lengths, given=pairs.given + 1))


def test_lengths_must_fit():
    network = network_of()
    with pytest.raises(ValueError, match=r"a length is 5, but every length must lie in 0\.\.4, the time of the inputs"):
        network(pairs_of(), lengths=torch.tensor([4, 5, 1]))
    with pytest.raises(ValueError, match=r"a length is 4, but every length must lie in 0\.\.3, the time of the inputs"):
        network(pairs_of(lengths=(3, 4, 0)))


def test_symbols_have_rows_and_steps(shapes_unchecked):
    network, none = network_of(), torch.zeros(2, 0, dtype=torch.long)
    with pytest.raises(
        ValueError, match=r"the source has shape \(2, 0\), but Seq2Seq reads symbols of shape \(batch, time\)"
    ):
        network.begin(none)
    state = network.begin(torch.ones(2, 3, dtype=torch.long))
    empty = Pairs(source=none, source_lengths=torch.zeros(2, dtype=torch.long), given=none)
    with pytest.raises(ValueError, match="with at least one step of time; pad or reshape them"):
        network(empty, state)
    with pytest.raises(TypeError, match=r"the inputs are a Tensor, but Seq2Seq reads pairs; pass memtape.Pairs"):
        network(torch.ones(2, 3, dtype=torch.long))


def test_under_autocast_the_state_stays_float32(network):
    network.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for teacher in (1.0, 0.5):
            ys, state = network(pairs_of(), lengths=LENGTHS, teacher=teacher)
            assert ys.dtype == torch.bfloat16
            assert {leaf.dtype for leaf in tree.leaves(state.cell)} == {torch.float32}


@pytest.mark.parametrize("teacher", [-0.1, 1.1, float("nan")])
def test_the_teacher_is_a_probability(teacher):
    with pytest.raises(ValueError, match=f"teacher is {teacher}, but it is a probability; give a number in 0"):
        network_of()(pairs_of(), teacher=teacher)


@pytest.mark.parametrize(
    "name", ["input_size", "output_size", "hidden_size", "embedding_size", "encoder_layers", "decoder_layers"]
)
def test_sizes_of_at_least_1_are_needed(name):
    with pytest.raises(ValueError, match="is 0, but it must be at least 1; give a larger"):
        Seq2Seq(**({"input_size": 2, "output_size": 2} | {name: 0}))


@pytest.mark.parametrize("name", ["cell", "context", "attention", "into"])
def test_an_unknown_choice_is_refused(name, shapes_unchecked):
    with pytest.raises(ValueError, match=f"{name} is 'none', but it must be one of "):
        Seq2Seq(2, 2, **{name: "none"})


def test_a_dropout_is_a_probability():
    with pytest.raises(ValueError, match=r"dropout is 1\.5, but it is a probability; give a number in 0\.\.1"):
        Seq2Seq(2, 2, dropout=1.5)


def test_a_bidirectional_encoder_is_refused_with_dot_product_attention():
    with pytest.raises(
        ValueError, match='attention is "dot", but queries have size 5 and encoded vectors 10; choose "gen'
    ):
        Seq2Seq(2, 2, hidden_size=5, attention="dot")
