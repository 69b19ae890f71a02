"""The example in C++: a compiled step computes what the network computes, without Python and memtape."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from memtape import NTM

EXAMPLE = Path(__file__).parents[2] / "examples" / "deploy"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.usefixtures("shapes_unchecked"),
    pytest.mark.skipif(not (shutil.which("cmake") and shutil.which("c++")), reason="there is no cmake or C++ compiler"),
]


def done(*words, **options):
    result = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_a_stream_in_c_plus_plus_has_the_outputs_of_the_network(tmp_path):
    spec = importlib.util.spec_from_file_location("compile_step", EXAMPLE / "compile_step.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    network = NTM(3, 2, slots=5, width=4, controller_size=6).eval()
    package, state = str(tmp_path / "step.pt2"), str(tmp_path / "state.pt")
    example.compile_step(network, package, state)
    prefix = f"-DCMAKE_PREFIX_PATH={torch.utils.cmake_prefix_path}"
    done("cmake", "-S", str(EXAMPLE), "-B", str(tmp_path / "build"), prefix)
    done("cmake", "--build", str(tmp_path / "build"))
    xs = torch.randn(1, 5, 3)
    text = "\n".join(" ".join(f"{number:.9g}" for number in x) for x in xs[0].tolist())
    output = done(str(tmp_path / "build" / "stream"), package, state, input=text)
    found = torch.tensor([[float(number) for number in line.split()] for line in output.splitlines()])
    with torch.no_grad():
        torch.testing.assert_close(found, network(xs)[0][0], rtol=1e-5, atol=1e-6)
