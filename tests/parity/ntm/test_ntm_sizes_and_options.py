"""Named cases: sizes around the width of a vector register, and each option alone."""

import pytest
import torch

from memtape import AugmentedCell
from memtape.cells import ElmanCell, FeedforwardCell, LSTMCell, Shortcuts
from memtape.memory import TuringInterface, TuringMemory

# float64: both sides round at 1e-16; the worst of these cases is 1.3e-14.
EXACT = 1e-10
# float32: rounding of 6e-8, amplified over the steps; the worst of these cases is 6.7e-6.
SINGLE = 1e-4

SIZES = (1, 3, 63, 64, 100, 129)

OPTIONS = {
    "defaults": {},
    "gru": {"controller": "gru"},
    "rnn": {"controller": "rnn"},
    "feedforward": {"controller": "feedforward"},
    "two layers": {"controller_layers": 2},
    "three layers of gru": {"controller": "gru", "controller_layers": 3},
    "two feedforward layers": {"controller": "feedforward", "controller_layers": 2},
    "many heads": {"read_heads": 3, "write_heads": 4},
    "write first": {"read_first": False, "read_heads": 2, "write_heads": 3},
    "dot": {"similarity": "dot"},
    "shifts beyond the number of slots": {"slots": 3, "shift_range": 4},
    "by content": {"addressing": "content", "initial_memory": "random", "read_heads": 2, "write_heads": 2},
    "by content, write first": {"addressing": "content", "initial_memory": "learned", "read_first": False},
    "linear, without clip": {"squash": False, "clip": None, "initial_memory": "learned"},
    "tightly clipped": {"clip": 0.05, "initial_memory": "random"},
    "initial weights of zero": {"initial_weights": "zeros"},
    "no learned initial state": {
        "initial_weights": "one-hot",
        "initial_reads": "zeros",
        "initial_controller": "zeros",
    },
}

BATCH, TIME = 3, 9
EVERYTHING = {
    "lengths": torch.tensor([TIME, 1, 6]),
    "starts": torch.tensor([[t in starts for t in range(TIME)] for starts in [(0, 4), (0, 3), (2, 3, 8)]]),
    "checkpoint_every": 4,
}


def agree(machine, dtype, tolerance, batch=BATCH, time=TIME, run=None, **options):
    return machine.agree(dtype, tolerance, batch, time, run, **options)


both_dtypes = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, EXACT), (torch.float32, SINGLE)], ids=["float64", "float32"]
)


@both_dtypes
@pytest.mark.parametrize("slots", SIZES)
def test_any_number_of_slots_agrees(machine, dtype, tolerance, slots):
    agree(machine, dtype, tolerance, slots=slots, read_heads=2, shift_range=2)


@both_dtypes
@pytest.mark.parametrize("size", SIZES)
def test_any_controller_size_agrees(machine, dtype, tolerance, size):
    for controller in ("lstm", "gru"):
        agree(machine, dtype, tolerance, time=4, controller_size=size, controller=controller, moved=0.1)


@both_dtypes
@pytest.mark.parametrize("width", SIZES)
def test_any_width_agrees(machine, dtype, tolerance, width):
    agree(machine, dtype, tolerance, time=4, width=width, moved=0.1)


@pytest.mark.parametrize("batch", [1, 2, 7, 8, 9, 21])
def test_any_batch_agrees(machine, batch):
    agree(machine, torch.float64, EXACT, batch=batch, run={"lengths": torch.arange(batch) % TIME + 1})


@pytest.mark.parametrize("time", [1, 2, 7, 8, 9, 16, 17])
def test_any_time_agrees(machine, time):
    agree(machine, torch.float64, EXACT, time=time, read_first=False)
    agree(machine, torch.float64, EXACT, time=time)


@both_dtypes
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_option_agrees(machine, dtype, tolerance, options):
    agree(machine, dtype, tolerance, run=EVERYTHING, **options)


def test_an_empty_batch_runs(machine):
    network = machine.build()
    xs = torch.zeros(0, 4, network.input_size, dtype=torch.float64)
    found = machine.run("cpu", network, xs)
    assert found["outputs"].shape == (0, 4, network.output_size)
    machine.differences(found, machine.run("reference", network, xs))


def test_a_controller_with_shortcuts_agrees(machine):
    torch.manual_seed(0)
    memory = TuringMemory(6, 4, read_heads=2)
    seen = 3 + memory.read_size
    controller = Shortcuts([LSTMCell(seen, 5), LSTMCell(seen + 5, 5)])
    interface = TuringInterface(controller.output_size, 4, read_heads=2)
    network = machine.build()
    network.cell.machine = AugmentedCell(controller, interface, memory, input_size=3, output_size=2).double()
    assert network.cell.fused("cpu") is not None
    machine.compare(network, torch.randn(3, 9, 3, dtype=torch.float64), tolerance=EXACT)


@pytest.mark.parametrize(
    "controller",
    [
        lambda size: ElmanCell(size, 5, activation="relu"),
        lambda size: ElmanCell(size, 5, activation="sigmoid", bias=False),
        lambda size: FeedforwardCell(size, 5, activation="relu"),
        lambda size: FeedforwardCell(size, 5, activation="sigmoid", bias=False),
    ],
    ids=["relu", "sigmoid", "feedforward relu", "feedforward sigmoid"],
)
def test_other_units_and_outputs_of_the_hidden_vector_alone_agree(machine, controller):
    torch.manual_seed(0)
    memory = TuringMemory(6, 4)
    network = machine.build()
    network.cell.machine = AugmentedCell(
        controller(3 + memory.read_size),
        TuringInterface(5, 4),
        memory,
        input_size=3,
        output_size=2,
        reads_to_output=False,
        output_bias=False,
    ).double()
    assert network.cell.fused("cpu") is not None
    machine.compare(network, torch.randn(3, 9, 3, dtype=torch.float64), tolerance=EXACT)
