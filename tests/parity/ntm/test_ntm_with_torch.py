"""Torch's features for operators: gradient checks, repeated backward passes, autocast, no_grad, compile, copies."""

import copy
import resource

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from memtape import tree, use_backend

pytestmark = pytest.mark.usefixtures("shapes_unchecked")

F64 = torch.float64
LENGTHS = torch.tensor([3, 1])


def sequences(network, batch=2, time=3, dtype=F64):
    return torch.randn(batch, time, network.input_size, dtype=dtype)


@pytest.mark.parametrize(
    "options",
    [
        {"read_heads": 2, "shift_range": 2, "slots": 3},
        {"controller": "gru", "controller_layers": 2, "read_first": False, "write_heads": 2},
        {"controller": "feedforward", "addressing": "content", "similarity": "dot", "initial_memory": "learned"},
        {"controller": "rnn", "squash": False, "clip": None, "initial_memory": "random"},
    ],
    ids=["lstm", "gru", "content", "rnn"],
)
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
def test_gradients_match_finite_differences(machine, options, lengths):
    network = machine.build(slots=options.pop("slots", 4), width=2, controller_size=3, **options)
    # Without location, the weights before the first step are not used.
    without = "weights" if options.get("addressing") == "content" else None
    machine.gradients_match_finite_differences(network, lengths, without=without)


@pytest.mark.parametrize("controller", ["lstm", "gru", "feedforward"])
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
@pytest.mark.parametrize("keep", [True, False], ids=["with gradients", "without"])
@pytest.mark.filterwarnings("ignore")
def test_the_operators_pass_torch_s_checks(machine, controller, lengths, keep, operator_calls):
    network = machine.build(controller=controller, controller_layers=2)
    with use_backend("cpu"), operator_calls as noted, torch.set_grad_enabled(keep):
        ys, last = network(sequences(network), machine.a_state(network, 2), lengths=lengths)
        if keep:
            (ys.sum() + last.memory.memory.sum()).backward()
    assert len(noted.calls) == 1 + keep
    for operator, arguments in noted.calls:
        fresh = [value.detach().clone() if isinstance(value, torch.Tensor) else value for value in arguments]
        if keep and operator is torch.ops.memtape.ntm.default:
            fresh = [
                value.requires_grad_() if isinstance(value, torch.Tensor) and value.is_floating_point() else value
                for value in fresh
            ]
        tests = ["test_schema", "test_faketensor", "test_autograd_registration"]
        if not (keep and operator is torch.ops.memtape.ntm.default):
            tests.append("test_aot_dispatch_dynamic")
        torch.library.opcheck(operator, tuple(fresh), test_utils=tests)


def test_a_retained_graph_gives_the_same_gradients_again(machine):
    network = machine.build(controller_layers=2)
    xs = sequences(network).requires_grad_()
    with use_backend("cpu"):
        ys, last = network(xs)
    loss = (ys**2).sum() + last.memory.memory.sum()
    wanted = [xs, *network.parameters()]
    first = torch.autograd.grad(loss, wanted, retain_graph=True)
    second = torch.autograd.grad(loss, wanted)
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one, other)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.autograd.grad(loss, wanted)


def test_second_derivatives_are_refused_with_one_sentence(machine):
    network = machine.build()
    xs = sequences(network).requires_grad_()
    with use_backend("cpu"):
        ys, _ = network(xs)
    (gradient,) = torch.autograd.grad((ys**2).sum(), xs, create_graph=True)
    message = 'a gradient of a gradient was requested from the fused NTM, which has none; run the .*"reference"'
    with pytest.raises(RuntimeError, match=message):
        torch.autograd.grad(gradient.sum(), xs)


def test_only_tensors_that_require_a_gradient_get_one(machine):
    network = machine.build()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    network.cell.machine.to_output.bias.requires_grad_()
    with use_backend("cpu"):
        ys, _ = network(sequences(network))
    ys.sum().backward()
    assert [name for name, value in network.named_parameters() if value.grad is not None] == [
        "cell.machine.to_output.bias"
    ]


def test_nothing_is_saved_if_no_gradient_is_required(machine):
    network = machine.build()
    xs = sequences(network, 2, 40)
    sizes = {}
    for keep in (True, False):
        results = []

        class Results(TorchDispatchMode):
            def __torch_dispatch__(self, func, types, args=(), kwargs=None, results=results):
                found = func(*args, **(kwargs or {}))
                if func.namespace == "memtape":
                    results.extend(found)
                return found

        with use_backend("cpu"), torch.set_grad_enabled(keep), Results():
            network(xs)
        sizes[keep] = sum(result.numel() for result in results)
    batch, time, hidden, slots, width = 2, 40, 5, 6, 4
    results_alone = batch * (time * network.output_size + slots * width + 2 * slots + width + 2 * hidden)
    assert sizes[False] == results_alone
    assert sizes[True] > 5 * results_alone
    with use_backend("cpu"), torch.no_grad():
        ys, last = network(xs)
    assert not any(leaf.requires_grad for leaf in [ys, *tree.leaves(last)])


def test_memory_does_not_grow_from_call_to_call(machine):
    network = machine.build(torch.float32, slots=64, width=20)
    xs = sequences(network, 4, 50, torch.float32)

    def work(times):
        for _ in range(times):
            with use_backend("cpu"):
                network(xs)[0].sum().backward()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = work(10)
    assert work(30) - before < 4_000  # kB; one call saves 3,000


def test_autocast_leaves_the_state_in_float32_and_outputs_equal_the_reference(machine):
    network = machine.build(torch.float32)
    xs, state = sequences(network, 3, 6, torch.float32), machine.a_state(network, 3, torch.float32)
    found = {}
    for backend in ("reference", "cpu"):
        with use_backend(backend), torch.autocast("cpu", dtype=torch.bfloat16):
            ys, last = network(xs, state, lengths=torch.tensor([6, 2, 4]))
        assert {leaf.dtype for leaf in tree.leaves(last)} == {torch.float32}
        assert ys.dtype == torch.bfloat16
        ys.float().sum().backward()
        assert all(parameter.grad.isfinite().all() for parameter in network.parameters() if parameter.grad is not None)
        found[backend] = [ys.float(), *tree.leaves(last)]
    for actual, expected in zip(found["cpu"], found["reference"], strict=True):
        # bfloat16 rounds at 4e-3; the reference does so in every step, the fused kernel in its outputs only.
        torch.testing.assert_close(actual, expected, rtol=0.05, atol=0.05)


def test_inputs_in_bfloat16_run_under_autocast(machine):
    network = machine.build(torch.float32)
    xs = sequences(network, 3, 6, torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        state = network.init_state(3, dtype=torch.float32)
        with use_backend("reference"):
            expected, _ = network(xs, None)
        with use_backend("cpu"):
            actual, last = network(xs, None)
    assert actual.dtype == expected.dtype
    assert len(tree.leaves(state)) == len(tree.leaves(last))
    torch.testing.assert_close(actual.float(), expected.float(), rtol=0.05, atol=0.05)


def test_a_deep_copy_and_a_state_dict_give_the_same_results(machine):
    network = machine.build()
    names = set(network.state_dict())
    xs = sequences(network)
    with use_backend("cpu"):
        expected, _ = network(xs)
        copied = copy.deepcopy(network)
        assert torch.equal(copied(xs)[0], expected)
        with torch.no_grad():
            for parameter in copied.parameters():
                parameter.add_(1)
        assert not torch.equal(copied(xs)[0], expected)
        assert torch.equal(network(xs)[0], expected)
        assert set(network.state_dict()) == names
        other = machine.build(seed=5)
        assert not torch.equal(other(xs)[0], expected)
        other.load_state_dict(network.state_dict())
        assert torch.equal(other(xs)[0], expected)


def test_inputs_parameters_and_state_are_not_modified(machine):
    network = machine.build()
    xs, state = sequences(network), machine.a_state(network, 2)
    before = copy.deepcopy([xs, state, network.state_dict()])
    machine.run("cpu", network, xs, state, lengths=LENGTHS)
    assert torch.equal(xs, before[0])
    torch.testing.assert_close(tree.named_tensors(state), tree.named_tensors(before[1]), rtol=0, atol=0)
    torch.testing.assert_close(network.state_dict(), before[2], rtol=0, atol=0)


def test_training_steps_follow_those_of_the_reference(machine):
    losses = {}
    for backend in ("reference", "cpu"):
        network = machine.build()
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
        xs = sequences(network, 4, 6)
        losses[backend] = []
        for _ in range(10):
            optimizer.zero_grad()
            with use_backend(backend):
                loss = (network(xs)[0] - 1).square().mean()
            loss.backward()
            optimizer.step()
            losses[backend].append(loss.item())
    assert losses["cpu"] == pytest.approx(losses["reference"], rel=1e-9)
    assert losses["cpu"][-1] < losses["cpu"][0]
