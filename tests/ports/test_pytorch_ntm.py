"""The port of pytorch-ntm's layout against an independent implementation of that machine in plain torch, from its
description.
"""

import pytest
import torch
from torch.nn import functional

from memtape.ports import ntm_from_pytorch_ntm

INPUT, OUTPUT, SLOTS, WIDTH, HIDDEN, BATCH, TIME = 4, 3, 7, 5, 6, 3, 12
F64 = torch.float64


def random_state_dict(layers, pairs, dtype=F64):
    """Return a machine of that layout with every tensor random, at the scale of trained weights."""

    def draw(*shape):
        return (0.5 * torch.randn(*shape, dtype=F64)).to(dtype)

    tensors = {
        "ntm.controller.lstm_h_bias": draw(layers, 1, HIDDEN),
        "ntm.controller.lstm_c_bias": draw(layers, 1, HIDDEN),
    }
    for layer in range(layers):
        below = INPUT + pairs * WIDTH if layer == 0 else HIDDEN
        tensors[f"ntm.controller.lstm.weight_ih_l{layer}"] = draw(4 * HIDDEN, below)
        tensors[f"ntm.controller.lstm.weight_hh_l{layer}"] = draw(4 * HIDDEN, HIDDEN)
        tensors[f"ntm.controller.lstm.bias_ih_l{layer}"] = draw(4 * HIDDEN)
        tensors[f"ntm.controller.lstm.bias_hh_l{layer}"] = draw(4 * HIDDEN)
    contents = draw(SLOTS, WIDTH)
    for pair in range(pairs):
        for head, kind, rows in ((2 * pair, "read", WIDTH + 6), (2 * pair + 1, "write", 3 * WIDTH + 6)):
            tensors[f"ntm.heads.{head}.fc_{kind}.weight"] = draw(rows, HIDDEN)
            tensors[f"ntm.heads.{head}.fc_{kind}.bias"] = draw(rows)
            tensors[f"ntm.heads.{head}.memory.mem_bias"] = contents
        tensors[f"ntm.read{pair}_bias"] = draw(1, WIDTH)
    tensors["ntm.fc.weight"], tensors["ntm.fc.bias"] = draw(OUTPUT, HIDDEN + pairs * WIDTH), draw(OUTPUT)
    tensors["ntm.memory.mem_bias"] = tensors["memory.mem_bias"] = contents
    return tensors


def focus(raw, memory, previous):
    """Return a head's new weights, for one row of the batch."""
    key, strength, gate = raw[:WIDTH], raw[WIDTH], raw[WIDTH + 1]
    steps, exponent = raw[WIDTH + 2 : WIDTH + 5], raw[WIDTH + 5]
    similarity = functional.cosine_similarity(memory + 1e-16, key[None] + 1e-16, dim=-1)
    content = torch.softmax(functional.softplus(strength) * similarity, dim=0)
    gate = torch.sigmoid(gate)
    blended = gate * content + (1 - gate) * previous
    forwards, stay, backwards = torch.softmax(steps, dim=0)
    moved = torch.stack(
        [forwards * blended[i - 1] + stay * blended[i] + backwards * blended[(i + 1) % SLOTS] for i in range(SLOTS)]
    )
    powers = moved ** (1 + functional.softplus(exponent))
    return powers / (powers.sum() + 1e-16)


def run_their_machine(tensors, xs, layers, pairs):
    """Return the outputs for one sequence, after the sigmoid."""
    controller = torch.nn.LSTM(INPUT + pairs * WIDTH, HIDDEN, layers, dtype=F64)
    controller.load_state_dict(
        {
            name.removeprefix("ntm.controller.lstm."): value
            for name, value in tensors.items()
            if name.startswith("ntm.controller.lstm.")
        }
    )
    state = tensors["ntm.controller.lstm_h_bias"], tensors["ntm.controller.lstm_c_bias"]
    memory = tensors["memory.mem_bias"].clone()
    weights = [torch.zeros(SLOTS, dtype=F64) for _ in range(2 * pairs)]
    reads = [tensors[f"ntm.read{pair}_bias"][0] for pair in range(pairs)]
    ys = []
    for x in xs:
        hidden, state = controller(torch.cat([x, *reads])[None, None], state)
        hidden = hidden[0, 0]
        for head in range(2 * pairs):
            kind = "write" if head % 2 else "read"
            layer = f"ntm.heads.{head}.fc_{kind}."
            raw = tensors[layer + "weight"] @ hidden + tensors[layer + "bias"]
            weights[head] = focus(raw, memory, weights[head])
            if kind == "read":
                reads[head // 2] = weights[head] @ memory
            else:
                erase, add = torch.sigmoid(raw[WIDTH + 6 : 2 * WIDTH + 6]), raw[2 * WIDTH + 6 :]
                memory = memory * (1 - torch.outer(weights[head], erase)) + torch.outer(weights[head], add)
        ys.append(torch.sigmoid(tensors["ntm.fc.weight"] @ torch.cat([hidden, *reads]) + tensors["ntm.fc.bias"]))
    return torch.stack(ys).detach()


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_a_ported_machine_gives_the_same_outputs(pairs, layers):
    tensors = random_state_dict(layers, pairs)
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    logits, _ = ntm_from_pytorch_ntm(tensors)(xs)
    expected = torch.stack([run_their_machine(tensors, row, layers, pairs) for row in xs])
    assert expected.std() > 0.05
    torch.testing.assert_close(torch.sigmoid(logits), expected, rtol=0, atol=1e-8)


def test_a_ported_machine_has_the_dtype_of_its_tensors():
    network = ntm_from_pytorch_ntm(random_state_dict(1, 1, dtype=torch.float32))
    ys, _ = network(torch.randn(2, 3, INPUT))
    assert ys.dtype == torch.float32


def test_the_memory_is_found_under_either_of_its_names():
    tensors = random_state_dict(1, 1)
    xs = torch.randn(1, 3, INPUT, dtype=F64)
    expected, _ = ntm_from_pytorch_ntm(tensors)(xs)
    del tensors["memory.mem_bias"]
    assert torch.equal(ntm_from_pytorch_ntm(tensors)(xs)[0], expected)


def test_the_state_dict_is_copied():
    tensors = random_state_dict(1, 1)
    network = ntm_from_pytorch_ntm(tensors)
    xs = torch.randn(1, 3, INPUT, dtype=F64)
    expected, _ = network(xs)
    for value in tensors.values():
        value.zero_()
    assert torch.equal(network(xs)[0], expected)


@pytest.mark.parametrize(
    "name",
    [
        "ntm.controller.lstm_h_bias",
        "ntm.controller.lstm_c_bias",
        "ntm.controller.lstm.weight_ih_l0",
        "ntm.controller.lstm.weight_hh_l1",
        "ntm.controller.lstm.bias_ih_l1",
        "ntm.controller.lstm.bias_hh_l0",
        "ntm.heads.1.fc_write.bias",
        "ntm.heads.0.fc_read.bias",
        "ntm.fc.weight",
        "ntm.fc.bias",
        "ntm.read1_bias",
    ],
)
def test_a_missing_tensor_is_named(name):
    tensors = random_state_dict(2, 2)
    del tensors[name]
    message = f"the state dict has no {name}, which an EncapsulatedNTM of pytorch-ntm has; pass model.state_dict"
    with pytest.raises(ValueError, match=message):
        ntm_from_pytorch_ntm(tensors)


def test_a_missing_memory_is_named():
    tensors = random_state_dict(1, 1)
    del tensors["memory.mem_bias"], tensors["ntm.memory.mem_bias"]
    with pytest.raises(ValueError, match=r"the state dict has no memory\.mem_bias"):
        ntm_from_pytorch_ntm(tensors)


@pytest.mark.parametrize(("lost", "left"), [((0,), r"\[1, 2, 3\]"), ((3,), r"\[0, 1, 2\]"), (range(4), r"\[\]")])
def test_heads_must_be_numbered_in_pairs_from_0(lost, left):
    tensors = random_state_dict(1, 2)
    tensors = {n: v for n, v in tensors.items() if not any(n.startswith(f"ntm.heads.{head}.") for head in lost)}
    with pytest.raises(
        ValueError, match=f"the state dict has heads {left}, but this layout counts read and write heads"
    ):
        ntm_from_pytorch_ntm(tensors)
