"""ONNX files: onnxruntime computes what the network computes, with the state as inputs and outputs."""

import importlib
import sys

import pytest
import torch

from memtape import GRU, Recurrent
from memtape.catalog.registry import MODELS
from memtape.deploy import Sequences, Step, save_onnx
from memtape.deploy.onnx_file import MissingOnnxError, converted
from memtape.deploy.onnx_operations import argsort_stable, cumulative_product, matrix_exponential, sort_stable

INPUT = 3
NETWORKS = [name for name, entry in MODELS.items() if getattr(entry.load(), "input_kind", None) == "sequences"]
STEPS = [name for name in NETWORKS if issubclass(MODELS[name].load(), Recurrent)]
LIGHT = ("gru", "lru")
TOLERANCE = {"orthogonal": 1e-4}
"""1e-5 for the others; torch computes the matrix exponential in float32, and the file in float64."""

pytestmark = pytest.mark.usefixtures("shapes_unchecked")  # the tracer's sizes are no integers


def each(names):
    return [pytest.param(name, marks=[] if name in LIGHT else [pytest.mark.every_form]) for name in names]


def built(name, **options):
    return MODELS[name].load()(INPUT, 4, **(MODELS[name].card.small | options)).eval()


def run(session, module, first):
    state = module.init_state(len(first[0]))
    names = [value.name for value in session.get_inputs()]
    found = session.run(None, {name: value.numpy() for name, value in zip(names, (*first, *state), strict=True)})
    with torch.no_grad():
        y, after = module(*first, state)
    return [torch.from_numpy(value) for value in found], [y, *after]


@pytest.fixture
def opened(tmp_path):
    runtime = pytest.importorskip("onnxruntime")

    def write_and_open(network, *given, **options):
        save_onnx(network, tmp_path / "network.onnx", *given, **options)
        settings = runtime.SessionOptions()
        settings.log_severity_level = 3
        return runtime.InferenceSession(tmp_path / "network.onnx", settings)

    return write_and_open


@pytest.mark.parametrize("name", each(STEPS))
def test_a_step_takes_the_state_and_returns_the_next(name, opened):
    module = Step(built(name))
    session = opened(module.network)
    assert [value.name for value in session.get_inputs()] == ["x", *module.names]
    assert [value.name for value in session.get_outputs()] == ["y", *(f"next.{name}" for name in module.names)]
    for batch in (5, 1):
        found, expected = run(session, module, [torch.randn(batch, INPUT)])
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", each(NETWORKS))
def test_whole_sequences_have_free_sizes_and_lengths(name, opened):
    module = Sequences(built(name))
    session = opened(module.network, "sequences")
    assert [value.name for value in session.get_inputs()] == ["xs", "lengths", *module.names]
    for batch, time in ((5, 9), (1, 1), (1, 4), (4, 1)):
        given = [torch.randn(batch, time, INPUT), torch.randint(time + 1, (batch,))]
        found, expected = run(session, module, given)
        torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE.get(name, 1e-5))


def test_symbols_are_inputs(opened):
    module = Step(built("gru", embedding_size=5))
    found, expected = run(opened(module.network, symbols=True), module, [torch.tensor([2, 0, 1])])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError):
        importlib.import_module(package)
    with pytest.raises(
        MissingOnnxError, match=rf"needs {package}, which is not installed; run pip install \"memtape\[onnx\]"
    ):
        save_onnx(GRU(3, 2).eval(), tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())


def test_the_matrix_exponential_has_the_value_of_torch():
    for size, scale in ((1, 1.0), (4, 3.0), (7, 30.0)):
        matrix = torch.randn(size, size, dtype=torch.float64) * scale
        matrix = matrix - matrix.mT
        torch.testing.assert_close(matrix_exponential(matrix), torch.linalg.matrix_exp(matrix), rtol=0, atol=1e-9)


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_the_cumulative_product_has_the_value_of_torch(size):
    values = torch.randn(3, size, 2, dtype=torch.float64)
    for dim in (1, -2, 0):
        torch.testing.assert_close(cumulative_product(values, dim), values.cumprod(dim))


@pytest.mark.parametrize("descending", [False, True])
def test_sorting_has_the_values_of_torch(descending):
    values = torch.randperm(20).reshape(4, 5).float()
    for dim in (0, 1):
        expected = values.sort(dim=dim, descending=descending, stable=True)
        found = sort_stable(values, stable=True, dim=dim, descending=descending)
        assert torch.equal(found[0], expected.values)
        assert torch.equal(argsort_stable(values, stable=True, dim=dim, descending=descending), expected.indices)


class Ranks(torch.nn.Module):
    """The order of values with many equal ones."""

    def forward(self, values):
        return values.argsort(dim=-1, stable=True), values.sort(dim=-1, descending=True, stable=True).indices


def test_equal_values_keep_their_order_in_a_file(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    values = torch.randint(3, (4, 50)).float()
    model = converted(torch.export.export(Ranks(), (values,)), ["values"], ["up", "down"])
    model.save(tmp_path / "ranks.onnx")
    found = runtime.InferenceSession(tmp_path / "ranks.onnx").run(None, {"values": values.numpy()})
    for mine, expected in zip(found, Ranks()(values), strict=True):
        assert torch.equal(torch.from_numpy(mine), expected)
