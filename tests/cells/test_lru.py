"""The linear recurrent unit: its equations, its initial values, and its invariants during training."""

import cmath
import math

import pytest
import torch

from memtape import tree, unroll, use_backend
from memtape.cells import Embedded, FeedforwardCell, GRUCell, LeakyCell, LRUCell, Readout, Residual, Stacked
from memtape.core.backends import backends
from memtape.core.starts import StartsInside
from memtape.models.recurrent.lru import lru_network

INPUT, HIDDEN, TIME = 3, 4, 6
BACKENDS = ["reference", "scan", "cpu"]
F64 = torch.float64


@pytest.fixture(params=BACKENDS)
def backend(request):
    absent = backends()[request.param]
    if absent:
        pytest.skip(absent)
    with use_backend(request.param):
        yield request.param


@pytest.mark.usefixtures("backend")
def test_it_computes_its_equations():
    cell = LRUCell(INPUT, HIDDEN).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(torch.randn_like(parameter))
    w = {name: value.tolist() for name, value in cell.state_dict().items()}
    xs = torch.randn(1, TIME, INPUT, dtype=F64)
    ys, last, _ = unroll(cell, xs)
    modes = [0j] * HIDDEN
    for x, y in zip(xs[0].tolist(), ys[0].tolist(), strict=True):
        for n in range(HIDDEN):
            eigenvalue = cmath.exp(complex(-math.exp(w["log_decay_rate"][n]), math.exp(w["log_phase"][n])))
            weights = [complex(w["input_weight"][0][n][k], w["input_weight"][1][n][k]) for k in range(INPUT)]
            seen = sum(weight * entry for weight, entry in zip(weights, x, strict=True))
            modes[n] = eigenvalue * modes[n] + math.exp(w["log_input_scale"][n]) * seen
        for k in range(INPUT):
            weights = [complex(w["output_weight"][0][k][n], w["output_weight"][1][k][n]) for n in range(HIDDEN)]
            output = sum((weight * mode).real for weight, mode in zip(weights, modes, strict=True))
            assert y[k] == pytest.approx(output + w["skip"][k] * x[k], rel=1e-10, abs=1e-12)
    for n in range(HIDDEN):
        assert complex(*last.modes[0, :, n].tolist()) == pytest.approx(modes[n], rel=1e-10, abs=1e-12)


@pytest.mark.usefixtures("backend")
def test_recorded_numbers_are_reproduced():
    """Two units, one input, three steps, computed by an independent implementation."""
    cell = LRUCell(1, 2).double()
    squared = (torch.tensor([0.1, 0.5], dtype=F64) * -2).exp()
    values = {
        "log_decay_rate": torch.tensor([0.1, 0.5], dtype=F64).log(),
        "log_phase": torch.tensor([0.3, 1.5], dtype=F64).log(),
        "log_input_scale": (1 - squared).log() / 2,
        "input_weight": torch.tensor([[[0.5], [-0.3]], [[0.2], [0.7]]], dtype=F64),
        "output_weight": torch.tensor([[[1.0, 0.4]], [[-0.5, 0.3]]], dtype=F64),
        "skip": torch.tensor([0.1], dtype=F64),
    }
    cell.load_state_dict(values)
    ys, last, _ = unroll(cell, torch.tensor([[[1.0], [-2.0], [0.5]]], dtype=F64))
    expected = torch.tensor([0.09308453, -0.06230645, 0.06898796], dtype=F64)
    torch.testing.assert_close(ys.flatten(), expected, rtol=0, atol=1e-8)
    modes = torch.tensor([[-0.11157366, 0.63261114], [-0.06253387, 0.30405302]], dtype=F64)
    torch.testing.assert_close(last.modes[0], modes, rtol=0, atol=1e-8)


def test_eigenvalues_are_drawn_uniformly_from_the_ring():
    cell = LRUCell(2, 10_000, min_radius=0.4, max_radius=0.9, max_phase=1.5)
    radius, phase = cell.eigenvalues.norm(dim=0), torch.atan2(cell.eigenvalues[1], cell.eigenvalues[0])
    assert radius.min() > 0.4 - 1e-6
    assert radius.max() < 0.9 + 1e-6
    assert phase.min() > -1e-6
    assert phase.max() < 1.5 + 1e-6
    for drawn, low, high in ((radius.square(), 0.16, 0.81), (phase, 0.0, 1.5)):
        deviation = (high - low) / 12**0.5
        assert abs(drawn.mean() - (low + high) / 2) < 4 * deviation / 100
        assert abs(drawn.std() - deviation) < 0.02 * deviation


def test_inputs_are_scaled_so_that_all_units_have_states_of_equal_variance():
    cell = LRUCell(2, 50, min_radius=0.2, max_radius=0.95)
    torch.testing.assert_close(cell.log_input_scale.exp().square(), 1 - cell.eigenvalues.square().sum(dim=0))
    with torch.no_grad():
        cell.input_weight.div_(cell.input_weight.square().sum(dim=(0, 2), keepdim=True).sqrt())
        _, last, _ = unroll(cell, torch.randn(1000, 100, 2))
    sizes = last.modes.square().sum(dim=1).mean(dim=0)
    assert (sizes - 1).abs().max() < 0.2


def test_weights_are_drawn_as_in_the_paper():
    cell = LRUCell(300, 200)
    assert abs(cell.input_weight.std() * 600**0.5 - 1) < 0.02
    assert abs(cell.output_weight.std() * 200**0.5 - 1) < 0.02
    assert abs(cell.skip.std() - 1) < 0.2


@pytest.mark.parametrize("drawn", [0.0, 1 - 2**-53, None])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 1e-4), (0.9999, 1.0)])
def test_extreme_draws_are_finite(low, high, drawn, monkeypatch):
    if drawn is not None:
        monkeypatch.setattr(torch, "rand", lambda size, dtype: torch.full((size,), drawn, dtype=dtype))
    cell = LRUCell(2, 100, min_radius=low, max_radius=high)
    ys, _, _ = unroll(cell, torch.randn(1, 50, 2))
    ys.square().sum().backward()
    assert all(p.isfinite().all() and p.grad.isfinite().all() for p in cell.parameters())


def test_eigenvalues_stay_inside_the_unit_circle_in_training():
    cell = LRUCell(2, 64, min_radius=0.9)
    optimizer = torch.optim.Adam(cell.parameters(), lr=0.1)
    before = cell.eigenvalues.detach()
    for _ in range(30):
        optimizer.zero_grad()
        ys, _, _ = unroll(cell, torch.randn(4, 20, 2))
        (-ys.square().mean()).backward()  # rewards larger outputs without bound
        optimizer.step()
    assert (cell.eigenvalues - before).abs().max() > 1e-3
    assert cell.eigenvalues.double().norm(dim=0).max() <= 1 + 1e-6
    for rate in (-1e3, -30.0, 0.0, 5.0, 80.0):
        with torch.no_grad():
            cell.log_decay_rate.fill_(rate)
        assert cell.eigenvalues.double().norm(dim=0).max() <= 1 + 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"min_radius": 0.9, "max_radius": 0.9},
            "the radii of the ring are 0.9 and 0.9, but eigenvalues lie inside the",
        ),
        ({"max_radius": 1.1}, "give 0 <= min_radius < max_radius <= 1"),
        ({"min_radius": -0.1}, "the radii of the ring are -0.1 and 1.0"),
        ({"max_phase": 0.0}, "max_phase is 0.0, but an angle is above 0 and at most 2 pi; give such an angle"),
        ({"max_phase": 7.0}, "max_phase is 7.0"),
    ],
)
def test_invalid_rings_are_refused(options, message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        LRUCell(INPUT, HIDDEN, **options)


CELLS = {
    "lru": lambda: LRUCell(INPUT, HIDDEN),
    "leaky": lambda: LeakyCell(INPUT, HIDDEN, recurrence="linear", time_constants="learned"),
    "network": lambda: lru_network(INPUT, 2, hidden_size=HIDDEN, embedding_size=5, layers=2),
    "partly linear": lambda: Stacked([LRUCell(INPUT, HIDDEN), GRUCell(INPUT, HIDDEN), FeedforwardCell(HIDDEN, 2)]),
}


def results(cell, xs, backend, **options):
    cell.zero_grad()
    with use_backend(backend):
        ys, last, _ = unroll(cell, xs, **options)
    (ys.square().sum() + sum(leaf.square().sum() for leaf in tree.leaves(last))).backward()
    gradients = [parameter.grad.clone() for parameter in cell.parameters() if parameter.grad is not None]
    return [ys.detach(), *tree.leaves(tree.detach(last)), *gradients]


@pytest.mark.parametrize("build", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("every", [None, 4])
@pytest.mark.parametrize("chosen", ["scan", "cpu"])
def test_starts_lengths_and_recomputation_agree_with_single_steps(build, every, chosen):
    if backends()[chosen]:
        pytest.skip(backends()[chosen])
    cell = build().double()
    xs, starts = torch.randn(4, 11, INPUT, dtype=F64), torch.rand(4, 11) < 0.4
    state = unroll(cell, xs[:, :2])[1]
    options = {
        "state": tree.detach(state),
        "lengths": torch.tensor([11, 0, 5, 8]),
        "starts": starts,
        "checkpoint_every": every,
    }
    found, expected = (results(cell, xs, backend, **options) for backend in (chosen, "reference"))
    for mine, other in zip(found, expected, strict=True):
        assert (mine - other).abs().max() <= 1e-10 * (other.abs().max() + 0.1)


@pytest.mark.parametrize(
    "wrap", [lambda cell: cell, Residual, lambda cell: Readout(cell, 2), lambda cell: Embedded(cell, 7)]
)
def test_starts_run_in_one_scan_through_wrappers(wrap):
    assert isinstance(wrap(LRUCell(INPUT, HIDDEN)).fused("scan"), StartsInside)


def test_rows_are_not_split_where_the_scan_accepts_starts(monkeypatch):
    def refuse(*_):
        raise AssertionError("rows were split into pieces")

    monkeypatch.setattr("memtape.core.starts._in_pieces", refuse)
    network = lru_network(INPUT, 2, hidden_size=HIDDEN, embedding_size=5, layers=2)
    for name in ("scan", *(["cpu"] if backends()["cpu"] is None else [])):
        with use_backend(name):
            unroll(network, torch.randn(2, 9, INPUT), starts=torch.ones(2, 9, dtype=torch.bool))
            unroll(LeakyCell(INPUT, 2, recurrence="linear"), torch.randn(1, 9, INPUT), starts=torch.ones(1, 9) > 0)


def test_a_subclass_of_a_cell_does_not_inherit_its_scan():
    class Other(LRUCell):
        pass

    class Another(LeakyCell):
        pass

    assert Other(INPUT, HIDDEN).fused("scan") is None
    assert Another(INPUT, HIDDEN, recurrence="linear").fused("scan") is None


@pytest.mark.parametrize("build", [CELLS["lru"], CELLS["leaky"], CELLS["network"]], ids=["lru", "leaky", "network"])
def test_autocast_leaves_the_state_in_float32(build):
    cell, found = build(), {}
    for name in BACKENDS:
        if backends()[name] is None:
            xs = torch.randn(2, 40, INPUT, generator=torch.Generator().manual_seed(0))
            with use_backend(name), torch.autocast("cpu", dtype=torch.bfloat16):
                ys, last, _ = unroll(cell, xs)
                ys.float().sum().backward()
            assert {leaf.dtype for leaf in tree.leaves(last)} == {torch.float32}
            found[name] = ys
    for ys in found.values():
        assert ys.dtype == found["reference"].dtype
        torch.testing.assert_close(ys.float(), found["reference"].float(), rtol=0.05, atol=0.05)


def test_leaky_units_that_are_linear_have_no_recurrent_weights():
    names = dict(LeakyCell(INPUT, HIDDEN, recurrence="linear").named_parameters())
    assert set(names) == {"from_input.weight", "from_input.bias"}
