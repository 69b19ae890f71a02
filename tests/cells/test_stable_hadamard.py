"""The stable Hadamard memory: its equations, its draws of rows, its clamp, and sequences in parallel over time."""

import math

import pytest
import torch

from memtape import SHM, tree, unroll, use_backend
from memtape.cells import StableHadamardCell
from memtape.core.backends import backends
from memtape.core.starts import StartsInside

INPUT, SIZE, TIME = 5, 3, 40
F64 = torch.float64
FUSED = ["scan", "cpu"]


@pytest.fixture(params=FUSED)
def backend(request):
    absent = backends()[request.param]
    if absent:
        pytest.skip(absent)
    return request.param


def run(cell, xs, backend="reference", state=None, **options):
    with use_backend(backend):
        return unroll(cell, xs, state, **options)[:2]


def cell_of(**options):
    cell = StableHadamardCell(INPUT, SIZE, **({"rows": 7} | options)).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return cell


def xs_of(time=TIME, batch=3, dtype=F64):
    return torch.randn(batch, time, INPUT, dtype=dtype)


@pytest.mark.parametrize("clamp", [None, 0.05])
@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize("row", ["first", "random"])
def test_it_computes_its_equations(row, shortcut, clamp):
    cell = cell_of(row=row, shortcut=shortcut, state_clamp=clamp).eval()
    w = {name: value.tolist() for name, value in cell.state_dict().items()}
    xs = xs_of(5, 1)
    ys, last = run(cell, xs)
    memory = [[0.0] * SIZE for _ in range(SIZE)]
    drawn = cell.drawn_rows(torch.arange(5.0)).tolist() if row == "random" else [0] * 5
    for t, (x, y) in enumerate(zip(xs[0].tolist(), ys[0].tolist(), strict=True)):
        mean = sum(x) / INPUT
        deviation = math.sqrt(sum((entry - mean) ** 2 for entry in x) / INPUT + 1e-5)
        normed = [
            (entry - mean) / deviation * scale + shift
            for entry, scale, shift in zip(x, w["norm.weight"], w["norm.bias"], strict=True)
        ]

        def mapped(name, normed=normed):
            return [sum(a * b for a, b in zip(r, normed, strict=True)) for r in w[f"{name}.weight"]]

        def shares(name, mapped=mapped):
            positive = [max(0.0, entry) for entry in mapped(name)]
            return [entry / (1e-5 + sum(positive)) for entry in positive]

        key, query, value, gate = shares("to_key"), shares("to_query"), mapped("to_value"), mapped("to_gate")
        strength = 1 / (1 + math.exp(-mapped("to_strength")[0]))
        for i in range(SIZE):
            for j in range(SIZE):
                factor = 1 + math.tanh(w["table"][drawn[t]][i] * gate[j])
                memory[i][j] = factor * memory[i][j] + strength * value[i] * key[j]
                if clamp is not None:
                    memory[i][j] = min(clamp, max(-clamp, memory[i][j]))
        expected = [sum(memory[i][j] * query[j] for j in range(SIZE)) for i in range(SIZE)]
        if shortcut:
            expected = [a + b for a, b in zip(expected, mapped("to_output"), strict=True)]
        assert y == pytest.approx(expected, rel=1e-10, abs=1e-12)
    torch.testing.assert_close(last.memory[0], torch.tensor(memory, dtype=F64), rtol=1e-10, atol=1e-12)


def test_a_table_of_zeros_gives_a_sum_of_outer_products():
    cell = cell_of()
    with torch.no_grad():
        cell.table.zero_()
    xs = xs_of()
    _, last = run(cell, xs)
    normed = cell.norm(xs)
    keys = cell.to_key(normed).relu()
    keys = keys / (1e-5 + keys.sum(-1, keepdim=True))
    values = cell.to_strength(normed).sigmoid() * cell.to_value(normed)
    torch.testing.assert_close(last.memory, torch.einsum("bti,btj->bij", values, keys), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (F64, 1e-12)])
@pytest.mark.parametrize("row", ["first", "random"])
def test_the_scan_equals_the_loop(backend, row, dtype, tolerance):
    cell = cell_of(row=row).to(dtype)
    xs, state = xs_of(100, dtype=dtype), cell.init_state(3, dtype=dtype)
    starts = torch.rand(3, 100) < 0.05
    lengths = torch.tensor([100, 63, 0])
    for options in ({}, {"starts": starts}, {"lengths": lengths, "starts": starts}):
        torch.manual_seed(3)
        expected = run(cell, xs, state=state, **options)
        torch.manual_seed(3)
        found = run(cell, xs, backend, state=state, **options)
        scale = max(1.0, expected[1].memory.abs().max().item())
        torch.testing.assert_close(found[0], expected[0], rtol=0, atol=tolerance * scale)
        torch.testing.assert_close(found[1].memory, expected[1].memory, rtol=0, atol=tolerance * scale)
        if row == "random":
            assert torch.equal(found[1].count, expected[1].count)


def test_sequences_run_in_parallel_over_time_without_a_clamp(backend):
    assert isinstance(cell_of().fused(backend), StartsInside)
    assert cell_of(state_clamp=100.0).fused(backend) is None
    assert cell_of().fused("reference") is None


def test_the_drawn_rows_take_all_values_and_are_uniform():
    cell = StableHadamardCell(INPUT, SIZE)
    drawn = cell.drawn_rows(torch.arange(12_800.0))
    counts = drawn.bincount(minlength=128)
    assert len(counts) == 128
    assert counts.min() > 50
    assert counts.max() < 160
    assert len(cell.drawn_rows(torch.arange(100.0)).unique()) > 50


def test_each_step_uses_the_row_of_its_count():
    cell = cell_of().eval()
    x, state = xs_of(1)[:, 0], cell.init_state(3, dtype=F64)
    for count in range(12):
        used = torch.autograd.grad(cell(x, ones(state))[1].memory.sum(), cell.table)[0].any(-1).nonzero().flatten()
        assert used.tolist() == [cell.drawn_rows(torch.tensor(float(count))).item()]
        _, state = cell(x, state)


def ones(state):
    return type(state)(memory=torch.ones_like(state.memory), count=state.count)


def test_in_training_sequences_draw_different_rows_again_with_the_same_seed():
    cell = cell_of()
    torch.manual_seed(5)
    first = cell.init_state(50)
    second = cell.init_state(50)
    torch.manual_seed(5)
    again = cell.init_state(50)
    assert torch.equal(first.count, again.count)
    assert len(torch.cat([first.count, second.count]).unique()) > 95
    assert first.count.max() < 2**24


def test_in_evaluation_all_sequences_and_calls_use_the_same_rows():
    cell = cell_of().eval()
    assert cell.init_state(4).count.tolist() == [0] * 4
    xs = xs_of(10)
    assert torch.equal(run(cell, xs)[0], run(cell, xs)[0])
    assert len({*cell.drawn_rows(torch.arange(30.0)).tolist()}) == 7


def test_the_first_row_alone_is_used_without_draws():
    cell = cell_of(row="first")
    assert set(tree.named_tensors(cell.init_state(1))) == {"memory"}
    ys, _ = run(cell, xs_of(4))
    ys.sum().backward()
    assert cell.table.grad.any(-1).tolist() == [True] + [False] * 6


def test_the_count_continues_at_0_after_the_largest(backend):
    cell = cell_of()
    state = cell.init_state(1, dtype=F64)
    state = type(state)(memory=state.memory, count=torch.tensor([2.0**24 - 2], dtype=F64))
    xs = xs_of(5, 1)
    expected, last = run(cell, xs, state=state)
    found, end = run(cell, xs, backend, state=state)
    assert last.count.item() == end.count.item() == 3
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_the_clamp_bounds_a_memory_that_grows():
    options = {"row": "first", "rows": 1}
    grown = {}
    for clamp in (None, 100.0):
        cell = StableHadamardCell(INPUT, SIZE, state_clamp=clamp, **options).double()
        with torch.no_grad():
            cell.table.fill_(5.0)
            for layer in (cell.to_gate, cell.to_key, cell.to_value):
                layer.weight.copy_(torch.ones(SIZE, INPUT).cumsum(1))
        x = torch.arange(INPUT, dtype=F64).expand(1, 200, -1)
        grown[clamp] = run(cell, x)[1].memory.abs().max().item()
    assert grown[None] > 1e50
    assert grown[100.0] == 100


def test_in_float32_a_memory_that_grew_is_as_exact_as_the_loop(backend):
    """Products of gates are computed as they are: a sum of logarithms would lose digits with the number of steps."""
    cell = cell_of(row="random").eval()
    xs = xs_of(1500, 1)
    exact, _ = run(cell, xs)
    cell.float()
    loop, _ = run(cell, xs.float())
    scan, _ = run(cell, xs.float(), backend)

    def error(ys):
        return ((ys.double() - exact).norm() / exact.norm()).item()

    assert error(scan) < 3 * error(loop) + 1e-6


def test_the_views_show_the_gates_and_the_memory_after_the_step():
    cell = cell_of().eval()
    _, before = run(cell, xs_of())
    x = xs_of(1)[:, 0]
    _, after = cell(x, before)
    views = {view.name: view.values for view in cell.views(x, before)}
    assert set(views) == {"write_strength", "gates", "memory"}
    assert torch.equal(views["memory"], after.memory)
    added = after.memory - views["gates"] * before.memory
    _, alone = cell(x, type(before)(memory=torch.zeros_like(before.memory), count=before.count))
    torch.testing.assert_close(added, alone.memory, rtol=1e-10, atol=1e-12)
    assert views["gates"].min() > 0
    assert views["gates"].max() < 2


def test_the_trace_of_a_network_has_the_views_of_its_memory():
    network = SHM(4, 2, memory_size=3, rows=5, embedding_size=6).eval()
    xs = torch.randn(1, 7, 4)
    trace = network.trace(xs)
    _, state = network(xs)
    assert trace["write_strength"].shape == (7, 1)
    assert trace["memory"][0] == pytest.approx(state.memory[0].detach().numpy(), abs=1e-5)


def test_a_network_of_layers_runs_in_parallel_over_time(backend):
    network = SHM(4, 2, memory_size=3, rows=5, layers=2, embedding_size=6).double().eval()
    xs = torch.randn(2, 12, 4, dtype=F64)
    assert network.cell.fused(backend) is not None
    torch.testing.assert_close(run(network.cell, xs, backend)[0], run(network.cell, xs)[0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["memory_size", "rows"])
def test_a_size_below_1_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} of .*Cell is 0, but it must be at least 1; give a larger {name}"):
        SHM(4, 2, **{name: 0})


def test_a_clamp_of_0_is_refused():
    with pytest.raises(ValueError, match=r"state_clamp is 0\.0, but it must be finite and above 0"):
        StableHadamardCell(INPUT, SIZE, state_clamp=0.0)


def test_an_unknown_row_is_refused(shapes_unchecked):
    with pytest.raises(ValueError, match="row is 'last', but it must be one of"):
        StableHadamardCell(INPUT, SIZE, row="last")
