"""A memory defined outside of the library is drawn in a report through its one method `views`."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape import Copy
from memtape.cells import GRUCell
from memtape.cli.main import run
from memtape.core.memory import Interface, Memory
from memtape.core.recurrent import Recurrent
from memtape.core.state import state
from memtape.core.view import View
from memtape.experiments.inspection import tape_of
from memtape.experiments.open_run import open_run
from memtape.experiments.report import write_run_report
from memtape.models.machine.augmented import AugmentedCell
from memtape.viz.figures import tape_figure

DEPTH, WIDTH = 5, 3
TINY = [
    *(
        "--task.bits",
        "2",
        "--task.max-length",
        "3",
        "--train.batch-size",
        "2",
        "--train.steps",
        "1",
        "--train.device",
        "cpu",
    ),
    *("--train.validate-every", "1", "--train.validation-sequences", "2", "--model.slots", "6", "--model.width", "4"),
]


@state
class StackState:
    contents: Float[Tensor, "*batch depth width"]


@state
class StackControl:
    actions: Float[Tensor, "*batch actions"]
    value: Float[Tensor, "*batch width"]


class StackMemory(Memory[StackState, StackControl]):
    """Push, pop or keep a stack, each with its probability; Joulin & Mikolov (2015), arXiv:1503.01007."""

    read_size = WIDTH

    def init_state(self, batch_size, *, device=None, dtype=None):
        return StackState(contents=torch.zeros(batch_size, DEPTH, WIDTH, device=device, dtype=dtype))

    def address(self, control, state):
        return state

    def write(self, control, state):
        contents = state.contents
        push, pop, leave = control.actions[:, :, None, None].unbind(1)
        pushed = torch.cat([control.value[:, None], contents[:, :-1]], dim=1)
        popped = torch.cat([contents[:, 1:], torch.zeros_like(contents[:, :1])], dim=1)
        return StackState(contents=push * pushed + pop * popped + leave * contents)

    def read(self, state):
        return state.contents[:, 0]

    def forward(self, control, state):
        after = self.write(control, state)
        return self.read(after), after

    def views(self, control, state):
        top, after = self(control, state)
        names = ("push", "pop", "leave")
        actions = {"axes": ("action",), "scale": "level", "measure": "probability", "entries": names}
        values = {"scale": "signed", "measure": "value"}
        return (
            View(name="actions", title="Actions", values=control.actions, **actions),
            View(name="top", title="Top", values=top, axes=("width",), **values),
            View(name="contents", title="Stack", values=after.contents, axes=("depth", "width"), **values),
        )


class StackInterface(Interface[StackControl]):
    def __init__(self, hidden_size):
        super().__init__()
        self.linear = nn.Linear(hidden_size, 3 + WIDTH)

    def forward(self, hidden):
        actions, value = self.linear(hidden).split([3, WIDTH], dim=-1)
        return StackControl(actions=actions.softmax(-1), value=value.tanh())


@pytest.fixture
def network():
    torch.manual_seed(0)
    task = Copy(bits=2, max_length=3)
    sizes = {"input_size": task.input_size, "output_size": task.output_size}
    controller = GRUCell(task.input_size + WIDTH, 4)
    return Recurrent(AugmentedCell(controller, StackInterface(4), StackMemory(), **sizes)), task


def test_its_views_are_drawn_over_time_and_its_matrix_at_the_end(network):
    tape = tape_of(*network, length=3, seed=0)
    figure = tape_figure(tape)
    axes = {axes.get_label(): axes for axes in figure.axes}
    assert [view.name for view in tape.views] == ["actions", "top", "contents"]
    for label, values in (("Actions", tape.view("actions").T), ("Top", tape.view("top").T)):
        assert (axes[label].images[0].get_array() == values).all()
    assert (axes["Stack at end"].images[0].get_array() == tape.view("contents")[0]).all()
    assert [label.get_text() for label in axes["Actions"].get_yticklabels()] == ["push", "pop", "leave"]
    assert tape.view("contents")[0, 0] == pytest.approx(tape.view("top")[-1])


def test_a_report_draws_it_like_the_memories_of_the_library(network, tmp_path):
    assert run(["train", "ntm", "copy", *TINY, "--out", str(tmp_path / "run")]) == 0
    opened, experiment, _, task = open_run(tmp_path / "run", {})
    before = (opened.figures / "memory.png").read_bytes()
    page = write_run_report(opened, experiment, network[0].eval(), task).read_text()
    assert "inputs, outputs, targets, actions, top; below, after the last step: stack." in page
    assert (opened.figures / "memory.png").read_bytes() != before


def test_a_memory_without_views_is_refused_when_it_is_built():
    class Silent(StackMemory):
        views = Memory.views

    with pytest.raises(TypeError, match=r"abstract.*views"):
        Silent()


def test_a_memory_without_drawn_views_has_no_figure(network, monkeypatch):
    monkeypatch.setattr(StackMemory, "views", lambda self, control, state: ())
    assert tape_of(*network, length=3, seed=0) is None


def test_a_view_that_contradicts_its_scale_is_refused(network, monkeypatch):
    honest = StackMemory.views

    def views(self, control, state):
        (actions, *others) = honest(self, control, state)
        return (View(**{**vars(actions), "values": 9 * actions.values}), *others)

    monkeypatch.setattr(StackMemory, "views", views)
    with pytest.raises(
        ValueError, match=r"actions of the tape spans .*, but it must lie in 0\.\.1; pass such numbers, or a view"
    ):
        tape_of(*network, length=3, seed=0)
