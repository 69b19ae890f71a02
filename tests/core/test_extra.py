"""A missing package of the extra is one sentence with the command that installs it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from memtape.core.extra import PACKAGES, MissingPackageError, importing

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def test_a_missing_package_is_one_sentence():
    with (
        pytest.raises(
            MissingPackageError, match=r"memtape.fit needs docstring-parser, which is not installed; run pip"
        ) as found,
        importing("memtape.fit"),
    ):
        raise ModuleNotFoundError("No module named 'docstring_parser.google'", name="docstring_parser.google")
    assert isinstance(found.value, ImportError)
    assert str(found.value).endswith('run pip install "memtape[cli]"')


def test_an_import_error_of_other_code_is_unchanged():
    with pytest.raises(ModuleNotFoundError, match="my_module"), importing("memtape.fit"):
        raise ModuleNotFoundError("No module named 'my_module'", name="my_module")


def test_the_packages_are_those_of_the_extra():
    extra = {one.partition(">")[0] for one in PROJECT["optional-dependencies"]["cli"]}
    assert set(PACKAGES.values()) == extra
    assert {one.partition(">")[0] for one in PROJECT["dependencies"]} == {"torch", "numpy", "jaxtyping", "safetensors"}


WITHOUT = f"""
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {tuple(PACKAGES)}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Without())
"""


def run(code):
    return subprocess.run([sys.executable, "-c", WITHOUT + code], capture_output=True, text=True, check=False)


def test_networks_and_tasks_need_only_the_core():
    code = """
import torch, memtape, tempfile
task = memtape.Digits()
network = memtape.NTM(task.input_size, task.output_size, slots=5)
batch = task.batch(0, 2)
task.loss(network(batch.inputs, lengths=batch.lengths)[0], batch).backward()
network.trace(batch.inputs)
with tempfile.TemporaryDirectory() as folder:
    network.save_pretrained(folder)
    memtape.NTM.from_pretrained(folder)
assert set(memtape.__all__) == set(dir(memtape))
"""
    done = run(code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import memtape; memtape.fit", "memtape.fit needs "),
        ("import memtape; memtape.load", "memtape.load needs "),
        (
            "import memtape, torch; memtape.NTM(2, 2).trace(torch.ones(1, 2, 2)).figure()",
            "Trace.figure needs matplotlib,",
        ),
        ("import memtape; memtape.NTM.from_pretrained('me/ntm')", "needs huggingface-hub, which"),
    ],
)
def test_a_part_that_needs_the_extra_says_so(code, sentence):
    done = run(code)
    last = done.stderr.strip().splitlines()[-1]
    assert sentence in last
    assert last.endswith('which is not installed; run pip install "memtape[cli]"')


def test_the_command_says_so():
    done = run("import memtape.__main__; memtape.__main__.main()")
    assert done.returncode == 2
    assert done.stderr.startswith("memtape: the command needs cyclopts, which is not installed; run pip")
    assert done.stderr.count("\n") == 1
