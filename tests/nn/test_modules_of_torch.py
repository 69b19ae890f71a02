"""`memtape.nn` under everything that torch does to its modules: copies, casts, transforms, pruning, threads."""

import copy
import io
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

import memtape

KINDS = ["LSTM", "GRU", "RNN"]
TIME, BATCH, INPUT, HIDDEN = 26, 2, 3, 4


def layers(kind, module=memtape.nn, **options):
    torch.manual_seed(5)
    return getattr(module, kind)(INPUT, HIDDEN, **options)


@pytest.fixture
def xs():
    return torch.randn(TIME, BATCH, INPUT)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_they_are_recurrent_layers_of_torch(kind):
    assert isinstance(layers(kind), nn.RNNBase)


def test_weights_go_both_ways(kind, xs):
    mine, theirs = layers(kind, num_layers=2), layers(kind, nn, num_layers=2)
    with torch.no_grad():
        for parameter in mine.parameters():
            parameter.normal_()
    theirs.load_state_dict(mine.state_dict())
    torch.testing.assert_close(mine(xs), theirs(xs))
    other = layers(kind, num_layers=2)
    other.load_state_dict(theirs.state_dict(), assign=True)
    torch.testing.assert_close(other(xs), theirs(xs))


def test_all_weights_are_those_of_torch(kind):
    mine, theirs = layers(kind, bidirectional=True), layers(kind, nn, bidirectional=True)
    assert [[w.shape for w in row] for row in mine.all_weights] == [
        [w.shape for w in row] for row in theirs.all_weights
    ]
    assert mine.all_weights[1][1] is mine.weight_hh_l0_reverse
    mine.flatten_parameters()


@pytest.mark.parametrize("options", [{}, {"zoneout": 0.25, "num_layers": 2}])
def test_copies_compute_the_same(kind, options, xs):
    mine = layers(kind, **options).eval()
    file = io.BytesIO()
    torch.save(mine, file)
    file.seek(0)
    for other in (copy.deepcopy(mine), pickle.loads(pickle.dumps(mine)), torch.load(file, weights_only=False)):
        assert torch.equal(other(xs)[0], mine(xs)[0])
        with torch.no_grad():
            other.weight_hh_l0.zero_()
        assert not torch.equal(other(xs)[0], mine(xs)[0])


def test_casts_and_moves(kind, xs):
    mine = layers(kind)
    expected = mine(xs)[0].double()
    torch.testing.assert_close(mine.double()(xs.double())[0], expected, atol=1e-6, rtol=1e-5)
    assert mine.to("meta").weight_ih_l0.is_meta
    empty = layers(kind, device="meta").to_empty(device="cpu")
    empty.load_state_dict(layers(kind).state_dict())
    torch.testing.assert_close(empty(xs)[0].double(), expected, atol=1e-6, rtol=1e-5)
    assert layers(kind, dtype=torch.float64).bias_hh_l0.dtype == torch.float64


def test_the_default_dtype_is_that_of_the_parameters(kind):
    torch.set_default_dtype(torch.float64)
    try:
        assert layers(kind, bidirectional=True)(torch.randn(TIME, 1, INPUT))[0].dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_other_parameters_by_functional_call(kind, xs):
    mine, theirs = layers(kind), layers(kind, nn)
    others = {name: torch.randn_like(value, requires_grad=True) for name, value in mine.named_parameters()}
    found = []
    for module in (mine, theirs):
        ys = torch.func.functional_call(module, others, (xs,))[0]
        found.append([ys, *torch.autograd.grad(ys.sum(), list(others.values()))])
    torch.testing.assert_close(*found)


def test_a_parameter_that_is_assigned_is_used(kind, xs):
    mine, theirs = layers(kind), layers(kind, nn)
    mine.weight_hh_l0 = theirs.weight_hh_l0 = nn.Parameter(torch.randn_like(theirs.weight_hh_l0))
    torch.testing.assert_close(mine(xs), theirs(xs))


@pytest.mark.parametrize(
    "change",
    [
        lambda module: prune.l1_unstructured(module, "weight_hh_l0", 0.5),
        lambda module: parametrizations.weight_norm(module, "weight_hh_l0"),
        lambda module: parametrizations.orthogonal(module, "weight_hh_l0", use_trivialization=False),
    ],
    ids=["pruning", "weight norm", "orthogonal"],
)
def test_weights_that_are_computed_are_used_and_get_gradients(kind, change, xs):
    found = []
    for module in (memtape.nn, nn):
        changed = layers(kind, module)
        change(changed)
        ys = changed(xs)[0]
        parameters = dict(changed.named_parameters())
        found.append([ys, *torch.autograd.grad(ys.sum(), [parameters[name] for name in sorted(parameters)])])
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-4)


def test_frozen_parameters_get_no_gradients(kind, xs):
    mine = layers(kind)
    mine.weight_hh_l0.requires_grad_(False)
    mine(xs)[0].sum().backward()
    assert mine.weight_hh_l0.grad is None
    assert mine.weight_ih_l0.grad is not None


def test_hooks_are_called(kind, xs):
    seen = []
    mine = layers(kind)
    mine.register_forward_hook(lambda module, given, result: seen.append(result[0].shape))
    mine(input=xs, hx=None)
    assert seen == [(TIME, BATCH, HIDDEN)]


def test_gradients_of_gradients_are_those_of_torch_under_the_reference(kind):
    xs = torch.randn(4, BATCH, INPUT, dtype=torch.float64, requires_grad=True)
    found = []
    with memtape.use_backend("reference"):
        for module in (memtape.nn, nn):
            (first,) = torch.autograd.grad(layers(kind, module).double()(xs)[0].square().sum(), xs, create_graph=True)
            found.append(torch.autograd.grad(first.square().sum(), xs)[0])
    torch.testing.assert_close(*found)


def test_gradients_of_gradients_are_refused_by_the_kernel(kind):
    mine = getattr(memtape.nn, kind)(INPUT, HIDDEN, **({"peepholes": True} if kind == "LSTM" else {}))
    xs = torch.randn(TIME, BATCH, INPUT, requires_grad=True)
    (first,) = torch.autograd.grad(mine(xs)[0].square().sum(), xs, create_graph=True)
    with pytest.raises(RuntimeError, match=r'run the network under memtape.use_backend\("reference"\)'):
        first.sum().backward()


def test_numerical_gradients(kind):
    mine = layers(kind, bidirectional=True).double()
    xs = torch.randn(14, 1, INPUT, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda xs: mine(xs)[0], xs)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # by torch's own rules for jvp
def test_transforms_of_torch_func(kind):
    mine, theirs = layers(kind).double(), layers(kind, nn).double()
    xs = torch.randn(3, TIME, BATCH, INPUT, dtype=torch.float64)
    mapped = torch.func.vmap(lambda x: mine(x)[0])(xs)  # torch.nn has no rule for it
    torch.testing.assert_close(mapped, torch.stack([theirs(x)[0] for x in xs]))
    gradients = [torch.func.grad(lambda x, module=module: module(x)[0].sum())(xs[0]) for module in (mine, theirs)]
    torch.testing.assert_close(*gradients)
    tangents = [torch.func.jvp(lambda x, module=module: module(x)[0], (xs[0],), (xs[1],)) for module in (mine, theirs)]
    torch.testing.assert_close(*tangents)


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_recomputation_by_torch(kind, xs, use_reentrant):
    found = []
    mine = layers(kind)
    for run in (mine, lambda xs: checkpoint(mine, xs, use_reentrant=use_reentrant)):
        leaf = xs.clone().requires_grad_()
        ys = run(leaf)[0]
        found.append([ys, *torch.autograd.grad(ys.square().sum(), leaf)] if run is mine else [ys])
        if run is not mine:
            ys.square().sum().backward()
            found[-1].append(leaf.grad)
    torch.testing.assert_close(*found)


def test_threads_share_layers(kind):
    mine = layers(kind, **({"peepholes": True} if kind == "LSTM" else {}))
    inputs = [torch.randn(30, 3, INPUT) for _ in range(40)]
    with torch.no_grad():
        expected = [mine(xs)[0] for xs in inputs]
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda xs: mine(xs)[0], inputs))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_training_steps_are_those_of_torch(kind):
    found = []
    for module in (memtape.nn, nn):
        network = nn.Sequential(layers(kind, module, batch_first=True))
        optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
        torch.manual_seed(1)
        for _ in range(5):
            optimizer.zero_grad()
            network(torch.randn(3, TIME, INPUT))[0].square().mean().backward()
            optimizer.step()
        found.append(network.state_dict())
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-4)


def test_drawing_parameters_anew(kind):
    mine, theirs = layers(kind), layers(kind, nn)
    for module in (mine, theirs):
        torch.manual_seed(8)
        module.reset_parameters()
    assert all(torch.equal(one, other) for one, other in zip(mine.parameters(), theirs.parameters(), strict=True))
