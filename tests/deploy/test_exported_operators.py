"""Exported operators: a new process loads programs with `import memtape` alone."""

import subprocess
import sys

import pytest
import torch

from memtape import NTM, tree
from memtape.core.backends import backends
from memtape.deploy import program

READ = """
import sys
import {first}
assert "torch" not in sys.modules or "{first}" == "torch"
import {second}
import torch
given, expected = torch.load(sys.argv[1] + "/given.pt")
found = torch.export.load(sys.argv[1] + "/step.pt2").module()(*given)
torch.testing.assert_close(found[0], expected)
torch.export.load(sys.argv[1] + "/cell.pt2")  # its arguments are states of the class AugmentedState
"""


@pytest.mark.skipif(backends()["cpu"] is not None, reason=f"the kernels are absent: {backends()['cpu']}")
@pytest.mark.parametrize(
    ("first", "second"), [("memtape", "torch"), pytest.param("torch", "memtape", marks=pytest.mark.every_form)]
)
def test_a_program_with_kernels_and_a_program_with_states_are_loaded(first, second, tmp_path):
    network = NTM(3, 2, slots=5, width=4, controller_size=6).eval()
    x, state = torch.randn(1, 3), tree.detach(network.init_state(1))
    with torch.no_grad():
        expected, _ = network.step(x, state)
        cell = torch.export.export(network.cell, (x, state))
    step = program(network, kernels=True)
    assert "memtape.ntm" in str(step.graph)
    torch.save(((x, tuple(tree.leaves(state))), expected), tmp_path / "given.pt")
    torch.export.save(step, tmp_path / "step.pt2")
    torch.export.save(cell, tmp_path / "cell.pt2")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ.format(first=first, second=second), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
