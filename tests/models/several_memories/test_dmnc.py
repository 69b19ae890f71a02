"""DMNC: the equations of each fusion one scalar at a time, write protection, persistent memories, and bad input."""

import copy
import inspect

import pytest
import torch
from torch.nn import functional

from memtape import DMNC, tree, use_backend
from memtape.core.inputs.pairs import BOUNDARY, given_for
from memtape.core.inputs.two_views import TwoViews
from memtape.inference.decoding import beam_search, greedy

FIRST, SECOND, TARGET, SLOTS, WIDTH, HIDDEN, EMBEDDING = 6, 7, 5, 4, 3, 4, 2
SMALL = {"slots": SLOTS, "width": WIDTH, "controller_size": HIDDEN, "embedding_size": EMBEDDING, "second_size": SECOND}
LENGTHS = torch.tensor([4, 1, 3])
TARGETS = torch.tensor([[3, 1, 2, BOUNDARY], [BOUNDARY, 0, 0, 0], [4, 4, BOUNDARY, 0]])
VIEWS = TwoViews(
    first=torch.tensor([[1, 5, 2], [2, 0, 0], [4, 3, 0]]),
    first_lengths=torch.tensor([3, 1, 2]),
    second=torch.tensor([[6, 2, 0, 0], [1, 2, 3, 4], [5, 0, 0, 0]]),
    second_lengths=torch.tensor([2, 4, 1]),
    given=given_for(TARGETS),
)
FORMS = [("late", False), ("late", True), ("shared", False), ("cross", True)]
ADDRESSING = ("usage", "precedence", "links", "wrote")


def network_of(**options):
    torch.manual_seed(1)
    network = DMNC(FIRST, TARGET, **(SMALL | options)).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return network


def encoded(network, views=VIEWS, **options):
    return network.begin(views.first, views.second, views.first_lengths, views.second_lengths, **options)


@pytest.fixture(params=FORMS, ids=str)
def network(request):
    fusion, write_cache = request.param
    return network_of(fusion=fusion, write_cache=write_cache)


class Encoder:
    def __init__(self, scalar, weights, name, cached):
        self.place, self.scalar, self.weights = f"encoders.{name}", scalar, weights
        self.lstm = scalar.LSTM(weights, f"{self.place}.cell.machine.controller", [0.0] * HIDDEN, [0.0] * HIDDEN)
        self.head, self.cache = scalar.Head(SLOTS), [1e-6] * WIDTH if cached else None

    def step(self, symbol, memory, others):
        inner = f"{self.place}.cell.machine.interface"
        hidden = self.lstm.step(self.weights[f"{self.place}.table"][symbol] + self.reads)
        name = "interface.head_parameters" if self.cache else "head_parameters"
        xi = self.scalar.interface(self.weights[f"{inner}.{name}.linear.weight"], hidden, WIDTH)
        if self.cache:
            gates = [self.scalar.sigmoid(z) for z in self.scalar.times(self.weights[f"{inner}.gates.weight"], hidden)]
            self.cache = [g * c + (1 - g) * v for g, c, v in zip(gates, self.cache, xi["add"], strict=True)]
            xi["add"] = self.cache
        memory.write(xi, self.head)
        self.head.move(xi, memory)
        self.reads = [number for contents in (memory, *others) for number in self.head.read(contents.contents)]


def by_the_letter(scalar, network, views, steps):
    """Return the logits of one row, the memories and the read weights of the decoder."""
    weights = {name: value.tolist() for name, value in network.state_dict().items()}
    fusion, cached = network.configuration["fusion"], network.configuration["write_cache"]
    memories = [scalar.Memory(SLOTS, WIDTH) for _ in range(2)]
    if fusion == "shared":
        memories[1] = memories[0]
    encoders = [Encoder(scalar, weights, name, cached) for name in ("first", "second")]
    for encoder in encoders:
        encoder.reads = [1e-6] * WIDTH * (2 if fusion == "cross" else 1)
    views = [[*view, BOUNDARY] for view in views]
    time = max(map(len, views))
    for t in range(time):
        for turn, encoder in enumerate(encoders):
            place = t - (time - len(views[turn]))
            if place < 0:
                continue
            others = [memories[1 - turn]] if fusion == "cross" else []
            encoder.step(views[turn][place], memories[turn], others)
            if fusion == "cross":
                for name in ADDRESSING:
                    setattr(memories[1 - turn], name, copy.deepcopy(getattr(memories[turn], name)))
    lstm = scalar.LSTM(
        weights,
        "decoder.cell.cell.machine.controller",
        encoders[0].lstm.hidden + encoders[1].lstm.hidden,
        encoders[0].lstm.cell + encoders[1].lstm.cell,
    )
    heads, reads, outputs = [encoder.head for encoder in encoders], [encoder.reads for encoder in encoders], []
    for _ in range(steps):
        hidden = lstm.step(weights["decoder.cell.table"][BOUNDARY] + reads[0] + reads[1])
        for n, (head, memory) in enumerate(zip(heads, memories, strict=True)):
            rows = weights[f"decoder.cell.cell.machine.interface.interfaces.{n}.head_parameters.linear.weight"]
            head.move(scalar.interface(rows, hidden, WIDTH), memory)
            reads[n] = head.read(memory.contents)
            if fusion == "cross":
                reads[n] = reads[n] + head.read(memories[1 - n].contents)
        outputs.append(
            scalar.times(weights["decoder.cell.cell.machine.to_output.weight"], hidden + reads[0] + reads[1])
        )
    return outputs, memories, heads


def states_of(last, row):
    """Return the states of both memories, as the decoder reads them."""
    memories = tree.rows(last.decoder.memory, row, row + 1).memories
    return [getattr(memory, "own", memory) for memory in memories]


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_logits_and_memories_are_those_of_the_equations(network, scalar, backend):
    with use_backend(backend):
        ys, last = network(VIEWS, lengths=LENGTHS)
    for row, steps in enumerate(LENGTHS.tolist()):
        views = [
            VIEWS.first[row, : VIEWS.first_lengths[row]].tolist(),
            VIEWS.second[row, : VIEWS.second_lengths[row]].tolist(),
        ]
        outputs, memories, heads = by_the_letter(scalar, network, views, steps)
        found, expected = [ys[row, :steps]], [outputs]
        for state, memory, head in zip(states_of(last, row), memories, heads, strict=True):
            found += [state.memory[0], state.usage[0], state.links.links[0, 0], state.links.precedence[0, 0]]
            found += [state.write_weights[0, 0], state.read_weights[0, 0]]
            expected += [memory.contents, memory.usage, memory.links, memory.precedence, memory.wrote, head.weights]
        for actual, letter in zip(found, expected, strict=True):
            torch.testing.assert_close(actual, torch.tensor(letter, dtype=torch.float64), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_decoding_changes_no_bit_of_either_memory(network, backend):
    network = network.float()
    with use_backend(backend):
        begin = encoded(network)
        _, last = network(VIEWS, begin, lengths=LENGTHS)
    before, after = (tree.named_tensors(state.decoder.memory) for state in (begin, last))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.rsplit(".", 1)[-1] for name in changed} == {"read_weights"}
    assert len(changed) == 2
    assert len(before) >= 12


def test_the_encoders_run_on_the_kernel_of_the_dnc(operator_calls):
    for fusion, calls in (("late", 2), ("shared", 2 * 5)):
        operator_calls.calls.clear()
        with use_backend("cpu"), operator_calls:
            encoded(network_of(fusion=fusion).requires_grad_(requires_grad=False))
        assert sum("dnc" in str(operator) for operator, _ in operator_calls.calls) == calls


def test_late_fusion_encodes_each_view_alone():
    network = network_of()
    whole = encoded(network)
    other = TwoViews(
        first=VIEWS.first,
        first_lengths=VIEWS.first_lengths,
        second=VIEWS.second.roll(1, 0),
        second_lengths=VIEWS.second_lengths.roll(1, 0),
        given=VIEWS.given,
    )
    assert torch.equal(encoded(network, other).encoders[0].reads, whole.encoders[0].reads)
    for fusion in ("shared", "cross"):
        mixing = network_of(fusion=fusion)
        assert not torch.equal(encoded(mixing, other).encoders[0].reads, encoded(mixing).encoders[0].reads)


def test_a_state_carries_memories_to_the_next_example(network):
    """Both views in two parts give the state of the whole, with boundaries and if the steps are aligned."""
    first, second = torch.tensor([[1, 5, BOUNDARY, 2, 3]]), torch.tensor([[6, 2, BOUNDARY, 4, 1]])
    whole = network.begin(first, second)
    half = network.begin(first[:, :2], second[:, :2])
    _, answered = network(tree.rows(VIEWS, 0, 1), half)
    joined = network.begin(first[:, 3:], second[:, 3:], after=answered)
    torch.testing.assert_close(tree.named_tensors(joined), tree.named_tensors(whole), rtol=1e-10, atol=1e-12)
    anew = network.begin(first[:, 3:], second[:, 3:])
    assert not torch.allclose(anew.decoder.reads, joined.decoder.reads)


def test_padding_and_other_rows_have_no_influence(network):
    ys, last = network(VIEWS, lengths=LENGTHS)
    longer = TwoViews(
        first=functional.pad(VIEWS.first, (0, 3), value=99),
        first_lengths=VIEWS.first_lengths,
        second=torch.where(torch.arange(4) < VIEWS.second_lengths[:, None], VIEWS.second, -3),
        second_lengths=VIEWS.second_lengths,
        given=VIEWS.given,
    )
    torch.testing.assert_close(network(longer, lengths=LENGTHS)[0], ys, rtol=1e-12, atol=1e-12)
    assert not ys[1, 1:].any()
    alone, end = network(tree.rows(VIEWS, 1, 3), lengths=LENGTHS[1:])
    torch.testing.assert_close(alone, ys[1:, : alone.shape[1]], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(end.decoder.reads, last.decoder.reads[1:], rtol=1e-12, atol=1e-12)


def test_with_feedback_it_receives_true_symbols_or_its_own():
    network = network_of(feedback=True)
    with torch.no_grad():
        network.decoder.cell.cell.machine.to_output.weight.mul_(20)
    begin = encoded(network)
    own = greedy(network, begin, longest=4, stop=None).symbols
    ys, _ = network(VIEWS)
    assert torch.equal(ys.argmax(-1), own)
    assert not torch.equal(network(VIEWS, targets=TARGETS)[0], ys)
    assert beam_search(network, begin, width=2, longest=3).symbols.shape[:2] == (3, 2)
    assert not network_of().forced


def test_every_parameter_has_a_gradient(network):
    ys, _ = network(VIEWS, lengths=LENGTHS)
    functional.cross_entropy(ys.flatten(0, 1), TARGETS.flatten()).backward()
    assert all(parameter.grad.any() for parameter in network.parameters())


OTHERS = {
    "second_size": 8,
    "fusion": "cross",
    "slots": 5,
    "width": 2,
    "read_heads": 2,
    "controller_size": 3,
    "embedding_size": None,
    "write_cache": True,
    "feedback": True,
}


@pytest.mark.parametrize("option", OTHERS)
def test_every_option_changes_the_answer(option):
    row = tree.rows(VIEWS, 0, 1)
    plain, other = network_of(), network_of(**{option: OTHERS[option]})
    assert not torch.equal(plain(row, targets=TARGETS[:1])[0], other(row, targets=TARGETS[:1])[0])


def test_the_list_of_options_is_complete():
    parameters = inspect.signature(DMNC).parameters.values()
    assert {p.name for p in parameters if p.kind is p.KEYWORD_ONLY} == set(OTHERS)


def test_it_is_shared_and_loaded(tmp_path):
    network = network_of(fusion="cross", write_cache=True)
    network.float().save_pretrained(tmp_path / "mine")
    assert torch.equal(DMNC.from_pretrained(tmp_path / "mine")(VIEWS)[0], network(VIEWS)[0])


def test_bad_input_is_refused_in_one_sentence(shapes_unchecked):
    network = network_of()
    with pytest.raises(ValueError, match="fusion is 'early', but it must be one of 'late', 'shared', 'cross'; choose"):
        DMNC(FIRST, TARGET, fusion="early")
    with pytest.raises(ValueError, match="second_size of DMNC is 0, but it must be at least 1"):
        DMNC(FIRST, TARGET, second_size=0)
    with pytest.raises(TypeError, match=r"the inputs are a Tensor, but DMNC reads two_views; pass memtape\.TwoViews"):
        network(VIEWS.first)
    with pytest.raises(ValueError, match=r"the second view side of DMNC reads the symbols 0\.\.6"):
        network.begin(torch.tensor([[5]]), torch.tensor([[7]]))
    with pytest.raises(TypeError, match=r"the first view has dtype torch\.float32, but this DMNC reads symbols there"):
        network.begin(torch.zeros(1, 1), torch.tensor([[5]]))
