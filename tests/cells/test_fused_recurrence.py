"""Fused kernels of cells: a run over a whole sequence equals single steps, in values and gradients."""

import pytest
import torch

from memtape import tree, unroll, use_backend
from memtape.cells import (
    ClockworkCell,
    Delayed,
    EchoStateCell,
    ElmanCell,
    FeedforwardCell,
    GRUCell,
    JordanCell,
    LeakyCell,
    LearnedInitialState,
    LSTMCell,
    OrthogonalCell,
    OutputFeedback,
    Readout,
    Residual,
    SkipCell,
    Stacked,
    VariationalDropout,
)

BATCH, TIME, INPUT, HIDDEN = 5, 9, 3, 4

NORMED = 24
"""Hidden units of cells with layer normalisation; over a few units, it would magnify rounding on both sides."""

CELLS = {
    "elman": lambda: ElmanCell(INPUT, HIDDEN),
    "elman-relu": lambda: ElmanCell(INPUT, HIDDEN, activation="relu"),
    "lstm": lambda: LSTMCell(INPUT, HIDDEN),
    "lstm-peepholes": lambda: LSTMCell(INPUT, HIDDEN, peepholes=True),
    "lstm-book": lambda: LSTMCell(INPUT, HIDDEN, candidate="sigmoid"),
    "lstm-layer-norm": lambda: LSTMCell(INPUT, NORMED, layer_norm=True),
    "lstm-everything": lambda: LSTMCell(INPUT, NORMED, peepholes=True, layer_norm=True, candidate="sigmoid"),
    "gru": lambda: GRUCell(INPUT, HIDDEN),
    "gru-layer-norm": lambda: GRUCell(INPUT, NORMED, layer_norm=True, candidate="sigmoid"),
    "gru-reset-before": lambda: GRUCell(INPUT, HIDDEN, variant="reset_before"),
    "gru-reset-before-layer-norm": lambda: GRUCell(INPUT, NORMED, variant="reset_before", layer_norm=True),
    "leaky": lambda: LeakyCell(INPUT, HIDDEN, longest=5.0, activation="relu"),
    "leaky-learned": lambda: LeakyCell(INPUT, HIDDEN, longest=5.0, time_constants="learned"),
    "jordan": lambda: JordanCell(INPUT, HIDDEN, 2),
    "jordan-softmax": lambda: JordanCell(INPUT, HIDDEN, 2, feedback="softmax", activation="relu"),
    "jordan-sigmoid": lambda: JordanCell(INPUT, HIDDEN, 2, feedback="sigmoid"),
    "jordan-argmax": lambda: JordanCell(INPUT, HIDDEN, 2, feedback="argmax"),
    "echo-state-leaky": lambda: Readout(EchoStateCell(INPUT, HIDDEN, leak=0.5), 2),
    "feedforward": lambda: FeedforwardCell(INPUT, HIDDEN),
    "echo-state": lambda: Readout(EchoStateCell(INPUT, HIDDEN), 2),
    "clockwork": lambda: ClockworkCell(INPUT, 6, groups=3),
    "clockwork-base-3": lambda: ClockworkCell(INPUT, 4, groups=2, base=3, activation="relu"),
    "skip": lambda: SkipCell(INPUT, HIDDEN, delay=4),
    "skip-only": lambda: SkipCell(INPUT, HIDDEN, delay=2, keep_short=False),
    "orthogonal": lambda: OrthogonalCell(INPUT, HIDDEN),
    "late": lambda: Delayed(GRUCell(INPUT, HIDDEN)),
    "residual": lambda: Residual(GRUCell(INPUT, INPUT)),
    "dropped-inputs-and-outputs": lambda: VariationalDropout(LSTMCell(INPUT, HIDDEN), inputs=0.4, outputs=0.4),
    "partly-stepped-stack": lambda: Stacked(
        [LSTMCell(INPUT, 4), OutputFeedback(Readout(GRUCell(7, 4), 3)), ElmanCell(3, 2)]
    ),
    "everything": lambda: LearnedInitialState(
        Readout(Stacked([FeedforwardCell(INPUT, 4), Delayed(LSTMCell(4, 3))]), 2)
    ),
}
STEPPED = {
    "lstm-dropped": lambda: LSTMCell(INPUT, HIDDEN, recurrent_dropout=0.5),
    "gru-dropped": lambda: GRUCell(INPUT, HIDDEN, recurrent_dropout=0.5),
    "dropped-hidden": lambda: VariationalDropout(LSTMCell(INPUT, HIDDEN), hidden=0.4),
    "stack-of-these": lambda: Stacked([GRUCell(INPUT, HIDDEN, recurrent_dropout=0.5)]),
    "around-one-of-these": lambda: Delayed(Readout(Residual(GRUCell(INPUT, INPUT, recurrent_dropout=0.5)), 2)),
    "output-feedback": lambda: OutputFeedback(Readout(LSTMCell(INPUT + 2, HIDDEN), 2)),
}

SITUATIONS = {
    "plain": {},
    "lengths": {"lengths": torch.tensor([4, 0, TIME, 1, 6])},
    "no-step-at-all": {"lengths": torch.zeros(BATCH, dtype=torch.long)},
    "starts": {"starts": torch.rand(BATCH, TIME, generator=torch.Generator().manual_seed(1)) < 0.3},
    "recomputed": {"checkpoint_every": 4, "lengths": torch.tensor([4, 0, TIME, 1, 6])},
}
SITUATIONS["both"] = SITUATIONS["lengths"] | SITUATIONS["starts"]


@pytest.fixture(params=CELLS)
def cell(request):
    torch.manual_seed(0)
    cell = CELLS[request.param]()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return cell


def results(cell, xs, state, backend, **options):
    """Return outputs, state and gradients of all inputs."""
    state = tree.from_named_tensors(
        {name: leaf.detach().requires_grad_() for name, leaf in tree.named_leaves(state).items()}, state
    )
    xs = xs.clone().requires_grad_()
    torch.manual_seed(3)  # masks are drawn for rows with a new start
    with use_backend(backend):
        ys, last, _ = unroll(cell, xs, state, **options)
    out = {"outputs": ys} | tree.named_leaves(last)
    factors = {
        name: torch.linspace(1, 2, leaf.numel(), dtype=leaf.dtype).reshape(leaf.shape) for name, leaf in out.items()
    }
    total = sum((leaf * factors[name]).sum() for name, leaf in out.items())
    into = [xs, *tree.leaves(state), *cell.parameters()]
    gradients = torch.autograd.grad(total, into, allow_unused=True)
    found = [torch.zeros_like(a) if gradient is None else gradient for a, gradient in zip(into, gradients, strict=True)]
    return {name: leaf.detach() for name, leaf in out.items()}, found


@pytest.mark.parametrize("options", SITUATIONS.values(), ids=SITUATIONS)
@pytest.mark.parametrize(
    "dtype",
    [
        pytest.param(torch.float64, id="float64"),
        pytest.param(torch.float32, id="float32", marks=pytest.mark.every_form),
    ],
)
def test_a_fused_kernel_equals_the_reference(cell, dtype, options):
    cell = cell.to(dtype)
    assert cell.fused("cpu") is not None
    xs = torch.randn(BATCH, TIME, INPUT, dtype=dtype)
    with use_backend("reference"):
        state = unroll(cell, torch.randn(BATCH, 2, INPUT, dtype=dtype))[1]
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    found = [results(cell, xs, state, backend, **options) for backend in ("cpu", "reference")]
    (outputs, gradients), (stepped, of_steps) = found
    assert outputs.keys() == stepped.keys()
    pairs = [*((outputs[name], stepped[name]) for name in stepped), *zip(gradients, of_steps, strict=True)]
    for actual, expected in pairs:
        assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
        if expected.numel():
            assert (actual - expected).abs().amax() <= tolerance * (expected.abs().amax() + 0.1)


@pytest.mark.parametrize("build", STEPPED.values(), ids=STEPPED)
def test_cells_without_a_kernel_run_in_single_steps(build):
    assert build().fused("cpu") is None


@pytest.mark.parametrize("backend", ["reference", "compile"])
def test_there_are_no_fused_kernels_elsewhere_or_under_autocast(cell, backend):
    assert cell.fused(backend) is None
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert cell.fused("cpu") is None


@pytest.mark.parametrize("base", [LSTMCell, GRUCell, ElmanCell, FeedforwardCell, LeakyCell, EchoStateCell])
def test_a_subclass_of_a_cell_does_not_inherit_its_fused_kernel(base):
    class Other(base):
        pass

    assert Other(INPUT, HIDDEN).fused("cpu") is None


def test_dropout_in_a_stack_is_the_same_in_fused_kernels_and_steps(equal_up_to_rounding):
    torch.manual_seed(0)
    stack = Stacked([FeedforwardCell(INPUT, 64), FeedforwardCell(64, HIDDEN)], dropout=0.5)
    xs = torch.randn(1, 1, INPUT).expand(4000, 2, -1)
    for backend in ("reference", "cpu"):
        with use_backend(backend):
            kept, _, _ = unroll(stack.eval(), xs[:1])
            first, _, _ = unroll(stack.train(), xs)
        assert first[:, 0].std(dim=0).min() > 0.02
        assert not torch.equal(first[:, 0], first[:, 1])
        equal_up_to_rounding(kept[0, 0], kept[0, 1])
