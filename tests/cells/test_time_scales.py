"""Connections and units over long time scales: skip connections, clockwork groups and echo states."""

import math

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from memtape import Recurrent, tree, unroll, use_backend
from memtape.cells import ClockworkCell, EchoStateCell, ElmanCell, SkipCell
from memtape.core.backends import backends

INPUT, HIDDEN = 2, 6
F64 = torch.float64


@pytest.fixture(params=["reference", "cpu"], autouse=True)
def backend(request):
    """Single steps, and the fused kernels of the cells that have one."""
    absent = backends()[request.param]
    if absent:
        pytest.skip(absent)
    with use_backend(request.param):
        yield


def arrays(cell):
    return {name: value.detach().numpy() for name, value in cell.state_dict().items()}


def random(*shape):
    return torch.randn(*shape, dtype=F64)


def close(ys, expected):
    np.testing.assert_allclose(ys.detach().numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("keep_short", [False, True])
def test_a_skip_cell_computes_its_equations(keep_short):
    cell = SkipCell(INPUT, HIDDEN, delay=3, keep_short=keep_short, activation="relu").double()
    w, xs = arrays(cell), random(1, 8, INPUT)
    ys, _, _ = unroll(cell, xs)
    hidden = {t: np.zeros(HIDDEN) for t in range(-3, 0)}
    for t in range(8):
        total = (
            w["from_input.weight"] @ xs[0, t].numpy() + w["from_input.bias"] + w["from_delayed.weight"] @ hidden[t - 3]
        )
        if keep_short:
            total += w["from_hidden.weight"] @ hidden[t - 1]
        hidden[t] = np.maximum(total, 0)
        close(ys[0, t], hidden[t])


def test_without_the_short_connection_an_impulse_comes_back_at_multiples_of_the_delay():
    for keep_short, expected in ((False, {0, 4, 8}), (True, set(range(9)))):
        cell = SkipCell(INPUT, HIDDEN, delay=4, keep_short=keep_short).double()
        xs = torch.zeros(1, 9, INPUT, dtype=F64)
        xs[0, 0] = 1
        ys, last, _ = unroll(cell, xs)
        assert {t for t in range(9) if ys[0, t].any()} == expected
        assert torch.equal(last.recent, ys[:, -4:])


def test_a_clockwork_cell_computes_its_equations():
    groups, base, size = 3, 2, 2
    cell = ClockworkCell(INPUT, groups * size, groups=groups, base=base).double()
    w, xs = arrays(cell), random(1, 10, INPUT)
    ys, _, _ = unroll(cell, xs)
    hidden = [np.zeros(size) for _ in range(groups)]
    for t in range(10):
        new = list(hidden)
        for i in range(groups):
            if t % base**i == 0:
                rows = slice(i * size, (i + 1) * size)
                total = w["from_input.weight"][rows] @ xs[0, t].numpy() + w["from_input.bias"][rows]
                for j in range(i, groups):
                    total += w[f"from_slower.{i}.weight"][:, (j - i) * size : (j - i + 1) * size] @ hidden[j]
                new[i] = np.tanh(total)
        hidden = new
        close(ys[0, t], np.concatenate(hidden))


def test_one_group_is_a_plain_network():
    clock = ClockworkCell(INPUT, HIDDEN, groups=1).double()
    plain = ElmanCell(INPUT, HIDDEN).double()
    plain.from_input = clock.from_input
    plain.from_hidden = clock.from_slower[0]
    xs = random(3, 7, INPUT)
    with use_backend("reference"):
        torch.testing.assert_close(unroll(clock, xs)[0], unroll(plain, xs)[0])


def test_a_group_stays_as_it_is_between_the_multiples_of_its_period():
    ys, _, _ = unroll(ClockworkCell(INPUT, 8, groups=4).double(), random(2, 20, INPUT))
    for group in range(4):
        part = ys[:, :, 2 * group : 2 * group + 2]
        for t in range(1, 20):
            assert torch.equal(part[:, t], part[:, t - 1]) == (t % 2**group != 0)


def test_a_group_receives_input_from_itself_and_slower_ones():
    cell = ClockworkCell(INPUT, 6, groups=3).double()
    hidden = random(1, 6).requires_grad_()
    state = tree.from_named_tensors({"hidden": hidden, "count": torch.zeros(1, dtype=F64)}, cell.init_state(1))
    y, _ = cell(random(1, INPUT), state)
    influence = torch.stack([torch.autograd.grad(entry, hidden, retain_graph=True)[0][0] for entry in y[0]]) != 0
    blocks = torch.ones(3, 3).triu().bool().repeat_interleave(2, dim=0).repeat_interleave(2, dim=1)
    assert torch.equal(influence, blocks)


def test_rows_may_have_different_counts():
    cell = ClockworkCell(INPUT, 6, groups=3).double()
    xs = random(3, 7, INPUT)
    _, initial, _ = unroll(cell, xs, lengths=torch.tensor([1, 2, 7]))
    assert initial.count.tolist() == [1, 2, 3]
    with use_backend("reference"):
        expected, end, _ = unroll(cell, xs, initial)
    ys, last, _ = unroll(cell, xs, initial)
    torch.testing.assert_close(ys, expected)
    torch.testing.assert_close(tree.named_tensors(last), tree.named_tensors(end))


def test_groups_that_do_not_change_are_not_computed():
    """Of g groups, two change per step on average; the recurrent products of the others are not computed."""
    cell, xs = ClockworkCell(1, 64, groups=8), torch.randn(1, 128, 1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        cell.fused("cpu")(xs, cell.init_state(1), None)
    moving = sum(8 * sum(t % 2**i == 0 for i in range(8)) for t in range(128))
    assert counter.get_total_flops() == 2 * moving * (64 + 1)
    assert moving < 0.25 * 128 * 64


@pytest.mark.parametrize("leak", [1.0, 0.3])
def test_an_echo_state_network_computes_its_equations(leak):
    cell = EchoStateCell(INPUT, HIDDEN, leak=leak, density=0.5).double()
    w, xs = arrays(cell), random(1, 6, INPUT)
    ys, _, _ = unroll(cell, xs)
    hidden = np.zeros(HIDDEN)
    for t in range(6):
        total = [
            w["bias"][k]
            + sum(w["from_input"][k][j] * float(xs[0, t, j]) for j in range(INPUT))
            + sum(w["from_hidden"][k][j] * hidden[j] for j in range(HIDDEN))
            for k in range(HIDDEN)
        ]
        hidden = np.array([(1 - leak) * hidden[k] + leak * math.tanh(total[k]) for k in range(HIDDEN)])
        close(ys[0, t], hidden)


@pytest.mark.parametrize("density", [0.001, 0.1, 1.0])
def test_the_reservoir_has_the_given_radius_and_density(density):
    cell = EchoStateCell(INPUT, 50, radius=1.2, density=density, input_scale=0.5)
    assert abs(np.abs(np.linalg.eigvals(cell.from_hidden.numpy())).max() - 1.2) < 1e-4
    assert ((cell.from_hidden != 0).sum(dim=1) == max(1, round(50 * density))).all()
    assert 0.4 < cell.from_input.abs().max() <= 0.5
    assert 0.4 < cell.bias.abs().max() <= 0.5
    assert not list(cell.parameters())


def test_echoes_decay_at_least_as_fast_as_the_largest_singular_value():
    cell = EchoStateCell(INPUT, 40).double()
    cell.from_hidden.mul_(0.9 / torch.linalg.matrix_norm(cell.from_hidden, 2))
    xs = random(1, 200, INPUT).expand(2, -1, -1)
    initial = tree.from_named_tensors({"hidden": random(2, 40)}, cell.init_state(1))
    ys, _, _ = unroll(cell, xs, initial)
    first = (initial.hidden[0] - initial.hidden[1]).norm()
    assert 0 < (ys[0, 5] - ys[1, 5]).norm() <= 0.9**6 * first
    assert (ys[0, -1] - ys[1, -1]).norm() <= 0.9**200 * first + 1e-14


def test_a_network_of_buffers_alone_has_a_dtype():
    network = Recurrent(EchoStateCell(INPUT, HIDDEN)).double()
    assert network.init_state(2).hidden.dtype == F64
    with pytest.raises(ValueError, match=r"the inputs are torch.float32, but the parameters of EchoStateCell are"):
        network(torch.randn(1, 3, INPUT))


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SkipCell(2, 3, delay=1), "delay is 1, but it must be at least 2; give a larger delay"),
        (lambda: SkipCell(2, 3, activation="sine"), "activation is 'sine', but it must be one of 'tanh', 'relu'"),
        (lambda: ClockworkCell(2, 7, groups=2), "hidden_size is 7, but it must be a multiple of the 2 groups; give"),
        (lambda: ClockworkCell(2, 4, groups=0), "groups of ClockworkCell is 0, but it must be at least 1"),
        (lambda: ClockworkCell(2, 4, base=1), "base is 1, but it must be at least 2; give a larger base"),
        (
            lambda: EchoStateCell(2, 3, radius=0.0),
            "radius is 0.0, but it must be finite and above 0; give a positive number",
        ),
        (lambda: EchoStateCell(2, 3, leak=1.5), "leak is 1.5, but it is a probability; give a number in 0..1"),
        (
            lambda: EchoStateCell(2, 3, density=0.0),
            "density is 0.0, but it must be finite and above 0; give a positive",
        ),
        (lambda: EchoStateCell(0, 3), "input_size of EchoStateCell is 0, but it must be at least 1"),
    ],
)
def test_invalid_sizes_and_rates_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
