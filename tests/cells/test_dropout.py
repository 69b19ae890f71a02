"""Dropout, zoneout and weight drop: random in training; the plain network or the mean in evaluation."""

import pytest
import torch

from memtape import Recurrent, tree, unroll
from memtape.cells import (
    ElmanCell,
    FeedforwardCell,
    GRUCell,
    LeakyCell,
    LearnedInitialState,
    LSTMCell,
    Stacked,
    VariationalDropout,
    WeightDrop,
    Zoneout,
)

BATCH, TIME, INPUT, HIDDEN = 3, 6, 2, 4
F64 = torch.float64


@pytest.fixture
def xs():
    return torch.randn(BATCH, TIME, INPUT, dtype=F64)


def same(first, second):
    torch.testing.assert_close(first, second, rtol=1e-12, atol=1e-12)


def test_the_same_entries_are_dropped_in_every_step(xs):
    inner = LSTMCell(INPUT, HIDDEN).double()
    cell = VariationalDropout(inner, inputs=0.5, outputs=0.4, hidden=0.3)
    state = cell.init_state(BATCH, dtype=F64)
    assert set(state.masks) == {"inputs", "outputs", "hidden.hidden"}
    ys, last, _ = unroll(cell, xs, state)
    plain = state.cell
    for t in range(TIME):
        dropped = tree.from_named_tensors(
            {"hidden": plain.hidden * state.masks["hidden.hidden"], "cell": plain.cell}, plain
        )
        y, plain = inner(xs[:, t] * state.masks["inputs"], dropped)
        same(ys[:, t], y * state.masks["outputs"])
    same(tree.named_tensors(last.masks), tree.named_tensors(state.masks))


def test_chunks_lengths_and_recomputation_keep_the_masks(xs):
    cell = VariationalDropout(
        Stacked([LSTMCell(INPUT, 4), ElmanCell(4, 3)]).double(), inputs=0.5, outputs=0.5, hidden=0.5
    )
    state = cell.init_state(BATCH, dtype=F64)
    assert set(state.masks) == {"inputs", "outputs", "hidden.layers.0.hidden", "hidden.layers.1.hidden"}
    whole, last, _ = unroll(cell, xs, state)
    first, middle, _ = unroll(cell, xs[:, :2], state)
    second, end, _ = unroll(cell, xs[:, 2:], middle)
    same(torch.cat([first, second], dim=1), whole)
    same(tree.named_tensors(end), tree.named_tensors(last))
    same(unroll(cell, xs, state, checkpoint_every=2)[0], whole)
    short = unroll(cell, xs, state, lengths=torch.tensor([2, 0, TIME]))[0]
    same(short[0, :2], whole[0, :2])
    assert not short[1].any()


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_masks_keep_the_mean_of_the_masked_values(rate):
    masks = VariationalDropout(ElmanCell(INPUT, HIDDEN), inputs=rate).init_state(20000).masks
    if not rate:
        assert not masks
    else:
        assert abs((masks["inputs"] == 0).double().mean() - rate) < 0.01
        assert rate == 1 or abs(masks["inputs"].mean() - 1) < 0.02


def test_in_evaluation_nothing_is_dropped(xs):
    inner = LSTMCell(INPUT, HIDDEN).double()
    cell = VariationalDropout(inner, inputs=0.5, outputs=0.5, hidden=0.5).eval()
    assert not cell.init_state(BATCH, dtype=F64).masks
    same(unroll(cell, xs)[0], unroll(inner, xs)[0])


def test_zoneout_keeps_random_entries_and_their_mean_in_evaluation():
    inner = LSTMCell(INPUT, HIDDEN).double()
    cell = Zoneout(inner, hidden=0.25, memory=0.5)
    batch = 20000
    x, old = torch.randn(1, INPUT, dtype=F64).expand(batch, -1), unroll(inner, torch.randn(1, 3, INPUT, dtype=F64))[1]
    before = tree.from_named_tensors(
        {n: leaf.detach().repeat(batch, 1) for n, leaf in tree.named_leaves(old).items()}, old
    )
    _, fresh = inner(x, before)
    y, moved = cell(x, before)
    assert torch.equal(y, moved.hidden)
    for rate, new, kept, came in (
        (0.25, moved.hidden, before.hidden, fresh.hidden),
        (0.5, moved.cell, before.cell, fresh.cell),
    ):
        assert ((new == kept) | (new == came)).all()
        assert abs((new == kept).double().mean() - rate) < 0.01
    y, mean = cell.eval()(x, before)
    same(y, 0.25 * before.hidden + 0.75 * fresh.hidden)
    same(mean.cell, 0.5 * before.cell + 0.5 * fresh.cell)


def test_zoneout_of_a_gru_and_zoneout_with_rate_0(xs):
    inner = GRUCell(INPUT, HIDDEN).double()
    same(unroll(Zoneout(inner, hidden=0.0), xs)[0], unroll(inner, xs)[0])
    frozen, _, _ = unroll(Zoneout(inner, hidden=1.0), xs)
    assert not frozen.any()


def test_weight_drop_drops_the_recurrent_weights_once_per_call(xs):
    network = Recurrent(Stacked([LSTMCell(INPUT, 4), GRUCell(4, 3)])).double()
    dropped = WeightDrop(network, 0.5)
    assert dropped.names == ["cell.layers.0.from_hidden.weight", "cell.layers.1.from_hidden.weight"]
    whole = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(5)
    ys, _ = dropped(xs)
    torch.manual_seed(5)
    masks = [torch.nn.functional.dropout(torch.ones_like(whole[name]), 0.5) for name in dropped.names]
    same(network.state_dict(), whole)
    (gradient,) = torch.autograd.grad(ys.sum(), [network.cell.layers[0].from_hidden.weight])
    assert torch.equal(gradient == 0, masks[0] == 0)
    with torch.no_grad():
        for layer, mask in zip(network.cell.layers, masks, strict=True):
            layer.from_hidden.weight.mul_(mask)
    same(network(xs)[0], ys)
    assert not torch.equal(dropped(xs)[0], dropped(xs)[0])
    same(dropped.eval()(xs)[0], network(xs)[0])


def test_recomputed_steps_use_the_dropped_weights(xs):
    dropped = WeightDrop(Recurrent(GRUCell(INPUT, 4)), 0.5).double()

    def gradients(**options):
        torch.manual_seed(5)
        return torch.autograd.grad(dropped(xs, **options)[0].square().sum(), list(dropped.parameters()))

    for mine, other in zip(gradients(checkpoint_every=2), gradients(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: VariationalDropout(GRUCell(2, 3), hidden=0.5),
            "hidden vector of GRUCell is its memory, which a mask at every",
        ),
        (
            lambda: VariationalDropout(LeakyCell(2, 3), hidden=0.5),
            "hidden vector of LeakyCell is its memory, which a mask",
        ),
        (
            lambda: VariationalDropout(FeedforwardCell(2, 3), hidden=0.5),
            "hidden is 0.5, but the state of FeedforwardCell has no vector 'hidden'; give",
        ),
        (
            lambda: VariationalDropout(GRUCell(2, 3), inputs=-0.5),
            "inputs is -0.5, but it is a probability; give a number",
        ),
        (
            lambda: LearnedInitialState(VariationalDropout(GRUCell(2, 3))),
            "contains a VariationalDropout, whose masks are drawn",
        ),
        (
            lambda: Zoneout(GRUCell(2, 3), memory=0.5),
            "state of GRUCell has no vector 'cell'; wrap a cell",
        ),
        (lambda: Zoneout(FeedforwardCell(2, 3)), "state of FeedforwardCell has no vector 'hidden'; wrap"),
        (lambda: Zoneout(GRUCell(2, 3), hidden=1.5), "hidden is 1.5, but it is a probability; give a number in 0..1"),
        (
            lambda: WeightDrop(Recurrent(FeedforwardCell(2, 3)), 0.5),
            "no parameter of Recurrent has a name that ends",
        ),
        (
            lambda: WeightDrop(Recurrent(GRUCell(2, 3)), 1.5),
            "rate is 1.5, but it is a probability; give a number in 0..1",
        ),
        (
            lambda: Stacked([GRUCell(2, 3)], dropout=-1.0),
            "dropout is -1.0, but it is a probability; give a number in 0..1",
        ),
    ],
)
def test_invalid_options_of_dropout_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
