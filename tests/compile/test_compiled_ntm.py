"""Networks under `torch.compile`, and the backend that compiles single steps."""

import functools
import gc
import weakref

import pytest
import torch

from memtape import NTM, tree, use_backend
from memtape.core.compiled_library import kernels

pytestmark = [
    # The compiler reads .grad of a state computed from learned parameters, and this causes a warning.
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),
    # The checks of the inputs depend on values; the compiler leaves them to Python, with a warning for each.
    pytest.mark.filterwarnings("ignore:.*Graph break"),
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
]

needs_kernels = pytest.mark.skipif(
    kernels().absent is not None, reason=f"the fused kernels are absent: {kernels().absent}"
)


@pytest.fixture(autouse=True)
def network():
    torch.manual_seed(0)
    torch._dynamo.reset()
    return NTM(3, 2, slots=5, width=4, controller_size=6)


def results(call, network, xs, **options):
    network.zero_grad()
    ys, last = call(xs, **options)
    (ys.square().sum() + last.memory.memory.sum()).backward()
    return [ys.detach(), *tree.leaves(tree.detach(last)), *(parameter.grad for parameter in network.parameters())]


def same(first, second):
    for mine, other in zip(first, second, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)


@needs_kernels
@pytest.mark.parametrize("lengths", [None, torch.tensor([4, 2])], ids=["full", "lengths"])
def test_a_compiled_network_runs_the_fused_kernel(network, lengths):
    xs = torch.randn(2, 4, 3)
    with use_backend("reference"):
        expected = results(network, network, xs, lengths=lengths)
    compiled = torch.compile(network, backend="aot_eager")
    with use_backend("cpu"):
        same(results(compiled, network, xs, lengths=lengths), expected)
        same(results(compiled, network, xs, lengths=lengths), expected)


@needs_kernels
@pytest.mark.every_form
def test_a_compiled_network_takes_batches_of_other_sizes(network):
    compiled = torch.compile(network, backend="aot_eager")
    for batch, time in ((2, 4), (3, 4), (3, 7), (5, 2), (4, 9)):
        xs = torch.randn(batch, time, 3)
        with use_backend("reference"):
            expected = results(network, network, xs)
        with use_backend("cpu"):
            same(results(compiled, network, xs), expected)


def test_the_compile_backend_agrees_and_compiles_once(network, monkeypatch):
    compilations = []
    real = torch.compile

    def counted(function):
        compilations.append(function)
        return real(function, backend="aot_eager")

    monkeypatch.setattr(torch, "compile", counted)
    xs, lengths = torch.randn(2, 4, 3), torch.tensor([4, 2])
    with use_backend("reference"):
        expected = results(network, network, xs, lengths=lengths)
    with use_backend("compile"):
        for _ in range(2):
            same(results(network, network, xs, lengths=lengths), expected)
    assert len(compilations) == 1


def test_a_cell_with_a_compiled_step_is_freed_with_its_network(monkeypatch):
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    network = NTM(3, 2, slots=5, width=4, controller_size=6)
    with use_backend("compile"), torch.no_grad():
        network(torch.randn(2, 4, 3))
    cell = weakref.ref(network.cell)
    del network
    torch._dynamo.reset()
    gc.collect()
    assert cell() is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
def test_the_compile_backend_agrees_in_machine_code(network):
    xs = torch.randn(2, 3, 3)
    with use_backend("reference"):
        expected = results(network, network, xs)
    with use_backend("compile"):
        same(results(network, network, xs), expected)
