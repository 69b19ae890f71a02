"""The port of pytorch-dnc's layout against an independent implementation of that machine in plain torch, from its
description.
"""

import dataclasses

import pytest
import torch
from torch.nn import functional

from memtape.cells.elman import HiddenState
from memtape.cells.lstm import LSTMState
from memtape.cells.stacked import StackedState
from memtape.ports import dnc_from_pytorch_dnc

INPUT, SLOTS, WIDTH, HIDDEN, BATCH, TIME = 4, 6, 5, 7, 3, 12
NETWORKS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
SMALL = 1e-6
F64 = torch.float64


def blocks_of(reads):
    """Return the rows of the interface, block by block."""
    return {
        "read_keys_transform": reads * WIDTH,
        "read_strengths_transform": reads,
        "write_key_transform": WIDTH,
        "write_strength_transform": 1,
        "erase_vector_transform": WIDTH,
        "write_vector_transform": WIDTH,
        "free_gates_transform": reads,
        "allocation_gate_transform": 1,
        "write_gate_transform": 1,
        "read_modes_transform": 3 * reads,
    }


def random_state_dict(kind="lstm", layers=2, reads=2, *, independent=False, memory="shared", dtype=F64):
    def draw(*shape):
        return (0.6 * torch.randn(*shape, dtype=F64)).to(dtype)

    tensors = {
        f"{kind}_layer_0.{name}": draw(*parameter.shape)
        for name, parameter in NETWORKS[kind](INPUT + reads * WIDTH, HIDDEN, layers).named_parameters()
    }
    rows = blocks_of(reads) if independent else {"interface_weights": sum(blocks_of(reads).values())}
    for name, size in rows.items():
        tensors[f"rnn_layer_memory_{memory}.{name}.weight"] = draw(size, HIDDEN)
        tensors[f"rnn_layer_memory_{memory}.{name}.bias"] = draw(size)
    tensors["output.weight"], tensors["output.bias"] = draw(INPUT, HIDDEN + reads * WIDTH), draw(INPUT)
    return tensors


def raw_parameters(tensors, hidden, reads):
    """Return the raw parameters of the heads by the names of the ten layers."""
    sizes = blocks_of(reads)
    (prefix,) = {name.split(".")[0] for name in tensors if name.startswith("rnn_layer_memory")}
    if f"{prefix}.interface_weights.weight" in tensors:
        weight, bias = (tensors[f"{prefix}.interface_weights.{part}"] for part in ("weight", "bias"))
        return dict(zip(sizes, (weight @ hidden + bias).split(list(sizes.values())), strict=True))
    return {name: tensors[f"{prefix}.{name}.weight"] @ hidden + tensors[f"{prefix}.{name}.bias"] for name in sizes}


def look_up(memory, key, strength):
    cosine = [row @ key / (row.norm() * key.norm() + SMALL) for row in memory]
    return torch.softmax(strength * torch.stack(cosine), dim=0)


def take_memory_step(raw, before, reads):
    """Return the reads and the memory after one step, for one row of the batch."""
    memory, links, precedence, read_weights, write_weights, usage = before
    usage = usage + (1 - usage) * write_weights
    for gate, weights in zip(torch.sigmoid(raw["free_gates_transform"]), read_weights, strict=True):
        usage = usage * (1 - gate * weights)

    raised = SMALL + (1 - SMALL) * usage
    allocation, taken = torch.zeros(SLOTS, dtype=F64), 1
    for slot in sorted(range(SLOTS), key=lambda slot: raised[slot].item()):
        allocation = allocation + (1 - raised[slot]) * taken * functional.one_hot(torch.tensor(slot), SLOTS)
        taken = taken * raised[slot]

    content = look_up(
        memory, torch.tanh(raw["write_key_transform"]), functional.softplus(raw["write_strength_transform"])
    )
    allocate = torch.sigmoid(raw["allocation_gate_transform"])
    write_weights = torch.sigmoid(raw["write_gate_transform"]) * (allocate * allocation + (1 - allocate) * content)
    erase, add = torch.sigmoid(raw["erase_vector_transform"]), torch.tanh(raw["write_vector_transform"])
    memory = memory * (1 - torch.outer(write_weights, erase)) + torch.outer(write_weights, add)

    both = write_weights[:, None] + write_weights[None, :]
    links = ((1 - both) * links + torch.outer(write_weights, precedence)) * (1 - torch.eye(SLOTS, dtype=F64))
    precedence = (1 - write_weights.sum()) * precedence + write_weights

    keys = torch.tanh(raw["read_keys_transform"]).view(reads, WIDTH)
    strengths = functional.softplus(raw["read_strengths_transform"])
    modes = torch.softmax(raw["read_modes_transform"].view(reads, 3), dim=-1)
    moved = []
    for key, strength, (back, on, by_content), weights in zip(keys, strengths, modes, read_weights, strict=True):
        moved.append(back * links.T @ weights + on * links @ weights + by_content * look_up(memory, key, strength))
    read_weights = torch.stack(moved)
    return (read_weights @ memory).flatten(), (memory, links, precedence, read_weights, write_weights, usage)


def run_their_machine(tensors, xs, first, kind, layers, reads, *, step_by_step):
    """Return the outputs for one sequence, given the initial state of its controller."""
    controller = NETWORKS[kind](INPUT + reads * WIDTH, HIDDEN, layers, dtype=F64)
    for name, parameter in controller.named_parameters():
        parameter.requires_grad_(False).copy_(tensors[f"{kind}_layer_0.{name}"])
    nothing = torch.zeros(SLOTS, dtype=F64)
    before = (
        torch.zeros(SLOTS, WIDTH, dtype=F64),
        torch.zeros(SLOTS, SLOTS, dtype=F64),
        nothing,
        torch.zeros(reads, SLOTS, dtype=F64),
        nothing,
        nothing,
    )
    state, seen, ys = first, torch.zeros(reads * WIDTH, dtype=F64), []
    for x in xs:
        hidden, state = controller(torch.cat([x, seen])[None], state)
        hidden = hidden[0].clamp(-20, 20)
        read, before = take_memory_step(raw_parameters(tensors, hidden, reads), before, reads)
        if step_by_step:
            seen = read
        ys.append(tensors["output.weight"] @ torch.cat([hidden, read]) + tensors["output.bias"])
    return torch.stack(ys)


def outputs_and_gradients(run, xs):
    xs = xs.clone().requires_grad_()
    ys = run(xs)
    (gradient,) = torch.autograd.grad(ys.square().sum(), xs)
    return ys.detach(), gradient


def compare(tensors, kind, layers, reads, *, step_by_step):
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    hidden, cell = torch.rand(2, BATCH, layers, HIDDEN, dtype=F64) - 0.5
    network = dnc_from_pytorch_dnc(tensors, slots=SLOTS, read_heads=reads, read_feedback=step_by_step)

    def ours(xs):
        initial = [
            LSTMState(hidden=hidden[:, layer], cell=cell[:, layer])
            if kind == "lstm"
            else HiddenState(hidden=hidden[:, layer])
            for layer in range(layers)
        ]
        controller = StackedState(layers=tuple(initial)) if layers > 1 else initial[0]
        return network(xs, dataclasses.replace(network.init_state(BATCH), controller=controller))[0]

    def theirs(xs):
        initial = [(hidden[row], cell[row]) if kind == "lstm" else hidden[row] for row in range(BATCH)]
        rows = zip(xs, initial, strict=True)
        return torch.stack(
            [run_their_machine(tensors, x, first, kind, layers, reads, step_by_step=step_by_step) for x, first in rows]
        )

    expected, gradient = outputs_and_gradients(theirs, xs)
    assert expected.std() > 0.05
    for own, wanted in zip(outputs_and_gradients(ours, xs), (expected, gradient), strict=True):
        torch.testing.assert_close(own, wanted, rtol=0, atol=1e-8)


@pytest.mark.parametrize("step_by_step", [False, True])
@pytest.mark.parametrize(("kind", "layers", "reads"), [("lstm", 1, 1), ("lstm", 2, 3), ("gru", 2, 2), ("rnn", 3, 1)])
def test_a_ported_machine_gives_the_same_outputs_and_gradients(kind, layers, reads, step_by_step):
    compare(random_state_dict(kind, layers, reads), kind, layers, reads, step_by_step=step_by_step)


@pytest.mark.parametrize("memory", ["shared", "0"])
def test_ten_separate_layers_and_a_separate_memory_are_found(memory):
    compare(random_state_dict("lstm", 1, 2, independent=True, memory=memory), "lstm", 1, 2, step_by_step=True)


def test_contents_of_small_norm_are_compared_like_theirs():
    tensors = random_state_dict("lstm", 1, 2, independent=True)
    tensors["rnn_layer_memory_shared.write_gate_transform.bias"] -= 10
    compare(tensors, "lstm", 1, 2, step_by_step=True)


def test_the_two_interpretations_of_that_machine_differ():
    tensors = random_state_dict()
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    whole, stepped = (
        dnc_from_pytorch_dnc(tensors, slots=SLOTS, read_heads=2, read_feedback=feedback)(xs)[0]
        for feedback in (False, True)
    )
    torch.testing.assert_close(whole[:, 0], stepped[:, 0], rtol=0, atol=1e-12)
    assert not torch.allclose(whole[:, 1:], stepped[:, 1:])


def test_a_ported_machine_has_the_dtype_of_its_tensors_and_shares_none_of_them():
    tensors = random_state_dict(dtype=torch.float32)
    network = dnc_from_pytorch_dnc(tensors, slots=SLOTS, read_heads=2)
    xs = torch.randn(2, 3, INPUT)
    expected, _ = network(xs)
    assert expected.dtype == torch.float32
    for value in tensors.values():
        value.zero_()
    assert torch.equal(network(xs)[0], expected)


@pytest.mark.parametrize(
    "name",
    [
        "lstm_layer_0.weight_hh_l0",
        "lstm_layer_0.weight_hh_l1",
        "lstm_layer_0.bias_ih_l1",
        "rnn_layer_memory_shared.interface_weights.bias",
        "output.weight",
        "output.bias",
    ],
)
def test_a_missing_tensor_is_named(name):
    tensors = random_state_dict()
    del tensors[name]
    with pytest.raises(ValueError, match=f"the state dict has no {name}, which a DNC of pytorch-dnc has; pass model"):
        dnc_from_pytorch_dnc(tensors, slots=SLOTS, read_heads=2)


@pytest.mark.parametrize("heads", [0, 3])
def test_a_mismatched_number_of_read_heads_is_refused(heads):
    message = (
        f"read_heads is {heads}, but the output of the machine reads 10 numbers from the memory, and all heads read"
    )
    with pytest.raises(ValueError, match=message):
        dnc_from_pytorch_dnc(random_state_dict(), slots=SLOTS, read_heads=heads)


def test_another_number_of_read_heads_does_not_fit_the_interface():
    message = (
        r"interface_weights\.weight has shape \(38, 7\), but to fit the other tensors it must be \(48, 7\) in a DNC"
    )
    with pytest.raises(ValueError, match=message):
        dnc_from_pytorch_dnc(random_state_dict(), slots=SLOTS, read_heads=1)


@pytest.mark.parametrize(("wrong", "found"), [("1", r"\[0, 1\]"), (None, r"\[\]")])
def test_a_machine_with_several_memory_steps_is_refused(wrong, found):
    tensors = random_state_dict()
    if wrong:
        tensors |= {f"lstm_layer_{wrong}.weight_ih_l0": torch.zeros(1)}
    else:
        tensors = {name: value for name, value in tensors.items() if not name.startswith("lstm")}
    message = f"the state dict has controllers in layers {found}, but a DNC does one memory step with one controller"
    with pytest.raises(ValueError, match=message):
        dnc_from_pytorch_dnc(tensors, slots=SLOTS, read_heads=2)
