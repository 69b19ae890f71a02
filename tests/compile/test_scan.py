"""The scan under `torch.compile`, and in torch's checks of operators."""

import pytest
import torch

from memtape import use_backend
from memtape.core.backends import backends
from memtape.models.recurrent.leaky import Leaky
from memtape.models.recurrent.lru import LRU

pytestmark = [
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),
    pytest.mark.filterwarnings("ignore:.*Graph break"),
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
]

LENGTHS = torch.tensor([7, 3])
STARTS = torch.tensor([[False, True, False, True, False, False, False], [True] * 3 + [False] * 4])
NETWORKS = {
    "lru": lambda: LRU(3, 2, hidden_size=4, embedding_size=5),
    "leaky": lambda: Leaky(3, 2, hidden_size=4, recurrence="linear", time_constants="learned"),
}


@pytest.fixture(params=["lru", pytest.param("leaky", marks=pytest.mark.every_form)])
def network(request):
    torch.manual_seed(0)
    torch._dynamo.reset()
    return NETWORKS[request.param]()


@pytest.fixture(params=["scan", "cpu"])
def backend(request):
    if backends()[request.param]:
        pytest.skip(backends()[request.param])
    return request.param


def results(call, network, xs, **options):
    network.zero_grad()
    ys, _ = call(xs, **options)
    ys.square().sum().backward()
    return [ys.detach(), *(parameter.grad for parameter in network.parameters())]


@pytest.mark.parametrize(
    "options",
    [
        *(pytest.param(options, marks=pytest.mark.every_form) for options in ({}, {"lengths": LENGTHS})),
        {"lengths": LENGTHS, "starts": STARTS},
    ],
    ids=len,
)
def test_a_compiled_network_runs_the_scan(network, backend, options):
    xs = torch.randn(2, 7, 3)
    with use_backend("reference"):
        expected = results(network, network, xs, **options)
    compiled = torch.compile(network, backend="aot_eager")
    with use_backend(backend):
        for mine, other in zip(results(compiled, network, xs, **options), expected, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(backends()["cpu"] is not None, reason=f"the kernels are absent: {backends()['cpu']}")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, {"lengths": LENGTHS, "starts": STARTS}], ids=len)
def test_the_operators_pass_torch_s_checks(network, options, operator_calls):
    with use_backend("cpu"), operator_calls as noted:
        ys, _ = network(torch.randn(2, 7, 3), **options)
        ys.sum().backward()
    assert len(noted.calls) == 2
    for operator, arguments in noted.calls:
        forwards = operator is torch.ops.memtape.scan.default
        fresh = [value.detach().clone() if isinstance(value, torch.Tensor) else value for value in arguments]
        for value in fresh if forwards else []:
            if isinstance(value, torch.Tensor) and value.is_floating_point():
                value.requires_grad_()
        tests = ["test_schema", "test_faketensor", "test_autograd_registration"]
        torch.library.opcheck(operator, tuple(fresh), test_utils=tests)
