"""The options that torch does not have: layer normalisation, peepholes, zoneout, variational dropout."""

import pytest
import torch

import memtape
from memtape import unroll
from memtape.cells import ElmanCell, GRUCell, LSTMCell, Zoneout

TIME, BATCH, INPUT, HIDDEN = 7, 3, 2, 4
F64 = torch.float64

OPTIONS = [
    ("LSTM", {"layer_norm": True}),
    ("LSTM", {"peepholes": True}),
    ("LSTM", {"layer_norm": True, "peepholes": True}),
    ("LSTM", {"zoneout": 0.25, "zoneout_cell": 0.5}),
    ("LSTM", {"layer_norm": True, "peepholes": True, "zoneout_cell": 0.5}),
    ("GRU", {"layer_norm": True}),
    ("GRU", {"zoneout": 0.25}),
    ("RNN", {"zoneout": 0.25}),
]
NAMES = {
    "from_input.weight": "weight_ih_l0",
    "from_hidden.weight": "weight_hh_l0",
    "peepholes": "peepholes_l0",
    "norms.input.weight": "norms_input_weight_l0",
    "norms.hidden.weight": "norms_hidden_weight_l0",
    "norms.cell.weight": "norms_cell_weight_l0",
    "norms.cell.bias": "norms_cell_bias_l0",
    "norms.input_gates.weight": "norms_input_gates_weight_l0",
    "norms.input_candidate.weight": "norms_input_candidate_weight_l0",
    "norms.hidden_gates.weight": "norms_hidden_gates_weight_l0",
    "norms.hidden_candidate.weight": "norms_hidden_candidate_weight_l0",
}


def layers(kind, options, **others):
    """Return layers in evaluation whose parameters are all random."""
    module = getattr(memtape.nn, kind)(INPUT, HIDDEN, **options, **others).double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()
    return module


def cell_of(kind, options, module):
    """Return the equivalent cell with the parameters of one layer."""
    norm = {"layer_norm": True} if options.get("layer_norm") else {}
    peepholes = {"peepholes": True} if options.get("peepholes") else {}
    cell = {"LSTM": LSTMCell, "GRU": GRUCell, "RNN": ElmanCell}[kind](INPUT, HIDDEN, **norm, **peepholes).double()
    both, split = module.bias_ih_l0 + module.bias_hh_l0, [2 * HIDDEN, HIDDEN]
    biases = {"from_input.bias": both, "norms.input.bias": both}
    if kind == "GRU":
        biases = {"from_input.bias": module.bias_ih_l0, "from_hidden.bias": module.bias_hh_l0}
        for place, bias in (("input", module.bias_ih_l0), ("hidden", module.bias_hh_l0)):
            parts = zip(("gates", "candidate"), bias.split(split), strict=True)
            biases |= {f"norms.{place}_{name}.bias": part for name, part in parts}
    paths = [path for path, _ in cell.named_parameters()]
    cell.load_state_dict({path: biases[path] if path in biases else getattr(module, NAMES[path]) for path in paths})
    return Zoneout(cell, hidden=options.get("zoneout", 0.0), memory=options.get("zoneout_cell", 0.0)).eval()


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_a_layer_computes_the_cell_with_its_parameters(kind, options, backend):
    module = layers(kind, options, batch_first=True)
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    with memtape.use_backend("reference"):
        expected, end, _ = unroll(cell_of(kind, options, module), xs)
    with memtape.use_backend(backend):
        ys, last = module(xs)
    torch.testing.assert_close(ys, expected)
    torch.testing.assert_close(
        last if kind == "LSTM" else (last,), tuple(part[None] for part in memtape.tree.leaves(end))
    )


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_every_parameter_of_every_layer_and_direction_gets_a_gradient(kind, options):
    module = layers(kind, options, num_layers=2, bidirectional=True)
    xs = torch.randn(TIME, BATCH, INPUT, dtype=F64)
    module(xs)[0].square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in module.parameters())
    assert {name.removesuffix("_l1_reverse") for name in module.state_dict() if name.endswith("_l1_reverse")} == {
        name.removesuffix("_l0") for name in module.state_dict() if name.endswith("_l0")
    }


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_the_backward_direction_has_parameters_of_its_own(kind, options):
    both = layers(kind, options, bidirectional=True)
    back = layers(kind, options)
    back.load_state_dict(
        {name.removesuffix("_reverse"): value for name, value in both.state_dict().items() if name.endswith("_reverse")}
    )
    xs = torch.randn(TIME, BATCH, INPUT, dtype=F64)
    torch.testing.assert_close(both(xs)[0][..., HIDDEN:], back(xs.flip(0))[0].flip(0))


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_packed_rows_are_computed_one_by_one(kind, options):
    module = layers(kind, options, num_layers=2, bidirectional=True)
    rows = [torch.randn(length, INPUT, dtype=F64) for length in (2, 5, 3)]
    ys, last = module(torch.nn.utils.rnn.pack_sequence(rows, enforce_sorted=False))
    padded, _ = torch.nn.utils.rnn.pad_packed_sequence(ys, batch_first=True)
    for number, row in enumerate(rows):
        alone, end = module(row)
        torch.testing.assert_close(padded[number, : len(row)], alone)
        for part, whole in zip(*((value if kind == "LSTM" else (value,)) for value in (end, last)), strict=True):
            torch.testing.assert_close(whole[:, number], part)


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_sixteen_bits_run_step_by_step(kind, options, dtype, operator_calls):
    module = layers(kind, options)
    xs = torch.randn(TIME, BATCH, INPUT, dtype=F64)
    expected = module(xs)[0]
    with operator_calls:
        found = module.to(dtype)(xs.to(dtype))[0]
    assert not operator_calls.calls
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, atol=0.2, rtol=0.1)
    found.sum().backward()


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_variational_dropout_in_sixteen_bits(kind):
    module = getattr(memtape.nn, kind)(INPUT, HIDDEN, variational_dropout=0.5, dtype=torch.bfloat16)
    assert module(torch.ones(TIME, BATCH, INPUT, dtype=torch.bfloat16))[0].dtype == torch.bfloat16


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_autocast_keeps_the_state(kind, options):
    module = layers(kind, options).float()
    xs = torch.randn(TIME, BATCH, INPUT)
    expected = module(xs)
    with torch.autocast("cpu", torch.bfloat16):
        ys, last = module(xs)
    torch.testing.assert_close(ys.float(), expected[0], atol=0.2, rtol=0.1)
    assert all(part.dtype == torch.float32 for part in (last if kind == "LSTM" else (last,)))


@pytest.mark.parametrize(
    ("kind", "options"), [(kind, options) for kind, options in OPTIONS if "zoneout" not in str(options)]
)
def test_options_of_the_cell_run_in_the_kernel(kind, options, operator_calls):
    with operator_calls:
        layers(kind, options)(torch.randn(TIME, BATCH, INPUT, dtype=F64))
    assert len(operator_calls.calls) == 1


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_zoneout_of_everything_keeps_the_state_in_training(kind):
    options = {"zoneout": 1.0} | ({"zoneout_cell": 1.0} if kind == "LSTM" else {})
    module = layers(kind, options).train()
    state = torch.randn(1, BATCH, HIDDEN, dtype=F64)
    ys, last = module(torch.randn(TIME, BATCH, INPUT, dtype=F64), (state, state) if kind == "LSTM" else state)
    assert torch.equal(ys, state.expand_as(ys))
    assert all(torch.equal(part, state) for part in (last if kind == "LSTM" else (last,)))


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_variational_dropout_drops_the_same_inputs_at_all_steps(kind):
    module = getattr(memtape.nn, kind)(40, 40, variational_dropout=0.5, batch_first=True).double()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.zero_()
            if name == "weight_ih_l0":
                parameter[:40].copy_(torch.eye(40) / 4) if kind == "RNN" else parameter.copy_(
                    torch.eye(40).repeat(len(parameter) // 40, 1) / 4
                )
    ys = module(torch.ones(3, TIME, 40, dtype=F64))[0]
    dropped = ys == 0
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert 20 < dropped[:, 0].sum() < 100
    assert not torch.equal(dropped[0, 0], dropped[1, 0])
    kept = module.eval()(torch.full((1, TIME, 40), 2.0, dtype=F64))[0]  # kept entries are divided by 1 - p
    torch.testing.assert_close(ys, torch.where(dropped, 0, kept))
    assert not torch.equal(dropped, module.train()(torch.ones(3, TIME, 40, dtype=F64))[0] == 0)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_variational_dropout_reaches_every_layer(kind):
    module = getattr(memtape.nn, kind)(INPUT, HIDDEN, 2, variational_dropout=1.0)
    plain = getattr(memtape.nn, kind)(INPUT, HIDDEN, 2)
    plain.load_state_dict(module.state_dict())
    with torch.no_grad():
        for number in range(2):
            getattr(plain, f"weight_ih_l{number}").zero_()
    xs = torch.randn(30, BATCH, INPUT)
    torch.testing.assert_close(module(xs)[0], plain(xs)[0])


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_parameters_that_torch_has_are_drawn_as_torch_draws_them(kind, options):
    found = []
    for others in (options, {}):
        torch.manual_seed(4)
        module = getattr(memtape.nn, kind)(INPUT, HIDDEN, 2, **others)
        found.append({name: value for name, value in module.named_parameters() if name in module._flat_weights_names})
        torch.manual_seed(4)
        module.reset_parameters()
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[1])


@pytest.mark.parametrize("again", [False, True])
def test_other_parameters_start_as_in_the_cells(again):
    module = memtape.nn.LSTM(INPUT, HIDDEN, layer_norm=True, peepholes=True)
    if again:
        torch.nn.init.normal_(module.peepholes_l0)
        module.reset_parameters()
    cell = LSTMCell(INPUT, HIDDEN, layer_norm=True, peepholes=True)
    for path, value in cell.named_parameters():
        if path in NAMES and "from" not in path:
            assert torch.equal(getattr(module, NAMES[path]), value)


def test_the_options_are_printed():
    module = memtape.nn.LSTM(3, 4, num_layers=2, layer_norm=True, zoneout=0.1)
    assert repr(module) == "LSTM(3, 4, num_layers=2, layer_norm=True, zoneout=0.1)"


def test_parameters_of_options_have_the_dtype_and_device_of_the_others():
    module = memtape.nn.GRU(3, 4, layer_norm=True, dtype=F64, device="meta")
    assert {(parameter.dtype, parameter.device.type) for parameter in module.parameters()} == {(F64, "meta")}
