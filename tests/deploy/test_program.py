"""Programs of torch: one step and whole sequences, with free sizes of batch and time."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from memtape import DNC, GRU, BiLSTM, NTMCell, Recurrent, Seq2Seq, StackedLSTM
from memtape.catalog.registry import MODELS
from memtape.cells import GRUCell
from memtape.core.backends import backends
from memtape.core.cell import Cell
from memtape.deploy import Sequences, Step, program

INPUT = 3
NETWORKS = [name for name, entry in MODELS.items() if getattr(entry.load(), "input_kind", None) == "sequences"]
ONE_EACH = ("gru", "ntm", "bilstm")
EVERY = [pytest.param(name, marks=[] if name in ONE_EACH else [pytest.mark.every_form]) for name in NETWORKS]
CPU = pytest.mark.skipif(backends()["cpu"] is not None, reason=f"the kernels are absent: {backends()['cpu']}")
SIZES = ((5, 9), (1, 1), (1, 4), (4, 1))

pytestmark = pytest.mark.usefixtures("shapes_unchecked")  # the tracer's sizes are no integers


def built(name, **options):
    return MODELS[name].load()(INPUT, 4, **(MODELS[name].card.small | options)).eval()


def given_to(module, batch, time, *, symbols=False):
    places = (batch,) if isinstance(module, Step) else (batch, time)
    xs = torch.randint(INPUT, places) if symbols else torch.randn(*places, INPUT)
    lengths = [] if isinstance(module, Step) else [torch.randint(time + 1, (batch,))]
    return (xs, *lengths, module.init_state(batch))


def check(exported, module, **options):
    run = exported.module()
    for batch, time in SIZES:
        given = given_to(module, batch, time, **options)
        with torch.no_grad():
            expected = module(*given)
        torch.testing.assert_close(run(*given), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", EVERY)
def test_whole_sequences_are_exported_with_a_free_batch_free_time_and_lengths(name):
    network = built(name)
    check(program(network, "sequences"), Sequences(network))


@pytest.mark.parametrize("name", [param for param in EVERY if issubclass(MODELS[param.values[0]].load(), Recurrent)])
def test_a_step_is_exported_with_a_free_batch(name):
    network = built(name)
    check(program(network), Step(network))


@CPU
@pytest.mark.parametrize("what", ["step", "sequences"])
@pytest.mark.parametrize(
    "name", ["ntm", *(pytest.param(name, marks=pytest.mark.every_form) for name in ("dnc", "sdnc"))]
)
def test_the_kernels_of_machines_are_kept_in_the_program(name, what):
    network = built(name)
    exported = program(network, what, kernels=True)
    assert "torch.ops.memtape." in exported.graph_module.code
    check(exported, (Step if what == "step" else Sequences)(network))


@CPU
@pytest.mark.parametrize(
    "name", ["lstm", *(pytest.param(name, marks=pytest.mark.every_form) for name in ("gru", "lru"))]
)
def test_the_kernels_of_layers_are_kept_in_the_program(name):
    network = built(name)
    exported = program(network, "sequences", kernels=True)
    assert "torch.ops.memtape." in exported.graph_module.code
    check(exported, Sequences(network))


def test_the_default_program_needs_no_operator_of_memtape():
    assert "memtape" not in program(built("ntm"), "sequences").graph_module.code.replace("torch.ops.higher_order", "")


@pytest.mark.parametrize("embedding_size", [None, 5])
@pytest.mark.parametrize("what", ["step", "sequences"])
def test_symbols_are_inputs(what, embedding_size):
    network = built("gru", embedding_size=embedding_size)
    check(program(network, what, symbols=True), (Step if what == "step" else Sequences)(network), symbols=True)


@pytest.mark.filterwarnings("ignore:.*LeafSpec")  # torch's own use of it
@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("variant", ["reset_after", "reset_before"])
def test_forms_of_the_gru_are_exported(variant, layer_norm):
    network = Recurrent(GRUCell(INPUT, 4, variant=variant, layer_norm=layer_norm)).eval()
    exported = program(network, "sequences")
    check(exported, Sequences(network))
    check(exported.run_decompositions(), Sequences(network))


@pytest.mark.parametrize("what", ["step", "sequences"])
def test_a_program_keeps_the_weights_that_it_was_made_of(what):
    network = built("gru")
    run, module = program(network, what).module(), (Step if what == "step" else Sequences)(network)
    given = given_to(module, 2, 3)
    before, _ = run(*given)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    assert torch.equal(run(*given)[0], before)
    assert not before.requires_grad
    assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.every_form
def test_more_programs_than_the_compiler_s_limit_of_graphs_are_exported_in_one_process():
    for size in range(4, 16):
        network = GRU(INPUT, 4, hidden_size=size).eval()
        check(program(network, "sequences"), Sequences(network))


def test_a_batch_as_large_as_another_size_is_free():
    for size in (2, 5, 6, 7):
        network = StackedLSTM(size, size, hidden_size=size, layers=1).eval()
        module = Step(network)
        run = program(network).module()
        for batch in (1, size, size + 1):
            given = torch.randn(batch, size), module.init_state(batch)
            with torch.no_grad():
                expected = module(*given)
            torch.testing.assert_close(run(*given), expected)


def test_a_program_is_saved_and_loaded_without_memtape(tmp_path):
    network = DNC(INPUT, 4, slots=5, width=3, controller_size=4).eval()
    torch.export.save(program(network), tmp_path / "step.pt2")
    loaded = torch.export.load(tmp_path / "step.pt2")
    check(loaded, Step(network))


class Counter(Cell):
    """A cell whose state is a number of Python."""

    input_size = output_size = INPUT

    def init_state(self, batch_size, *, device=None, dtype=None):
        return (torch.zeros(batch_size, 1), 0)

    def forward(self, x, state):
        return x, state


@dataclass(slots=True)
class Slotted:
    """A state that torch does not know."""

    hidden: torch.Tensor


class WithSlots(Cell):
    """A cell whose state is a plain dataclass."""

    input_size = output_size = INPUT

    def init_state(self, batch_size, *, device=None, dtype=None):
        return Slotted(torch.zeros(batch_size, 1))

    def forward(self, x, state):
        return x, state


@pytest.mark.parametrize(
    ("make", "what", "message"),
    [
        (
            lambda: nn.LSTM(3, 4),
            "step",
            "LSTM is no network of memtape; call torch.export.export on it, or wrap a cell in",
        ),
        (lambda: nn.Linear(3, 4), "sequences", "Linear is no network of memtape; call torch.export.export on it"),
        (
            lambda: NTMCell(3, 2),
            "step",
            r"NTMCell is a cell, which knows no sequences; wrap it: memtape.Recurrent\(cell\)",
        ),
        (
            lambda: Seq2Seq(3, 4),
            "step",
            "Seq2Seq reads pairs, which have no plain form; call torch.export.export on its",
        ),
        (lambda: 3, "step", "a int is no network; pass one such as memtape.GRU"),
        (lambda: BiLSTM(3, 4).eval(), "step", 'in both directions and needs whole sequences; export "sequences"'),
        (
            lambda: Recurrent(Counter()).eval(),
            "step",
            "1 of the state of Recurrent is a int, but a program takes tensors",
        ),
        (lambda: Recurrent(WithSlots()).eval(), "step", "the state of Recurrent is a Slotted, but .* @memtape.state"),
    ],
    ids=["torch", "module", "cell", "pairs", "number", "both ways", "state", "slots"],
)
def test_what_has_no_program_is_refused_with_the_cure(make, what, message):
    with pytest.raises(TypeError, match=message):
        program(make(), what)


def test_a_network_in_training_and_an_unknown_word_are_refused():
    with pytest.raises(
        ValueError, match=r"GRU is in training mode, but a program computes one mode only; call .eval\(\)"
    ):
        program(GRU(3, 2))
    with pytest.raises(ValueError, match="what is 'steps', but it must be one of 'step', 'sequences'"):
        program(GRU(3, 2).eval(), "steps")


def test_a_wrong_number_of_state_tensors_is_refused():
    step = Step(built("lstm"))
    with pytest.raises(ValueError, match=r"1 tensors were given for the state, but it has 4: layers.0.hidden, "):
        step(torch.zeros(1, INPUT), step.init_state(1)[:1])
