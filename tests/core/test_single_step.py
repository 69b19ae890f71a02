"""Single steps: `Recurrent.step` gives the results of a sequence of one step."""

import gc
import weakref

import pytest
import torch
from torch import nn

from memtape import GRU, LRU, NTM, Recurrent, StackedLSTM, tree, use_backend
from memtape.catalog.registry import MODELS
from memtape.cells import GRUCell, LeakyCell, LSTMCell, Readout
from memtape.core.backends import backends

INPUT, BATCH = 3, 2
RECURRENT = [name for name, entry in MODELS.items() if issubclass(entry.load(), Recurrent)]
ONE_EACH = ("lstm", "ntm", "lru")
ALL = [pytest.param(name, marks=[] if name in ONE_EACH else [pytest.mark.every_form]) for name in RECURRENT]


def built(name, **options):
    return MODELS[name].load()(INPUT, 4, **(MODELS[name].card.small | options)).eval()


@pytest.fixture
def network():
    return StackedLSTM(INPUT, 4, hidden_size=5, layers=2).eval()


def by_sequence(network, x, state):
    ys, after = network(x[:, None], state)
    return ys[:, 0], after


@pytest.mark.parametrize("symbols", [False, True])
@pytest.mark.parametrize("name", ALL)
def test_steps_give_the_results_of_a_sequence(name, symbols, equal_up_to_rounding):
    network = built(name)
    xs = torch.randint(INPUT, (BATCH, 4)) if symbols else torch.randn(BATCH, 4, INPUT)
    expected, last = network(xs)
    state, ys = None, []
    for x in xs.unbind(dim=1):
        y, state = network.step(x, state)
        ys.append(y)
    equal_up_to_rounding((torch.stack(ys, dim=1), state), (expected, last))


@pytest.mark.parametrize("backend", ["reference", "scan", "cpu"])
def test_every_backend_takes_single_steps(backend, equal_up_to_rounding):
    if backends()[backend]:
        pytest.skip(backends()[backend])
    network, x = built("ntm"), torch.randn(BATCH, INPUT)
    with use_backend("reference"):
        expected = by_sequence(network, x, None)
    with use_backend(backend):
        equal_up_to_rounding(network.step(x), expected)


@pytest.mark.skipif(backends()["cpu"] is not None, reason=f"the kernels are absent: {backends()['cpu']}")
@pytest.mark.parametrize(("name", "calls"), [("ntm", 1), ("gru", 0)])
def test_machines_take_steps_in_their_kernel_and_layers_in_their_cell(name, calls, operator_calls):
    network = built(name)
    with use_backend("cpu"), operator_calls as noted:
        network.step(torch.randn(BATCH, INPUT))
    assert len(noted.calls) == calls


def test_an_embedding_of_symbols_is_looked_up(equal_up_to_rounding):
    network, symbols = GRU(INPUT, 4, hidden_size=5, embedding_size=6).eval(), torch.tensor([2, 0])
    equal_up_to_rounding(network.step(symbols), by_sequence(network, symbols, None))


def test_gradients_flow_through_steps(network):
    _, state = network.step(torch.randn(BATCH, INPUT))
    network.step(torch.randn(BATCH, INPUT), state)[0].sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


CHANGES = {
    "other weights": lambda network: network.load_state_dict(
        {name: tensor + 0.1 for name, tensor in network.state_dict().items()}, assign=True
    ),
    "another dtype": lambda network: network.double(),
    "a new readout": lambda network: setattr(network.cell.network.cell, "to_output", nn.Linear(5, 4)),
    "a larger layer": lambda network: setattr(network, "cell", Readout(LSTMCell(INPUT, 9), 4)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_network_has_effect_in_the_next_step(network, change, equal_up_to_rounding):
    before, _ = network.step(torch.ones(BATCH, INPUT))
    CHANGES[change](network)
    x = torch.ones(BATCH, INPUT, dtype=next(network.parameters()).dtype)
    after, state = network.step(x)
    equal_up_to_rounding((after, state), by_sequence(network, x, None))
    assert change == "another dtype" or not torch.allclose(before, after)


def test_replaced_weights_are_freed(network):
    _, state = network.step(torch.ones(BATCH, INPUT))
    old = weakref.ref(network.cell)
    del state
    network.cell = Readout(LSTMCell(INPUT, 9), 4)
    gc.collect()
    assert old() is None


@pytest.mark.parametrize("place", ["network", "cell", "part"])
@pytest.mark.parametrize("name", ["lstm", "ntm"])
def test_hooks_run_in_a_step(name, place):
    network, calls = built(name), []
    linear = next(part for part in network.cell.modules() if isinstance(part, nn.Linear))
    parts = {"network": network, "cell": network.cell, "part": linear}
    parts[place].register_forward_hook(lambda *_: calls.append(1))

    network.step(torch.randn(BATCH, INPUT))
    assert calls


def test_a_step_runs_what_a_subclass_computes_for_sequences():
    class Doubled(GRU):
        def forward(self, xs, state=None, **options):
            ys, state = super().forward(xs, state, **options)
            return 2 * ys, state

    torch.manual_seed(0)
    doubled = Doubled(INPUT, 4, hidden_size=5)
    torch.manual_seed(0)
    plain, x = GRU(INPUT, 4, hidden_size=5), torch.randn(BATCH, INPUT)
    torch.testing.assert_close(doubled.step(x)[0], 2 * plain.step(x)[0])


def test_the_state_keeps_its_precision_under_autocast():
    network, x = built("gru"), torch.randn(BATCH, INPUT)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, state = network.step(x, network.init_state(BATCH))
    assert y.dtype == torch.bfloat16
    assert all(leaf.dtype == torch.float32 for leaf in tree.leaves(state))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            torch.zeros(BATCH, 1, INPUT),
            r"has shape \(2, 1, 3\), but a step of StackedLSTMCell takes \(batch, 3\); pass one",
        ),
        (torch.zeros(BATCH, INPUT + 1), r"has shape \(2, 4\), but a step of StackedLSTMCell takes \(batch, 3\)"),
        (torch.zeros(BATCH, INPUT, dtype=torch.float64), "are torch.float64, but the parameters .* are torch.float32"),
        (torch.full((BATCH, INPUT), torch.nan), r"contain nan at \(row, step, feature\) \(0, 0, 0\)"),
        (torch.tensor([0, 3]), r"the symbol at \(row, step\) \(1, 0\) is 3, but"),
    ],
    ids=["a sequence", "another size", "another dtype", "not finite", "unknown symbol"],
)
def test_a_wrong_input_is_refused_in_one_sentence(network, x, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        network.step(x)


@pytest.mark.parametrize("x", [[[0.0, 0.0, 0.0]], torch.zeros(BATCH, INPUT, dtype=torch.bool)], ids=type)
def test_a_wrong_type_is_refused_in_one_sentence(network, x, shapes_unchecked):
    with pytest.raises(TypeError, match="pass"):
        network.step(x)


def leaky(size):
    return Recurrent(LeakyCell(INPUT, size, recurrence="linear"))


WRONG_STATES = {
    "a batch of one": (lambda: NTM(INPUT, 4, slots=5, width=3), lambda network: network.init_state(1)),
    "a batch of one for layers": (lambda: GRU(INPUT, 4, hidden_size=5), lambda network: network.init_state(1)),
    "a larger batch": (lambda: GRU(INPUT, 4, hidden_size=5), lambda network: network.init_state(7)),
    "another size": (lambda: GRU(INPUT, 4, hidden_size=5), lambda _: GRU(INPUT, 4, hidden_size=6).init_state(BATCH)),
    "a size of one": (lambda: leaky(5), lambda _: leaky(1).init_state(BATCH)),
    "more slots": (lambda: NTM(INPUT, 4, slots=5), lambda _: NTM(INPUT, 4, slots=9).init_state(BATCH)),
    "another dtype": (lambda: LRU(INPUT, 4), lambda network: network.init_state(BATCH, dtype=torch.float64)),
    "another cell": (lambda: Recurrent(GRUCell(INPUT, 4)), lambda _: LSTMCell(INPUT, 4).init_state(BATCH)),
    "too few parts": (lambda: Recurrent(LSTMCell(INPUT, 4)), lambda _: GRUCell(INPUT, 4).init_state(BATCH)),
    "a tensor": (lambda: Recurrent(LSTMCell(INPUT, 4)), lambda _: torch.zeros(BATCH, 4)),
}


@pytest.mark.parametrize("case", WRONG_STATES)
def test_a_state_of_another_network_or_batch_is_refused_in_one_sentence(case, shapes_unchecked):
    make, state = WRONG_STATES[case]
    network = make()
    with pytest.raises(ValueError, match=r"of the state (has shape|is torch)|the state is a .* of another structure"):
        network.step(torch.randn(BATCH, INPUT), state(network))


@pytest.mark.parametrize("options", [{"dtype": torch.float64}, {"batch": 7}], ids=["another dtype", "a larger batch"])
def test_a_state_that_would_broadcast_or_be_promoted_is_refused(options, shapes_unchecked):
    network = leaky(5)
    state = network.init_state(options.get("batch", 1), dtype=options.get("dtype"))
    with pytest.raises(ValueError, match=r"hidden of the state (has shape|is torch)"):
        network.step(torch.randn(1, INPUT), state)


def test_an_error_of_the_cell_itself_is_raised_as_it_is(network):
    def refuse(*_):
        raise ValueError("the cell refuses")

    network.cell.network.forward = refuse
    with pytest.raises(ValueError, match="the cell refuses"):
        network.step(torch.randn(BATCH, INPUT))
