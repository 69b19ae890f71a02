"""The cells that the laws are tested with: those of all models from their cards, and further parts and forms in CELLS."""

from functools import partial

import pytest
import torch

from memtape import AugmentedCell, use_backend
from memtape.catalog.registry import MODELS
from memtape.cells import (
    Clipped,
    ClockworkCell,
    ConcatenatedInput,
    Conditioned,
    DeepTransitionCell,
    Delayed,
    EchoStateCell,
    ElmanCell,
    Embedded,
    FastWeightsCell,
    FeedforwardCell,
    GatedLinearCell,
    GateNormLSTMCell,
    GRUCell,
    InputBypass,
    JordanCell,
    LeakyCell,
    LearnedInitialState,
    LRUCell,
    LSTMCell,
    OrthogonalCell,
    OutputFeedback,
    Readout,
    Residual,
    Shortcuts,
    SkipCell,
    StableHadamardCell,
    Stacked,
    TeacherForced,
    TruncatedInput,
    VariationalDropout,
    Zoneout,
)
from memtape.core.backends import backends
from memtape.core.recurrent import Recurrent
from memtape.memory import TuringInterface, TuringMemory
from memtape.models.recurrent.lru import lru_network
from memtape.models.several_memories.assembly import dnc_interface, dnc_memory, reader

INPUT, BATCH, TIME = 2, 3, 6
TWO_HEADS = {"read_heads": 2, "write_heads": 2}


def cell_of(model, **options):
    """Return the cell of a model, with the small sizes of its card."""
    return MODELS[model].load()(INPUT, 3, **(MODELS[model].card.small | options)).cell


ntm, sam, sdnc, dam, dnc, mann = (partial(cell_of, name) for name in ("ntm", "sam", "sdnc", "dam", "dnc", "mann"))


def composed_augmented_cell():
    memory = TuringMemory(5, 3, initial_memory="random", initial_weights="uniform")
    return AugmentedCell(
        GRUCell(INPUT + 3, 4), TuringInterface(4, 3), memory, input_size=INPUT, output_size=3, initial_reads="zeros"
    )


CELLS = [
    ("elman", lambda: ElmanCell(INPUT, 4)),
    ("elman-relu", lambda: ElmanCell(INPUT, 6, activation="relu", initial="identity")),
    ("jordan", lambda: JordanCell(INPUT, 4, 3)),
    ("jordan-softmax", lambda: JordanCell(INPUT, 4, 3, feedback="softmax", activation="relu")),
    ("jordan-sigmoid", lambda: JordanCell(INPUT, 4, 3, feedback="sigmoid")),
    ("lstm", lambda: LSTMCell(INPUT, 4)),
    ("lstm-peepholes", lambda: LSTMCell(INPUT, 4, peepholes=True, candidate="sigmoid", chrono=6)),
    ("lstm-layer-norm", lambda: LSTMCell(INPUT, 4, layer_norm=True)),
    ("lstm-gate-norm", lambda: GateNormLSTMCell(INPUT, 4)),
    ("lstm-everything", lambda: LSTMCell(INPUT, 4, peepholes=True, layer_norm=True, candidate="sigmoid")),
    ("gru", lambda: GRUCell(INPUT, 4)),
    ("gru-layer-norm", lambda: GRUCell(INPUT, 4, layer_norm=True)),
    ("gru-reset-before", lambda: GRUCell(INPUT, 4, variant="reset_before")),
    ("gru-reset-before-layer-norm", lambda: GRUCell(INPUT, 4, variant="reset_before", layer_norm=True)),
    ("gru-book", lambda: Delayed(GRUCell(INPUT, 4, variant="reset_before", candidate="sigmoid"))),
    ("leaky", lambda: LeakyCell(INPUT, 4, longest=5.0)),
    ("leaky-learned", lambda: LeakyCell(INPUT, 4, longest=5.0, time_constants="learned", activation="relu")),
    ("leaky-linear", lambda: LeakyCell(INPUT, 4, longest=5.0, recurrence="linear")),
    (
        "leaky-linear-learned",
        lambda: LeakyCell(INPUT, 4, longest=5.0, recurrence="linear", time_constants="learned", activation="relu"),
    ),
    ("lru", lambda: LRUCell(INPUT, 4)),
    ("stable-hadamard", lambda: StableHadamardCell(INPUT, 3, rows=4).eval()),
    ("stable-hadamard-first-row", lambda: StableHadamardCell(INPUT, 3, row="first", shortcut=True)),
    ("stable-hadamard-clamped", lambda: StableHadamardCell(INPUT, 3, rows=4, state_clamp=0.1).eval()),
    ("skip", lambda: SkipCell(INPUT, 4, delay=2)),
    ("skip-only", lambda: SkipCell(INPUT, 4, delay=3, keep_short=False, activation="relu")),
    ("orthogonal", lambda: OrthogonalCell(INPUT, 5)),
    ("clockwork", lambda: ClockworkCell(INPUT, 4, groups=2)),
    ("echo-state", lambda: Readout(EchoStateCell(INPUT, 6, density=0.5), 3)),
    ("echo-state-leaky", lambda: Readout(EchoStateCell(INPUT, 6, leak=0.4), 3)),
    ("deep-transition", lambda: DeepTransitionCell(INPUT, 4, depth=3, shortcut=True)),
    ("clipped", lambda: Clipped(LSTMCell(INPUT, 4), 0.2)),
    ("blinkered", lambda: Readout(TruncatedInput(GRUCell(1, 4), INPUT - 1), 3)),
    ("residual", lambda: Residual(LSTMCell(INPUT, INPUT))),
    ("zoneout", lambda: Zoneout(LSTMCell(INPUT, 4), hidden=0.2, memory=0.3).eval()),
    ("dropout-in-evaluation", lambda: VariationalDropout(GRUCell(INPUT, 4), inputs=0.3, outputs=0.3).eval()),
    ("fast-weights", lambda: FastWeightsCell(INPUT, 4)),
    ("fast-weights-plain", lambda: FastWeightsCell(INPUT, 4, inner_steps=3, layer_norm=False, activation="tanh")),
    ("feedforward", lambda: FeedforwardCell(INPUT, 4)),
    ("gated-linear", lambda: GatedLinearCell(INPUT, 4)),
    ("stacked", lambda: Stacked([LSTMCell(INPUT, 4), GRUCell(4, 3)])),
    ("shortcuts", lambda: Shortcuts([LSTMCell(INPUT, 4), GRUCell(INPUT + 4, 3), FeedforwardCell(INPUT + 3, 2)])),
    ("around", lambda: InputBypass(GRUCell(1, 4), 1, 1)),
    ("readout", lambda: Readout(GRUCell(INPUT, 4), 3)),
    ("learned-initial-state", lambda: LearnedInitialState(LSTMCell(INPUT, 4))),
    ("embedded", lambda: Embedded(Readout(GRUCell(3, 4), 2), INPUT)),
    ("embedded-fixed", lambda: Embedded(LSTMCell(3, 4), INPUT, learned=False)),
    ("with-input", lambda: ConcatenatedInput(GRUCell(INPUT, 4))),
    ("output-feedback", lambda: OutputFeedback(Readout(GRUCell(INPUT + 3, 4), 3), feedback="sigmoid")),
    ("teacher-forced", lambda: TeacherForced(OutputFeedback(Readout(GRUCell(2, 4), 1)))),
    ("conditioned", lambda: Conditioned(LSTMCell(INPUT + 3, 4), 3, into="input")),
    ("lru-deep", lambda: lru_network(INPUT, 3, hidden_size=4, embedding_size=3, layers=2)),
    ("lru-learned-initial-state", lambda: LearnedInitialState(LRUCell(INPUT, 4, min_radius=0.5, max_radius=0.9))),
    *(
        (f"{name} as a model", partial(cell_of, name))
        for name, entry in MODELS.items()
        if issubclass(entry.load(), Recurrent)
    ),
    ("augmented", composed_augmented_cell),
    ("stm-sum", lambda: cell_of("stm", item_write="sum")),
    ("nsrnn-growing", lambda: cell_of("nsrnn", window=None, vector_size=0, controller="gru", normalised=True)),
    (
        "ntm-gru",
        lambda: ntm(controller="gru", controller_layers=2, initial_memory="learned", initial_weights="uniform"),
    ),
    ("ntm-rnn", lambda: ntm(controller="rnn", initial_controller="zeros", similarity="dot", shift_range=2)),
    ("ntm-feedforward", lambda: ntm(controller="feedforward", initial_reads="zeros", read_heads=3, write_heads=2)),
    ("ntm-write-first", lambda: ntm(read_first=False, read_heads=2)),
    ("ntm-linear", lambda: ntm(squash=False, clip=None, initial_memory="random", initial_weights="one-hot")),
    (
        "ntm-sequential",
        lambda: ntm(
            sequential_heads=True, initial_memory="random", initial_weights="zeros", shift_range=3, **TWO_HEADS
        ),
    ),
    ("ntm-sequential-write-first", lambda: ntm(sequential_heads=True, read_first=False, write_heads=2)),
    ("ntm-scheduled", lambda: ntm(writing="uniform", writing_interval=2, writing_steps=5)),
    (
        "ntm-random-writing",
        lambda: ntm(
            writing="random",
            writing_interval=2,
            writing_steps=6,
            writing_seed=3,
            hold_reads=False,
            initial_memory="random",
        ),
    ),
    ("dnc-cached-writing", lambda: dnc(writing="cached", writing_interval=2, usage_gradient=True)),
    ("ntm-content", lambda: ntm(addressing="content", initial_memory="random", **TWO_HEADS)),
    ("nutm-direct", lambda: cell_of("nutm", program_addressing="direct", programs=3, **TWO_HEADS)),
    ("dnc-programs", lambda: dnc(programs=2, layer_norm=True, **TWO_HEADS)),
    ("sam-empty", lambda: sam(heads=3, nearest=1, slots=9, initial_memory="zeros")),
    ("sam-gru", lambda: sam(controller="gru", initial_memory="learned", initial_reads="learned", strengths="none")),
    ("sam-deep", lambda: sam(controller_layers=2, initial_controller="learned", initial_memory="random", squash=True)),
    ("sam-feedforward", lambda: sam(nearest=2, slots=6, initial_memory="learned", controller="feedforward")),
    ("sdnc-gru", lambda: sdnc(heads=1, controller="gru", initial_memory="learned", initial_reads="learned")),
    ("dam-last-access", lambda: dam(initial_memory="learned", usage="last_access", threshold=0.5, controller="rnn")),
    (
        "mann-gru",
        lambda: mann(controller="gru", initial_weights="zeros", initial_memory="learned", initial_reads="learned"),
    ),
    ("mann-keys", lambda: mann(add_keys=True, initial_weights="uniform", squash=False, usage_decay=0.5)),
    ("mann-programs", lambda: mann(programs=3)),
    ("mann-scheduled", lambda: mann(writing="uniform", writing_interval=2, hold_reads=False)),
    ("ntm-content-write-first", lambda: ntm(addressing="content", read_first=False, initial_memory="learned")),
    (
        "dnc-two-heads",
        lambda: dnc(usage_gradient=True, initial_controller="learned", initial_reads="learned", **TWO_HEADS),
    ),
    ("dnc-deep", lambda: dnc(layer_norm=True, controller_layers=2, usage_gradient=True, initial_memory="learned")),
    ("dnc-feedforward", lambda: dnc(controller="feedforward", squash=True, clip=None, usage_gradient=True)),
    (
        "dnc-improved",
        lambda: dnc(masked=True, mask_floor=0.1, deallocate=True, sharpen_links=True, usage_gradient=True),
    ),
    (
        "dnc-sparse",
        lambda: dnc(links="sparse", link_size=50, usage_gradient=True, strengths="softplus", usage_epsilon=1e-2),
    ),
    (
        "dnc-machine",
        lambda: reader(
            INPUT, 3, [dnc_interface(4, 2, 1)], [dnc_memory(3, 2, 1)], controller_size=4, embedding_size=None
        ),
    ),
    ("dnc-content", lambda: dnc(links="none", controller="gru", usage_gradient=True, product_epsilon=1e-3)),
    (
        "dnc-from-elsewhere-within-bounds",
        lambda: dnc(
            controller_layers=2,
            controller_shortcuts=False,
            controller_clip=0.2,
            output_clip=0.3,
            usage_gradient=True,
            initial_memory="even",
            initial_weights="random",
            initial_reads="constant",
        ),
    ),
]


BACKENDS = ("reference", "scan", "cpu")
ABSENT = {name for name in BACKENDS if backends()[name]}


def by_weight():
    """Return the cells as parameters: a form without its own class is tested by `make test-all` only."""
    known = set()
    for name, factory in CELLS:
        classes = {type(module) for module in factory().modules()}
        yield pytest.param(factory, id=name, marks=[] if classes - known else pytest.mark.every_form)
        known |= classes


FORMS = list(by_weight())


def runs_on(factory, backend):
    """Return whether a backend has its own implementation for a cell."""
    if backend in ABSENT:
        return False
    with use_backend(backend):
        return backend == "reference" or factory().fused(backend) is not None


RUNS = [
    pytest.param((form.values[0], backend), id=f"{form.id}-{backend}", marks=form.marks)
    for form in FORMS
    for backend in BACKENDS
    if runs_on(form.values[0], backend)
]


@pytest.fixture
def cells():
    """The whole list."""
    return CELLS


@pytest.fixture(params=FORMS)
def factory(request):
    """A function that builds a cell."""
    return request.param


@pytest.fixture(params=RUNS)
def run(request):
    """A function that builds a cell, and a backend that runs it."""
    return request.param


@pytest.fixture
def rebuilt(run):
    """The same cell built again, with its initial parameters."""
    return run[0]().double()


@pytest.fixture
def cell(run):
    """A cell in float64 with every parameter moved away from its initial value, on each backend that runs it."""
    factory, backend = run
    torch.manual_seed(1)
    cell = factory().double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    with use_backend(backend):
        yield cell


@pytest.fixture
def xs():
    torch.manual_seed(2)
    return torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
