"""The environment variable that selects a build of the kernels."""

import json
import os
import subprocess
import sys

import torch

from memtape import NTM, use_backend


def test_the_environment_selects_the_build():
    code = (
        "import json, sys, torch, memtape; from memtape.core.compiled_library import kernels; "
        "torch.manual_seed(0); net = memtape.NTM(3, 2, slots=5, width=3, controller_size=4); "
        "ys, _ = net(torch.ones(1, 2, 3)); print(json.dumps([kernels().instructions, ys.tolist()]))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MEMTAPE_INSTRUCTIONS": "portable"},
        capture_output=True,
        text=True,
        check=True,
    )
    build, ys = json.loads(found.stdout)
    assert build == "portable"
    torch.manual_seed(0)
    same = NTM(3, 2, slots=5, width=3, controller_size=4)
    with use_backend("reference"):
        expected, _ = same(torch.ones(1, 2, 3))
    torch.testing.assert_close(torch.tensor(ys), expected)
