"""`memtape.nn` under `torch.compile` and `torch.export`: one graph, with the kernels in it."""

import pytest
import torch

import memtape

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")

FORMS = {
    "LSTM": ("LSTM", {}),
    "LSTM with peepholes and layer norm": ("LSTM", {"peepholes": True, "layer_norm": True}),
    "GRU": ("GRU", {}),
    "GRU of two layers, both ways": ("GRU", {"num_layers": 2, "bidirectional": True, "batch_first": True}),
    "RNN": ("RNN", {}),
    "LSTM with zoneout": ("LSTM", {"zoneout": 0.5}),
}
IN_KERNELS = {name: kind for name, (kind, options) in FORMS.items() if kind != "LSTM" or "layer_norm" in options}


def operators(graph):
    return [str(node.target) for node in graph.graph.nodes if node.op == "call_function"]


@pytest.mark.parametrize("name", FORMS)
def test_layers_compile_as_one_graph_with_their_kernels(name):
    torch._dynamo.reset()
    kind, options = FORMS[name]
    layers = getattr(memtape.nn, kind)(3, 4, **options).eval()
    graphs = []

    def compiler(graph, inputs):
        graphs.append(graph)
        return graph.forward

    xs = torch.randn(26, 26, 3)
    compiled = torch.compile(layers, fullgraph=True, backend=compiler)
    expected = layers(xs)
    for one, other in zip(*map(memtape.tree.leaves, (compiled(xs), expected)), strict=True):
        torch.testing.assert_close(one, other)
    assert len(graphs) == 1
    assert any("memtape.recurrence" in operator for operator in operators(graphs[0])) == (name in IN_KERNELS)


@pytest.mark.parametrize("name", ["GRU of two layers, both ways", "LSTM with peepholes and layer norm"])
def test_compiled_layers_have_the_same_gradients(name):
    torch._dynamo.reset()
    kind, options = FORMS[name]
    layers = getattr(memtape.nn, kind)(3, 4, **options)
    xs = torch.randn(26, 26, 3)
    found = []
    for run in (layers, torch.compile(layers, fullgraph=True, backend="aot_eager")):
        found.append(torch.autograd.grad(run(xs)[0].square().sum(), list(layers.parameters())))
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("name", ["GRU", "LSTM with peepholes and layer norm"])
def test_exported_layers_have_their_kernels(name):
    kind, options = FORMS[name]
    layers = getattr(memtape.nn, kind)(3, 4, **options)
    xs = torch.randn(26, 2, 3)
    program = torch.export.export(layers, (xs,), strict=False)
    assert any("memtape.recurrence" in operator for operator in operators(program.graph_module))
    torch.testing.assert_close(program.module()(xs), layers(xs))
