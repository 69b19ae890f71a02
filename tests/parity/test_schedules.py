"""Machines that access their memory in some steps: the kernels run the steps between accesses as those of the controller."""

import pytest
import torch

from memtape import DNC, NTM, SAM, use_backend
from memtape.models.machine.fused_schedule import FusedSchedule

# float64: both sides round at 1e-16; the worst of these cases is 3e-14.
EXACT = 1e-10
BATCH, TIME, STEPS = 4, 13, 9
NETWORKS = {
    "ntm": (NTM, {"slots": 4, "width": 3, "controller_size": 5, "initial_memory": "random"}),
    "dnc": (DNC, {"slots": 4, "width": 3, "controller_size": 5, "initial_memory": "random"}),
    "sam": (SAM, {"slots": 6, "width": 3, "controller_size": 5, "heads": 1, "nearest": 2, "initial_memory": "random"}),
}
SCHEDULES = {
    "uniform": {"writing": "uniform", "writing_interval": 3},
    "uniform in the source": {"writing": "uniform", "writing_interval": 4, "writing_steps": STEPS},
    "from zero": {"writing": "uniform", "writing_steps": STEPS, "writing_interval": 2, "writing_from_zero": True},
    "cached": {"writing": "cached", "writing_interval": 3},
    "cached in the source": {"writing": "cached", "writing_interval": 4, "writing_steps": STEPS},
    "cached from zero": {"writing": "cached", "writing_steps": STEPS, "writing_interval": 3, "writing_from_zero": True},
    "cached in every step": {"writing": "cached", "writing_interval": 1},
    "random": {"writing": "random", "writing_steps": STEPS, "writing_interval": 2},
}
RUNS = {
    "whole": {},
    "lengths": {"lengths": torch.tensor([TIME, 0, 4, 9])},
    "starts": {"starts": torch.tensor([[t in starts for t in range(TIME)] for starts in [(0, 4), (), (7,), (2, 3)]])},
    "recomputed": {"checkpoint_every": 5, "lengths": torch.tensor([2, TIME, 7, 1])},
}


def network(name, schedule, **options):
    model, sizes = NETWORKS[name]
    torch.manual_seed(3)
    made = model(3, 2, **(sizes | SCHEDULES[schedule] | options)).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made


def after(made, steps):
    """Return the states after different numbers of steps of the rows of a batch."""
    xs = torch.randn(len(steps), max(steps), 3, dtype=torch.float64)
    with use_backend("reference"), torch.no_grad():
        return made(xs, lengths=torch.tensor(steps))[1]


@pytest.mark.parametrize("how", RUNS)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", ["ntm", "dnc"])
def test_the_kernels_agree_with_the_steps(machine, name, schedule, how):
    made = network(name, schedule)
    assert isinstance(made.cell.fused("cpu"), FusedSchedule)
    xs = torch.randn(BATCH, TIME, 3, dtype=torch.float64)
    machine.compare(made, xs, tolerance=EXACT, **RUNS[how])


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", ["ntm", "dnc"])
def test_rows_that_have_taken_different_numbers_of_steps_agree(machine, name, schedule):
    made = network(name, schedule)
    xs = torch.randn(5, TIME, 3, dtype=torch.float64)
    for steps in ([4, 4, 4, 4, 4], [1, 5, 2, 5, 12]):
        machine.compare(made, xs, after(made, steps), tolerance=EXACT, lengths=torch.tensor([TIME, 3, 8, 0, TIME]))


@pytest.mark.parametrize("schedule", ["uniform", "random", "cached in the source"])
def test_a_sparse_memory_agrees(machine, schedule):
    made = network("sam", schedule)
    assert isinstance(made.cell.fused("cpu"), FusedSchedule)
    machine.compare(made, torch.randn(BATCH, TIME, 3, dtype=torch.float64), tolerance=EXACT, **RUNS["lengths"])


def test_a_controller_of_two_layers_agrees(machine):
    torch.manual_seed(2)
    made = NTM(3, 2, slots=4, width=3, controller_size=5, controller_layers=2, writing="uniform", writing_interval=3)
    machine.compare(made.double(), torch.randn(2, 7, 3, dtype=torch.float64), tolerance=EXACT)


@pytest.mark.parametrize("controller", ["gru", "rnn"])
def test_attention_replaces_the_hidden_vector_of_every_recurrent_controller(machine, controller):
    made = network("ntm", "cached in the source", controller=controller, initial_controller="learned")
    xs, lengths = torch.randn(5, TIME, 3, dtype=torch.float64), torch.tensor([TIME, 3, 8, 0, TIME])
    machine.compare(made, xs, after(made, [1, 5, 2, 5, 12]), tolerance=EXACT, lengths=lengths)


def test_sizes_above_those_of_registers_agree(machine):
    made = network("dnc", "cached", writing_interval=17, cache_attention_size=21, controller_size=40)
    assert isinstance(made.cell.fused("cpu"), FusedSchedule)
    xs = torch.randn(9, 45, 3, dtype=torch.float64)
    machine.compare(made, xs, after(made, [20, *range(8)]), tolerance=EXACT, lengths=torch.tensor([45] * 8 + [30]))


def test_other_attention_runs_step_by_step():
    made = network("ntm", "cached")
    made.cell.machine.attention.score = torch.nn.Linear(16, 1, dtype=torch.float64)
    assert made.cell.fused("cpu") is None


def test_an_empty_batch_has_empty_results():
    for schedule in ("uniform", "cached"):
        ys, state = network("ntm", schedule)(torch.zeros(0, 5, 3, dtype=torch.float64))
        assert ys.shape == (0, 5, 2)
        assert state.count.shape == (0,)


@pytest.mark.parametrize("schedule", ["uniform", "random", "cached"])
def test_gradients_match_finite_differences(machine, schedule):
    machine.gradients_match_finite_differences(network("ntm", schedule), without="count")


def test_reads_between_writes_run_step_by_step():
    made = NTM(3, 2, slots=4, width=3, writing="uniform", writing_interval=2, hold_reads=False)
    assert made.cell.fused("cpu") is None
