"""The arguments that `unroll` refuses, and its messages; the laws check what it computes."""

import pytest
import torch

from memtape import NTMCell, StackedLSTMCell, tree, unroll
from memtape.cells import ElmanCell, FeedforwardCell, GRUCell, LSTMCell

BATCH, TIME, INPUT = 3, 4, 2

pytestmark = pytest.mark.usefixtures("shapes_unchecked")


@pytest.fixture
def cell():
    return LSTMCell(INPUT, 5)


@pytest.fixture
def xs():
    return torch.randn(BATCH, TIME, INPUT)


def test_inputs_must_be_a_tensor(cell):
    message = r"the inputs are a list, but LSTMCell takes a tensor; pass one of shape \(batch, time, 2\)"
    with pytest.raises(TypeError, match=message):
        unroll(cell, [[[0.0, 1.0]]])


@pytest.mark.parametrize(
    "shape", [(TIME, INPUT), (1, BATCH, TIME, INPUT), (BATCH, TIME, INPUT + 1), (BATCH, TIME, 0), (BATCH, 0, INPUT), ()]
)
def test_inputs_must_have_the_shape_of_batch_time_and_input(cell, shape):
    with pytest.raises(
        ValueError, match=r"the inputs have shape \(.*\), but LSTMCell takes \(batch, time, 2\) with at"
    ):
        unroll(cell, torch.zeros(shape))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_inputs_must_be_floating_point(cell, xs, dtype):
    with pytest.raises(TypeError, match=f"the inputs are {dtype}, but LSTMCell computes with floating-point numbers"):
        unroll(cell, torch.zeros(BATCH, TIME, INPUT, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_inputs_must_have_the_dtype_of_the_parameters(cell, xs, dtype):
    message = f"the inputs are {dtype}, but the parameters of LSTMCell are torch.float32; convert one of them"
    with pytest.raises(ValueError, match=message):
        unroll(cell, xs.to(dtype))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_network_in_half_precision_is_refused(cell, xs, dtype):
    message = f"the parameters of LSTMCell are {dtype}, but a state .* needs at least float32; keep .* torch.autocast"
    with pytest.raises(ValueError, match=message):
        unroll(cell.to(dtype), xs.to(dtype))


def test_inputs_must_be_on_the_device_of_the_network(cell, xs):
    with pytest.raises(ValueError, match=r"the inputs are on meta, but LSTMCell is on cpu; move one of them with \.to"):
        unroll(cell, xs.to("meta"))


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_inputs_within_the_lengths_must_be_finite(cell, xs, wrong):
    xs[1, 2, 1] = wrong
    message = rf"the inputs contain {wrong} at \(row, step, feature\) \(1, 2, 1\), but they must be finite; clean"
    with pytest.raises(ValueError, match=message):
        unroll(cell, xs)
    with pytest.raises(ValueError, match=message):
        unroll(cell, xs, lengths=torch.tensor([1, 3, 1]))


def test_padding_may_have_any_value(cell, xs):
    xs[1, 2, 1] = float("nan")
    ys, _, _ = unroll(cell, xs, lengths=torch.tensor([TIME, 2, TIME]))
    assert ys.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bool])
def test_lengths_must_be_integers(cell, xs, dtype):
    with pytest.raises(TypeError, match=f"lengths are {dtype}, but they are numbers of steps; pass integers"):
        unroll(cell, xs, lengths=torch.ones(BATCH, dtype=dtype))


@pytest.mark.parametrize("lengths", [torch.tensor([1, 2]), torch.ones(BATCH, 1).long(), torch.tensor(2)])
def test_lengths_must_be_one_for_each_row(cell, xs, lengths):
    with pytest.raises(
        ValueError, match=r"lengths have shape \(.*\), but the batch has 3 rows; pass one length for each"
    ):
        unroll(cell, xs, lengths=lengths)


@pytest.mark.parametrize("wrong", [-1, TIME + 1])
def test_lengths_must_lie_in_the_time_of_the_inputs(cell, xs, wrong):
    message = rf"a length is {wrong}, but every length must lie in 0\.\.4, the time of the inputs; cut or pad"
    with pytest.raises(ValueError, match=message):
        unroll(cell, xs, lengths=torch.tensor([2, wrong, TIME]))


def test_lengths_may_be_a_plain_list(cell, xs):
    ys, _, _ = unroll(cell, xs, lengths=[1, 2, 3])
    assert torch.equal(ys, unroll(cell, xs, lengths=torch.tensor([1, 2, 3]))[0])


def test_lengths_may_have_a_narrow_integer_type(cell, xs):
    lengths = torch.tensor([1, 2, 3])
    ys, _, _ = unroll(cell, xs, lengths=lengths.to(torch.int16))
    assert torch.equal(ys, unroll(cell, xs, lengths=lengths)[0])


def test_starts_must_be_booleans(cell, xs):
    with pytest.raises(
        TypeError, match=r"starts are torch.int64, but they must be one boolean for each step; pass a bool tensor"
    ):
        unroll(cell, xs, starts=torch.zeros(BATCH, TIME).long())


@pytest.mark.parametrize("shape", [(BATCH,), (TIME, BATCH), (BATCH, TIME, 1)])
def test_starts_must_be_one_for_each_step(cell, xs, shape):
    with pytest.raises(
        ValueError, match=r"starts have shape \(.*\), but the inputs have \(3, 4\) \(batch, time\); pass"
    ):
        unroll(cell, xs, starts=torch.zeros(shape, dtype=torch.bool))


def test_checkpoint_every_must_be_at_least_1(cell, xs):
    with pytest.raises(ValueError, match="checkpoint_every is 0, but it must be at least 1; give a larger"):
        unroll(cell, xs, checkpoint_every=0)
    with pytest.raises(TypeError, match="checkpoint_every is True, but it must be an integer; give one of at least 1"):
        unroll(cell, xs, checkpoint_every=True)


@pytest.mark.parametrize("wrong_batch", [1, BATCH + 1])
def test_a_state_of_another_batch_is_refused(cell, xs, wrong_batch):
    message = (
        rf"hidden of the state has shape \({wrong_batch}, 5\), but LSTMCell with a batch of 3 needs \(3, 5\); pass"
    )
    with pytest.raises(ValueError, match=message):
        unroll(cell, xs, cell.init_state(wrong_batch))


@pytest.mark.parametrize("other", [GRUCell(INPUT, 5), StackedLSTMCell(INPUT, 5), FeedforwardCell(INPUT, 5)])
def test_a_state_of_another_kind_of_network_is_refused(cell, xs, other):
    message = r"the state is a \w+ of another structure than the state of LSTMCell; pass the state that this network"
    with pytest.raises(ValueError, match=message):
        unroll(cell, xs, other.init_state(BATCH))


@pytest.mark.parametrize("wrong", [torch.zeros(BATCH, 5), (torch.zeros(BATCH, 5), torch.zeros(BATCH, 5)), "state"])
def test_an_invalid_state_is_refused(cell, xs, wrong):
    with pytest.raises(ValueError, match=r"the state is a \w+ of another structure than the state of LSTMCell"):
        unroll(cell, xs, wrong)


def test_a_state_of_a_network_of_another_size_is_refused():
    network, other = NTMCell(INPUT, 3, slots=6, width=4), NTMCell(INPUT, 3, slots=7, width=4)
    message = r"memory\.memory of the state has shape \(3, 7, 4\), but NTMCell with a batch of 3 needs \(3, 6, 4\)"
    with pytest.raises(ValueError, match=message):
        unroll(network, torch.zeros(BATCH, TIME, INPUT), other.init_state(BATCH))


def test_a_state_of_content_addressing_is_refused_by_addressing_by_location():
    options = {"slots": 6, "width": 4}
    other = NTMCell(INPUT, 3, addressing="content", **options)
    with pytest.raises(
        ValueError, match="the state is a AugmentedState of another structure than the state of NTMCell"
    ):
        unroll(NTMCell(INPUT, 3, **options), torch.zeros(BATCH, TIME, INPUT), other.init_state(BATCH))


def test_a_state_of_another_dtype_is_refused_and_the_suggested_fix_works(cell, xs):
    state = tree.move(cell.init_state(BATCH), dtype=torch.float64)
    message = (
        r"hidden of the state is torch.float64 on cpu, but the inputs need torch.float32 on cpu; move it with memt"
    )
    with pytest.raises(ValueError, match=message):
        unroll(cell, xs, state)
    unroll(cell, xs, tree.move(state, dtype=torch.float32))


def test_a_state_on_another_device_is_refused(cell, xs):
    with pytest.raises(
        ValueError, match=r"hidden of the state is torch.float32 on meta, but the inputs need .* on cpu"
    ):
        unroll(cell, xs, tree.move(cell.init_state(BATCH), device="meta"))


def test_autocast_takes_inputs_of_another_dtype(xs):
    cell = ElmanCell(INPUT, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ys, state, _ = unroll(cell, xs.bfloat16().float())
        same, _, _ = unroll(cell, xs.bfloat16())
    torch.testing.assert_close(ys, same, atol=0.05, rtol=0.05)
    assert state.hidden.dtype == torch.float32


def test_collect_returns_the_requested_parts(cell, xs):
    ys, _, hidden = unroll(cell, xs, collect=lambda state: state.hidden)
    assert torch.equal(hidden, ys)
    _, _, trace = unroll(cell, xs, collect=lambda state: {"cell": state.cell, "pair": (state.hidden, state.cell)})
    assert torch.equal(trace["cell"], trace["pair"][1])
    assert unroll(cell, xs)[2] is None


def test_a_cell_without_parameters_runs():
    class Sum(FeedforwardCell):
        def __init__(self):
            super().__init__(INPUT, INPUT)
            del self.layer

        def forward(self, x, state):
            return x + 1, state

    xs = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    assert torch.equal(unroll(Sum(), xs)[0], xs + 1)
