"""`torch.compile` of single steps, without the hook that checks shape annotations."""

import pytest
import torch

from memtape import DNCCell, NTMCell, StackedLSTMCell, tree, unroll, use_backend
from memtape.cells import ElmanCell
from memtape.core.recompute import recomputed

# The compiler reads .grad of a state computed from learned parameters, and this causes a warning.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")

CELLS = {
    "ntm": lambda: NTMCell(3, 2, slots=5, width=4, controller_size=6),
    "ntm with several heads, one after another": lambda: NTMCell(
        3, 2, slots=5, width=4, controller_size=6, read_heads=2, write_heads=2, sequential_heads=True
    ),
    "ntm by content": lambda: NTMCell(3, 2, slots=5, width=4, controller_size=6, addressing="content"),
    "dnc": lambda: DNCCell(3, 2, slots=5, width=4, controller_size=6, read_heads=2, write_heads=2),
    "dnc with everything": lambda: DNCCell(
        *(3, 2), slots=5, width=4, controller_size=6, masked=True, deallocate=True, sharpen_links=True, layer_norm=True
    ),
    "dnc with sparse links": lambda: DNCCell(3, 2, slots=5, width=4, controller_size=6, links="sparse", link_size=3),
    "dnc by content": lambda: DNCCell(3, 2, slots=5, width=4, controller_size=6, links="none"),
    "lstm": lambda: StackedLSTMCell(3, 2, hidden_size=4, layers=2),
}


ONE_EACH = {"dnc", "lstm"}


@pytest.fixture(
    params=[pytest.param(name, marks=[] if name in ONE_EACH else [pytest.mark.every_form]) for name in CELLS]
)
def cell(request):
    torch.manual_seed(0)
    torch._dynamo.reset()
    return CELLS[request.param]()


def test_a_step_compiles_as_one_graph(cell):
    x, state = torch.randn(2, 3), cell.init_state(2)
    expected, after = cell(x, state)
    actual, compiled_after = torch.compile(cell, fullgraph=True, backend="aot_eager")(x, state)
    torch.testing.assert_close(actual, expected)
    for mine, other in zip(tree.leaves(compiled_after), tree.leaves(after), strict=True):
        torch.testing.assert_close(mine, other)


def test_a_compiled_step_has_the_same_gradients(cell):
    x = torch.randn(2, 3)
    gradients = []
    for step in (cell, torch.compile(cell, fullgraph=True, backend="aot_eager")):
        cell.zero_grad()
        _, state = step(x, cell.init_state(2))
        step(x, state)[0].sum().backward()
        gradients.append([parameter.grad.clone() for parameter in cell.parameters() if parameter.grad is not None])
    for mine, other in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, other)


def test_recomputation_compiles_and_has_the_same_gradients():
    torch._dynamo.reset()
    torch.manual_seed(0)
    layer, xs = torch.nn.Linear(3, 3), torch.randn(2, 3)

    def twice(xs):
        return recomputed(lambda xs: layer(layer(xs).tanh()), layer, xs)

    gradients = []
    for run in (twice, torch.compile(twice, backend="aot_eager")):
        layer.zero_grad()
        run(xs).sum().backward()
        gradients.append([parameter.grad.clone() for parameter in layer.parameters()])
    for mine, other in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, other)


def test_many_cells_are_compiled_each_on_its_own(monkeypatch):
    """torch compiles the code of one function 8 times at most; then it runs without compilation."""
    compile_step = torch.compile
    monkeypatch.setattr(torch, "compile", lambda step: compile_step(step, backend="eager", fullgraph=True))
    xs = torch.randn(1, 2, 3)
    with use_backend("compile"), torch.no_grad():
        for size in range(2, 13):
            cell = ElmanCell(3, size)
            assert unroll(cell, xs)[0].shape == (1, 2, size)
