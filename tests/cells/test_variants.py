"""Relations between the forms of the cells, and options that are refused."""

import pytest
import torch

from memtape import tree, unroll, use_backend
from memtape.cells import Delayed, ElmanCell, GRUCell, JordanCell, LeakyCell, LSTMCell

INPUT, HIDDEN = 2, 4


def sequences(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def with_weights(cell, other):
    cell.load_state_dict(other.state_dict(), strict=False)
    return cell


def test_the_book_s_unit_is_the_reset_before_unit_with_shifted_steps():
    inner = GRUCell(INPUT, HIDDEN, variant="reset_before", candidate="sigmoid").double()
    xs = sequences(3, 6, INPUT)
    late, last, _ = unroll(Delayed(inner), xs)
    shifted = torch.cat([torch.zeros(3, 1, INPUT).double(), xs[:, :-1]], dim=1)
    torch.testing.assert_close(late, unroll(inner, shifted)[0])
    torch.testing.assert_close(late[:, 1:], unroll(inner, xs[:, :-1], unroll(inner, shifted[:, :1])[1])[0])
    assert torch.equal(last.x, xs[:, -1])


def test_the_reset_gate_before_and_after_the_product_agree_only_where_it_is_open():
    after = GRUCell(INPUT, HIDDEN).double()
    with torch.no_grad():
        after.from_hidden.bias.zero_()
    before = with_weights(GRUCell(INPUT, HIDDEN, variant="reset_before").double(), after)
    xs = sequences(2, 6, INPUT)
    assert (unroll(after, xs)[0] - unroll(before, xs)[0]).abs().max() > 1e-3
    with torch.no_grad():
        after.from_input.bias[:HIDDEN] = 50
        before.from_input.bias[:HIDDEN] = 50
    torch.testing.assert_close(unroll(after, xs)[0], unroll(before, xs)[0])


def test_units_that_keep_nothing_of_themselves_are_plain(equal_up_to_rounding):
    leaky = LeakyCell(INPUT, HIDDEN, longest=1.0).double()
    plain = with_weights(ElmanCell(INPUT, HIDDEN).double(), leaky)
    xs = sequences(2, 6, INPUT)
    with use_backend("reference"):
        equal_up_to_rounding(unroll(leaky, xs)[0], unroll(plain, xs)[0])


def test_units_that_keep_all_of_themselves_are_frozen():
    leaky = LeakyCell(INPUT, HIDDEN).double()
    leaky.share.fill_(1)
    begin = tree.move(unroll(ElmanCell(INPUT, HIDDEN), torch.randn(2, 3, INPUT))[1], dtype=torch.float64)
    ys, last, _ = unroll(leaky, sequences(2, 6, INPUT), begin)
    assert torch.equal(last.hidden, begin.hidden)
    assert torch.equal(ys, begin.hidden[:, None].expand(-1, 6, -1))


def test_recurrent_dropout_drops_the_update_and_not_the_memory():
    xs, begin = torch.randn(2, 6, INPUT), None
    for cell in (LSTMCell(INPUT, HIDDEN, recurrent_dropout=1.0), GRUCell(INPUT, HIDDEN, recurrent_dropout=1.0)):
        expected = unroll(with_weights(type(cell)(INPUT, HIDDEN), cell), xs)[0]
        begin = tree.detach(unroll(cell.eval(), xs)[1])
        torch.testing.assert_close(unroll(cell, xs)[0], expected)
        y, moved = cell.train()(xs[:, 0], begin)
        kept = moved.cell / begin.cell if isinstance(cell, LSTMCell) else y / begin.hidden
        assert ((kept > 0) & (kept < 1)).all()


def test_dropout_keeps_the_mean_of_the_update():
    cell = LSTMCell(INPUT, HIDDEN, recurrent_dropout=0.5)
    x, state = torch.randn(1, INPUT).expand(20000, -1), cell.init_state(20000)
    dropped = cell(x, state)[1].cell
    torch.testing.assert_close(dropped.mean(dim=0), cell.eval()(x, state)[1].cell[0], rtol=0, atol=0.01)
    assert 0.45 < (dropped == 0).double().mean() < 0.55


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: ElmanCell(2, 3, activation="sine"),
            "activation is 'sine', but it must be one of 'tanh', 'relu', 'sigmoid'; choose",
        ),
        (
            lambda: ElmanCell(2, 3, initial="ones"),
            "initial is 'ones', but it must be one of 'uniform', 'orthogonal', 'iden",
        ),
        (
            lambda: LSTMCell(2, 3, candidate="relu"),
            "candidate is 'relu', but it must be one of 'tanh', 'sigmoid'; choose",
        ),
        (lambda: LSTMCell(2, 3, chrono=1), "chrono is 1, but it must be at least 2; give a larger chrono"),
        (
            lambda: LSTMCell(2, 3, recurrent_dropout=1.5),
            "recurrent_dropout is 1.5, but it is a probability; give a number in",
        ),
        (
            lambda: GRUCell(2, 3, variant="book"),
            "variant is 'book', but it must be one of 'reset_after', 'reset_before'",
        ),
        (
            lambda: GRUCell(2, 3, candidate="relu"),
            "candidate is 'relu', but it must be one of 'tanh', 'sigmoid'; choose",
        ),
        (
            lambda: LeakyCell(2, 3, longest=0.5),
            "longest is 0.5, but a time constant is at least 1 step and finite; give a f",
        ),
        (
            lambda: LeakyCell(2, 3, time_constants="free"),
            "time_constants is 'free', but it must be one of 'fixed', 'learne",
        ),
        (
            lambda: LeakyCell(2, 3, recurrence="diagonal"),
            "recurrence is 'diagonal', but it must be one of 'full', 'linear'",
        ),
        (
            lambda: JordanCell(2, 3, 1, feedback="hidden"),
            "feedback is 'hidden', but it must be one of 'outputs', 'softmax'",
        ),
        (lambda: JordanCell(2, 3, 0), "output_size of JordanCell is 0, but it must be at least 1"),
        (lambda: JordanCell(2, 3, 1, activation="sine"), "activation is 'sine', but it must be one of 'tanh', 'relu'"),
    ],
)
def test_an_unknown_option_is_refused(build, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        build()
