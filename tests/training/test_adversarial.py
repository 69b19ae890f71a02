"""Training runs on adversarial inputs meet finite numbers only."""

import importlib.util
import sys
from pathlib import Path

import pytest

from memtape.core.compiled_library import kernels

BENCHMARK = Path(__file__).parents[1] / "robustness" / "adversarial_inputs.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("adversarial", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("backend", "steps"),
    [
        pytest.param(
            "cpu", 33, marks=pytest.mark.skipif(kernels().absent is not None, reason="the fused kernels are absent")
        ),
        ("reference", 11),
    ],
)
def test_machines_stay_finite(benchmark, monkeypatch, capsys, backend, steps):
    monkeypatch.setitem(
        benchmark.HEAD_WEIGHTS, "heads unbounded", 300.0
    )  # with more steps than here, gradients would overflow
    monkeypatch.setattr(sys, "argv", ["adversarial", "--steps", str(steps), "--backend", backend])
    assert benchmark.main() == 0, capsys.readouterr().out
    output = capsys.readouterr().out
    assert output.count(f"{steps} steps, every loss and gradient finite") == len(benchmark.MACHINES)
    assert all(output.count(f" {kind} ") >= len(benchmark.MACHINES) for kind in benchmark.KINDS)


def test_a_number_that_is_not_finite_is_reported_with_its_inputs(benchmark, monkeypatch, capsys):
    monkeypatch.setattr(benchmark.Adversarial, "loss", lambda self, outputs, batch: outputs.sum() / 0)
    monkeypatch.setattr(sys, "argv", ["adversarial", "--steps", "11", "--machines", "lstm"])
    assert benchmark.main() == 1
    assert "stopped at step 1 because the loss is not finite" in capsys.readouterr().out
