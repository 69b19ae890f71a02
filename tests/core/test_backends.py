"""The choice of a backend, and the backend that `auto` selects."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

import memtape
from memtape import NTM, tree, unroll, use_backend
from memtape.core.backends import BackendError, backend_for, backends, chosen_backend, has_kernels
from memtape.core.compiled_library import Kernels, kernels
from memtape.core.run_fused import compiled
from memtape.kernels.ntm import KERNELS

needs_kernels = pytest.mark.skipif(
    kernels().absent is not None, reason=f"the fused kernels are absent: {kernels().absent}"
)


@pytest.fixture(autouse=True)
def no_choice(monkeypatch):
    """Start each test without a chosen backend."""
    monkeypatch.delenv("MEMTAPE_BACKEND", raising=False)
    monkeypatch.setattr("memtape.core.backends._THREAD.name", None)


@pytest.fixture
def without_kernels(monkeypatch):
    absent = Kernels(library=None, instructions=None, absent="there was no compiler")
    monkeypatch.setattr("memtape.core.backends.kernels", lambda: absent)


def small(**options):
    torch.manual_seed(0)
    return NTM(3, 2, **({"slots": 5, "width": 4, "controller_size": 6} | options))


@pytest.fixture
def kernel_calls(monkeypatch):
    """Record the calls of the fused kernel."""
    calls = []
    original = KERNELS["cpu"]

    def counted(*arguments, **options):
        calls.append(arguments)
        return original(*arguments, **options)

    monkeypatch.setitem(KERNELS, "cpu", counted)
    return calls


def same(first, second):
    torch.testing.assert_close(first, second, rtol=1e-5, atol=1e-6)


def test_backends_are_listed_with_the_reason_why_one_is_absent():
    assert list(backends()) == ["reference", "compile", "scan", "cpu", "triton"]
    assert backends()["reference"] is None
    assert backends()["compile"] is None
    assert backends()["cpu"] == kernels().absent


def test_a_choice_is_valid_from_the_call_on():
    use_backend("reference")
    assert backend_for("cpu") == "reference"
    use_backend("compile")
    assert backend_for("cpu") == "compile"


def test_a_choice_in_a_block_ends_with_the_block():
    use_backend("compile")
    with use_backend("reference"):
        assert backend_for("cpu") == "reference"
    assert backend_for("cpu") == "compile"


def test_blocks_may_be_nested():
    with use_backend("compile"):
        with use_backend("reference"):
            with use_backend("compile"):
                assert backend_for("cpu") == "compile"
            assert backend_for("cpu") == "reference"
        assert backend_for("cpu") == "compile"


def raise_in(backend):
    with use_backend(backend):
        raise KeyError("something else")


def test_a_block_that_raises_restores_the_choice():
    use_backend("compile")
    with pytest.raises(KeyError):
        raise_in("reference")
    assert backend_for("cpu") == "compile"


def test_a_refused_name_changes_nothing():
    use_backend("reference")
    with pytest.raises(BackendError):
        use_backend("turbo")
    assert backend_for("cpu") == "reference"


def test_an_unknown_name_is_refused():
    message = (
        "the backend is 'turbo', but it must be one of auto, reference, compile, scan, cpu, triton; name one of them"
    )
    with pytest.raises(BackendError, match=message):
        use_backend("turbo")


def test_an_absent_backend_is_refused_with_the_reason():
    with pytest.raises(
        BackendError, match="the backend is 'triton', which is absent here: this version has no kernels"
    ):
        use_backend("triton")


@pytest.mark.usefixtures("without_kernels")
def test_absent_kernels_are_refused_with_the_reason():
    assert backends()["cpu"] == "there was no compiler"
    with pytest.raises(BackendError, match="the backend is 'cpu', which is absent here: there was no compiler"):
        use_backend("cpu")


@pytest.mark.usefixtures("without_kernels")
def test_without_kernels_everything_runs_in_single_steps(kernel_calls):
    assert backend_for("cpu") == "scan"
    ys, _ = small()(torch.ones(2, 3, 3))
    assert ys.isfinite().all()
    assert not kernel_calls


def test_the_environment_sets_the_default_backend(monkeypatch):
    monkeypatch.setenv("MEMTAPE_BACKEND", "compile")
    assert backend_for("cpu") == "compile"
    with use_backend("reference"):
        assert backend_for("cpu") == "reference"
    assert backend_for("cpu") == "compile"


@pytest.mark.parametrize(
    ("name", "reason"), [("fast", "but it must be one of auto, ref"), ("triton", "which is absent here")]
)
def test_an_environment_with_an_invalid_backend_is_refused(monkeypatch, name, reason):
    monkeypatch.setenv("MEMTAPE_BACKEND", name)
    with pytest.raises(BackendError, match=f"MEMTAPE_BACKEND is '{name}', {reason}"):
        small()(torch.ones(2, 3, 3))


def test_a_new_process_reads_its_environment():
    code = "from memtape.core.backends import backend_for; print(backend_for('cpu'))"
    environment = {**os.environ, "MEMTAPE_BACKEND": "reference"}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "reference"


@pytest.mark.parametrize("function", [chosen_backend, has_kernels])
def test_the_compiler_sees_a_constant(function):
    marks = vars(torch.compiler.assume_constant_result(lambda: None))
    assert marks
    assert marks.items() <= vars(function).items()


def test_an_error_of_backends_is_a_value_error():
    assert issubclass(BackendError, ValueError)
    assert memtape.use_backend is use_backend


@needs_kernels
def test_auto_and_cpu_run_the_fused_kernel(kernel_calls):
    network, xs = small(), torch.randn(2, 4, 3)
    with use_backend("reference"):
        expected, _ = network(xs)
    assert not kernel_calls
    for name in ("auto", "cpu"):
        with use_backend(name):
            assert backend_for("cpu") == "cpu"
            same(network(xs)[0], expected)
    assert len(kernel_calls) == 2
    same(network(xs)[0], expected)
    assert len(kernel_calls) == 3


@needs_kernels
def test_a_chosen_cpu_leaves_other_devices_to_the_reference():
    with use_backend("cpu"):
        assert backend_for("cuda") == "reference"
        assert backend_for("cpu") == "cpu"


@needs_kernels
@pytest.mark.parametrize("options", [{"sequential_heads": True, "read_heads": 2}, {}], ids=["heads in turn", "collect"])
def test_single_steps_run_where_their_states_are_needed(kernel_calls, options):
    network, xs = small(**options), torch.randn(2, 4, 3)
    collect = None if options else lambda state: state.memory.write_weights
    ys, last, trace = unroll(network.cell, xs, collect=collect)
    assert not kernel_calls
    with use_backend("reference"):
        expected, end, seen = unroll(network.cell, xs, collect=collect)
    assert torch.equal(ys, expected)
    same(tree.named_tensors(last), tree.named_tensors(end))
    assert (trace is None) == bool(options)
    assert trace is None or torch.equal(trace, seen)


HOOKS = {
    "forward": lambda module, seen: module.register_forward_hook(lambda *_: seen.append(1)),
    "forward pre": lambda module, seen: module.register_forward_pre_hook(lambda *_: seen.append(1)),
    "backward": lambda module, seen: module.register_full_backward_hook(lambda *_: seen.append(1)),
    "backward pre": lambda module, seen: module.register_full_backward_pre_hook(lambda *_: seen.append(1)),
}


@needs_kernels
@pytest.mark.parametrize("kind", HOOKS)
@pytest.mark.parametrize("part", ["", "machine.interface.head_parameters.linear", "machine.controller"])
def test_a_hook_on_a_part_is_called_in_every_step(kernel_calls, kind, part):
    network, xs = small(), torch.randn(2, 4, 3, requires_grad=True)
    fused, _ = network(xs)
    assert len(kernel_calls) == 1
    seen = []
    handle = HOOKS[kind](network.cell.get_submodule(part), seen)
    ys, _ = network(xs)
    ys.sum().backward()
    assert len(kernel_calls) == 1
    assert len(seen) >= 3  # the last step's heads have no influence, so that their backward hook may not be called
    same(ys, fused)
    handle.remove()
    network(xs)
    assert len(kernel_calls) == 2


@needs_kernels
def test_a_hook_on_the_network_itself_needs_no_single_steps(kernel_calls):
    network, seen = small(), []
    network.register_forward_hook(lambda *_: seen.append(1))
    network(torch.randn(2, 4, 3))
    assert len(seen) == len(kernel_calls) == 1


@needs_kernels
def test_a_hook_on_all_modules_is_called_in_every_step(kernel_calls):
    seen = []
    handle = nn.modules.module.register_module_forward_hook(lambda module, *_: seen.append(type(module).__name__))
    try:
        small()(torch.randn(2, 4, 3))
    finally:
        handle.remove()
    assert seen.count("NTMCell") == 4
    assert not kernel_calls


@needs_kernels
@pytest.mark.parametrize("backend", ["reference", "compile"])
def test_other_backends_do_not_call_the_fused_kernel(kernel_calls, backend, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function: function)
    network = small()
    with use_backend(backend):
        network(torch.randn(2, 4, 3))
    assert not kernel_calls


def test_a_step_is_compiled_once_for_each_cell(monkeypatch):
    compilations = []
    monkeypatch.setattr(torch, "compile", lambda function: compilations.append(function) or function)
    first, second, xs = small(), small(), torch.randn(2, 4, 3)
    with use_backend("reference"):
        expected, _ = first(xs)
    with use_backend("compile"):
        for _ in range(3):
            assert torch.equal(first(xs)[0], expected)
        assert len(compilations) == 1
        second(xs)
    assert len(compilations) == 2
    assert compiled(first.cell) is compiled(first.cell)
