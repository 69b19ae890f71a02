"""DCw-MANN: the equations one scalar at a time, write protection, feedback, options and bad input."""

import inspect

import pytest
import torch
from torch.nn import functional

from memtape import tree, use_backend
from memtape.core.inputs.pairs import BOUNDARY, Pairs, given_for
from memtape.inference.decoding import beam_search, greedy
from memtape.models.several_memories.dcw import DCwMANN

SOURCE, TARGET, SLOTS, WIDTH, HIDDEN = 6, 5, 4, 3, 4
SMALL = {"slots": SLOTS, "width": WIDTH, "controller_size": HIDDEN}
LENGTHS = torch.tensor([4, 1, 3])
TARGETS = torch.tensor([[3, 1, 2, BOUNDARY], [BOUNDARY, 0, 0, 0], [4, 4, BOUNDARY, 0]])
PAIRS = Pairs(
    source=torch.tensor([[1, 5, 2], [2, 0, 0], [4, 3, 0]]),
    source_lengths=torch.tensor([3, 1, 2]),
    given=given_for(TARGETS),
)
KEPT = ("memory", "write_weights", "usage", "links.links", "links.precedence")


def network_of(**options):
    torch.manual_seed(1)
    network = DCwMANN(SOURCE, TARGET, **(SMALL | options)).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return network


@pytest.fixture(params=[True, False], ids=["protected", "written"])
def network(request):
    return network_of(protected=request.param)


def by_the_letter(scalar, network, source, given, protected):
    weights = {name: value.tolist() for name, value in network.state_dict().items()}
    memory, head, reads, outputs = scalar.Memory(SLOTS, WIDTH), scalar.Head(SLOTS), [1e-6] * WIDTH, []
    hidden, cell = [0.0] * HIDDEN, [0.0] * HIDDEN
    for part, symbols, count, writes in (
        ("encoder", [*source, BOUNDARY], SOURCE, True),
        ("decoder.cell", given, TARGET, not protected),
    ):
        lstm = scalar.LSTM(weights, f"{part}.machine.controller", hidden, cell)
        for symbol in symbols:
            hidden = lstm.step([float(symbol == k) for k in range(count)] + reads)
            cell = lstm.cell
            xi = scalar.interface(weights[f"{part}.machine.interface.head_parameters.linear.weight"], hidden, WIDTH)
            if writes:
                memory.write(xi, head)
            head.move(xi, memory)
            reads = head.read(memory.contents)
            if part != "encoder":
                outputs.append(scalar.times(weights["decoder.cell.machine.to_output.weight"], hidden + reads))
    return outputs, memory, head


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_logits_and_memory_are_those_of_the_equations(network, scalar, backend):
    with use_backend(backend):
        ys, last = network(PAIRS, lengths=LENGTHS, targets=TARGETS)
    for row, (begin, end) in enumerate(zip(PAIRS.source_lengths.tolist(), LENGTHS.tolist(), strict=True)):
        source, given = PAIRS.source[row, :begin].tolist(), PAIRS.given[row, :end].tolist()
        protected = network.configuration["protected"]
        outputs, memory, head = by_the_letter(scalar, network, source, given, protected)
        state = tree.rows(last.memory, row, row + 1)
        for actual, expected in (
            (ys[row, :end], outputs),
            (state.memory[0], memory.contents),
            (state.usage[0], memory.usage),
            (state.links.links[0, 0], memory.links),
            (state.links.precedence[0, 0], memory.precedence),
            (state.write_weights[0, 0], memory.wrote),
            (state.read_weights[0, 0], head.weights),
        ):
            torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.float64), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("known", [True, False])
def test_decoding_changes_no_bit_of_a_protected_memory(backend, known):
    network = network_of().float()
    with use_backend(backend):
        begin = network.begin(PAIRS.source, PAIRS.source_lengths)
        _, last = network(PAIRS, begin, lengths=LENGTHS, targets=TARGETS if known else None)
    before, after = tree.named_tensors(begin.memory), tree.named_tensors(last.memory)
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"read_weights"}
    assert set(KEPT) < set(before)


def test_without_protection_all_of_the_memory_changes():
    network = network_of(protected=False)
    begin = network.begin(PAIRS.source, PAIRS.source_lengths)
    _, last = network(PAIRS, begin)
    before, after = tree.named_tensors(begin.memory), tree.named_tensors(last.memory)
    assert not any(torch.equal(before[name], after[name]) for name in before)


def test_encoder_and_decoder_run_on_the_kernel_of_the_dnc(network, operator_calls):
    with use_backend("cpu"), operator_calls:
        ys, _ = network(PAIRS, lengths=LENGTHS, targets=TARGETS)
        ys.sum().backward()
    assert sum("dnc_backward" in str(operator) for operator, _ in operator_calls.calls) == 2
    assert sum("dnc" in str(operator) for operator, _ in operator_calls.calls) == 4


def test_the_kernel_has_the_gradients_of_the_reference(network):
    found = []
    for backend in ("reference", "cpu"):
        with use_backend(backend):
            ys, last = network(PAIRS, lengths=LENGTHS, targets=TARGETS)
            loss = ys.pow(2).sum() + last.reads.sum() + last.memory.usage.pow(2).sum()
            found.append(torch.autograd.grad(loss, list(network.parameters())))
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-11)


def test_without_targets_the_network_receives_its_own_symbols(network):
    with torch.no_grad():
        network.decoder.cell.machine.to_output.weight.mul_(20)
    ys, last = network(PAIRS, lengths=LENGTHS)
    begin = network.begin(PAIRS.source, PAIRS.source_lengths)
    own = greedy(network, begin, longest=4, stop=None).symbols
    given = Pairs(source=PAIRS.source, source_lengths=PAIRS.source_lengths, given=given_for(own))
    taught, end = network(given, lengths=LENGTHS, targets=own)
    torch.testing.assert_close(ys, taught, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(tree.named_tensors(last), tree.named_tensors(end), rtol=1e-9, atol=1e-11)
    assert torch.equal(ys.argmax(-1)[0], own[0])
    assert not torch.equal(own[:, :-1], PAIRS.given[:, 1:])
    assert beam_search(network, begin, width=2, longest=3).symbols.shape[:2] == (3, 2)


def test_without_feedback_the_given_symbols_have_no_influence():
    network = network_of(feedback=False)
    assert not network.forced
    other = Pairs(source=PAIRS.source, source_lengths=PAIRS.source_lengths, given=torch.full_like(PAIRS.given, 2))
    ys, _ = network(PAIRS, lengths=LENGTHS)
    assert torch.equal(network(other, lengths=LENGTHS)[0], ys)
    begin = network.begin(PAIRS.source, PAIRS.source_lengths)
    torch.testing.assert_close(network.step(torch.tensor([4, 1, 2]), begin)[0], ys[:, 0])


def test_a_teacher_of_a_half_mixes_true_and_own_symbols(monkeypatch):
    network, fed = network_of(), []
    step = network.decoder.step
    monkeypatch.setattr(network.decoder, "step", lambda symbols, state: (fed.append(symbols), step(symbols, state))[1])
    with torch.no_grad():
        network.decoder.cell.machine.to_output.weight.zero_()
    rows, time = 100, 11
    symbols = torch.full((rows, time), 1)
    pairs = Pairs(source=symbols, source_lengths=torch.full((rows,), 2), given=given_for(symbols))
    network(pairs, targets=symbols, teacher=0.5)
    received = torch.stack(fed, 1)
    assert not received[:, 0].any()
    assert abs(float(received[:, 1:].double().mean()) - 0.5) < 0.06


def test_padding_and_other_rows_have_no_influence(network):
    ys, last = network(PAIRS, lengths=LENGTHS, targets=TARGETS)
    given = torch.where(torch.arange(4) < LENGTHS[:, None], PAIRS.given, 99)
    source = torch.tensor([[1, 5, 2], [2, -7, 99], [4, 3, 99]])
    dirty, _ = network(
        Pairs(source=source, source_lengths=PAIRS.source_lengths, given=given), lengths=LENGTHS, targets=TARGETS
    )
    assert torch.equal(dirty, ys)
    for row, length in enumerate(LENGTHS.tolist()):
        part = slice(row, row + 1)
        alone, end = network(tree.rows(PAIRS, row, row + 1), lengths=LENGTHS[part], targets=TARGETS[part])
        torch.testing.assert_close(alone, ys[part], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(end.reads, last.reads[part], rtol=1e-12, atol=1e-12)
        assert not ys[row, length:].any()


def test_every_parameter_has_a_gradient(network):
    ys, _ = network(PAIRS, lengths=LENGTHS, targets=TARGETS)
    functional.cross_entropy(ys.flatten(0, 1), TARGETS.flatten()).backward()
    assert all(parameter.grad.any() for parameter in network.parameters())


OTHERS = {
    "slots": 5,
    "width": 2,
    "read_heads": 2,
    "controller_size": 3,
    "embedding_size": 3,
    "protected": False,
    "feedback": False,
}


@pytest.mark.parametrize("option", OTHERS)
def test_every_option_changes_the_answer(option):
    plain, other = network_of(), network_of(**{option: OTHERS[option]})
    assert not torch.equal(plain(PAIRS, targets=TARGETS)[0], other(PAIRS, targets=TARGETS)[0])


def test_the_list_of_options_is_complete():
    parameters = inspect.signature(DCwMANN).parameters.values()
    assert {p.name for p in parameters if p.kind is p.KEYWORD_ONLY} == set(OTHERS)


def test_it_is_shared_and_loaded(tmp_path):
    network = network_of(protected=False)
    network.float().save_pretrained(tmp_path / "mine")
    other = DCwMANN.from_pretrained(tmp_path / "mine")
    assert other.configuration == network.configuration
    assert torch.equal(other(PAIRS)[0], network(PAIRS)[0])


def test_bad_input_is_refused_in_one_sentence(shapes_unchecked):
    network = network_of()
    with pytest.raises(ValueError, match="slots of DCwMANN is 0, but it must be at least 1; give a larger slots"):
        DCwMANN(SOURCE, TARGET, slots=0)
    with pytest.raises(ValueError, match="embedding_size of DCwMANN is 0, but it must be at least 1"):
        DCwMANN(SOURCE, TARGET, embedding_size=0)
    with pytest.raises(TypeError, match=r"the inputs are a Tensor, but DCwMANN reads pairs; pass memtape\.Pairs"):
        network(PAIRS.source)
    with pytest.raises(
        TypeError, match=r"the source has dtype torch\.float32, but this DCwMANN reads symbols there; pass"
    ):
        network.begin(torch.zeros(1, 2))
    with pytest.raises(ValueError, match=r"the source side of DCwMANN reads the symbols 0\.\.5"):
        network.begin(torch.tensor([[6]]))
    with pytest.raises(
        ValueError, match=r"the source has shape \(1,\), but DCwMANN reads symbols of shape \(batch, time\)"
    ):
        network.begin(torch.tensor([1]))
    with pytest.raises(ValueError, match=r"a length is 2, but every length must lie in 0\.\.1"):
        network.begin(torch.tensor([[1]]), torch.tensor([2]))
    with pytest.raises(ValueError, match=r"teacher is 2, but it is a probability; give a number in 0\.\.1"):
        network(PAIRS, teacher=2)
