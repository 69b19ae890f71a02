"""The equations of the recurrence in single steps, and the comparison of the fused recurrence with them."""

import pytest
import torch
from torch.nn import functional

from memtape.kernels.recurrence import KERNELS, RecurrenceForm, RecurrenceParameters, RecurrenceState

EXACT = 1e-10
"""float64: both sides round at 1e-16; the worst of these cases is 3e-13."""

EPSILON = 1e-5
ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}
BLOCKS = {"lstm": 4, "gru": 3, "early_gru": 3}
KINDS = ("lstm", "gru", "plain", "early_gru", "output")
OUTPUT = 6

FLOOR = 1e-3
"""Added to the largest entry of a tensor before errors are divided by it."""

FORMS = {
    "lstm": (RecurrenceForm(kind="lstm", epsilon=EPSILON), {"normal": True, "peepholes": True}),
    "gru": (RecurrenceForm(kind="gru", epsilon=EPSILON), {"normal": True, "bias": True}),
    "plain": (RecurrenceForm(kind="plain", activation="relu"), {"leak": True}),
    "early gru": (RecurrenceForm(kind="early_gru", activation="sigmoid", epsilon=EPSILON), {"normal": True}),
    "output": (RecurrenceForm(kind="output", feedback="softmax"), {"bias": True}),
}
"""One form of each kind with many of its options."""


def fed_back(outputs, feedback):
    if feedback == "argmax":
        return functional.one_hot(outputs.argmax(dim=-1), outputs.shape[-1]).to(outputs.dtype)
    return {"outputs": lambda: outputs, "softmax": lambda: outputs.softmax(-1), "sigmoid": outputs.sigmoid}[feedback]()


def step(form, p, given, fed, cell):
    """Return the outputs of one step, the fed-back vector, and the cell."""
    act, size = ACTIVATIONS[form.activation], given.shape[-1] // BLOCKS.get(form.kind, 1)

    def product(vector, first, last_row):
        total = vector @ p.weight[first:last_row].T
        if p.gain is not None:
            total = functional.layer_norm(total, [last_row - first], p.gain[first:last_row], eps=form.epsilon)
        return total if p.bias is None else total + p.bias[first:last_row]

    if form.kind == "lstm":
        write, keep, candidate, show = (given + product(fed, 0, 4 * size)).chunk(4, -1)
        if p.peepholes is not None:
            write, keep = write + p.peepholes[0] * cell, keep + p.peepholes[1] * cell
        cell = keep.sigmoid() * cell + write.sigmoid() * act(candidate)
        if p.peepholes is not None:
            show = show + p.peepholes[2] * cell
        shown = cell
        if p.cell_gain is not None:
            shown = functional.layer_norm(cell, [size], p.cell_gain, p.cell_bias, form.epsilon)
        hidden = show.sigmoid() * shown.tanh()
        return hidden, hidden, cell
    if form.kind in ("gru", "early_gru"):
        reset, update = (given[:, : 2 * size] + product(fed, 0, 2 * size)).sigmoid().chunk(2, -1)
        late = form.kind == "gru"
        own = reset * product(fed, 2 * size, 3 * size) if late else product(reset * fed, 2 * size, 3 * size)
        hidden = (1 - update) * act(given[:, 2 * size :] + own) + update * fed
        return hidden, hidden, cell
    hidden = act(given + product(fed, 0, size))
    if form.kind == "output":
        outputs = hidden @ p.output_weight.T + p.output_bias
        return outputs, fed_back(outputs, form.feedback), cell
    if p.leak is not None:
        hidden = p.leak * fed + (1 - p.leak) * hidden
    return hidden, hidden, cell


def stepped(form, p, state, given, lengths):
    """Run single steps, row by row, up to the length of each row."""
    batch, time = given.shape[:2]
    lengths = torch.full((batch,), time) if lengths is None else lengths
    fed, cell, outputs = state.fed, state.cell, []
    for t in range(time):
        y, moved, moved_cell = step(form, p, given[:, t], fed, cell)
        alive = (lengths > t)[:, None]
        fed = torch.where(alive, moved, fed)
        cell = None if cell is None else torch.where(alive, moved_cell, cell)
        outputs.append(torch.where(alive, y, torch.zeros((), dtype=y.dtype)))
    return torch.stack(outputs, 1), RecurrenceState(fed=fed, cell=cell)


def drawn(kind, hidden, *, batch, time, dtype=torch.float64, normal=False, bias=False, peepholes=False, leak=False):
    """Return random parameters, state and inputs of one kind."""
    gates, fed = BLOCKS.get(kind, 1) * hidden, OUTPUT if kind == "output" else hidden

    def random(*shape, scale=0.4, mean=0.0):
        return (mean + scale * torch.randn(*shape, dtype=dtype)).requires_grad_()

    lstm, output = kind == "lstm", kind == "output"
    parameters = RecurrenceParameters(
        weight=random(gates, fed, scale=1 / fed**0.5),
        gain=random(gates, mean=1.0) if normal else None,
        bias=random(gates) if bias else None,
        peepholes=random(3, hidden) if peepholes else None,
        cell_gain=random(hidden, mean=1.0) if normal and lstm else None,
        cell_bias=random(hidden) if normal and lstm else None,
        leak=torch.rand(hidden, dtype=dtype).requires_grad_() if leak else None,
        output_weight=random(OUTPUT, hidden) if output else None,
        output_bias=random(OUTPUT) if output else None,
    )
    state = RecurrenceState(fed=random(batch, fed), cell=random(batch, hidden) if lstm else None)
    return parameters, state, random(batch, time, gates, scale=1.0)


def run(implementation, form, parameters, state, given, lengths):
    """Return the outputs, the last state, and the gradients of all inputs, by name."""
    inputs = {"given": given} | vars(parameters) | vars(state)
    inputs = {name: tensor for name, tensor in inputs.items() if tensor is not None}
    ys, last = implementation(form, parameters, state, given, lengths)
    found = {"outputs": ys} | {f"last {name}": tensor for name, tensor in vars(last).items() if tensor is not None}
    generator = torch.Generator().manual_seed(7)
    total = sum(
        (part * torch.randn(part.shape, generator=generator, dtype=part.dtype)).sum() for part in found.values()
    )
    gradients = torch.autograd.grad(total, list(inputs.values()), allow_unused=True, materialize_grads=True)
    return found | {f"gradient of {name}": one for name, one in zip(inputs, gradients, strict=True)}


def agree(form, drawing, lengths=None, tolerance=EXACT):
    """Raise an error unless the fused recurrence agrees with the equations; return the largest relative error."""
    expected = run(stepped, form, *drawing, lengths)
    actual = run(KERNELS["cpu"], form, *drawing, lengths)
    assert actual.keys() == expected.keys()
    worst = {}
    for name, wanted in expected.items():
        assert actual[name].shape == wanted.shape, name
        assert actual[name].dtype == wanted.dtype, name
        if wanted.numel():
            worst[name] = float((actual[name] - wanted).detach().abs().amax() / (wanted.detach().abs().amax() + FLOOR))
    assert all(error <= tolerance for error in worst.values()), worst
    return max(worst.values(), default=0.0)


class Tools:
    """The functions above, for the tests of this folder."""

    kinds = KINDS
    forms = FORMS
    drawn = staticmethod(drawn)
    run = staticmethod(run)
    agree = staticmethod(agree)
    fused = staticmethod(KERNELS["cpu"])


@pytest.fixture(scope="session")
def recurrence():
    return Tools
