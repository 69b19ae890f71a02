"""Every port finds tensors under the names of wrappers, and refuses tensors that do not fit in one sentence."""

import re

import numpy as np
import pytest
import torch
from torch import nn

import memtape
from memtape.ports import dnc_from_csordas_dnc, dnc_from_deepmind_dnc, dnc_from_pytorch_dnc, ntm_from_pytorch_ntm

INPUT, SLOTS, WIDTH, HIDDEN, READS = 4, 6, 5, 7, 2
READ = READS * WIDTH
MACHINES = ["pytorch-dnc", "pytorch-ntm", "csordas", "deepmind"]


def shapes_of(machine):
    """Return the shapes of all tensors of a machine with one layer."""
    if machine == "pytorch-dnc":
        rnn = nn.LSTM(INPUT + READ, HIDDEN).named_parameters()
        shapes = {f"lstm_layer_0.{name}": parameter.shape for name, parameter in rnn}
        rows = READ + READS + 3 * WIDTH + 3 + READS + 3 * READS
        return (
            shapes
            | affine("rnn_layer_memory_shared.interface_weights", rows, HIDDEN)
            | affine("output", INPUT, HIDDEN + READ)
        )
    if machine == "pytorch-ntm":
        rnn = nn.LSTM(INPUT + WIDTH, HIDDEN).named_parameters()
        shapes = {f"ntm.controller.lstm.{name}": parameter.shape for name, parameter in rnn}
        shapes |= dict.fromkeys(("ntm.controller.lstm_h_bias", "ntm.controller.lstm_c_bias"), (1, 1, HIDDEN))
        shapes |= {"ntm.memory.mem_bias": (SLOTS, WIDTH), "ntm.read0_bias": (1, WIDTH)}
        shapes |= affine("ntm.heads.0.fc_read", WIDTH + 6, HIDDEN) | affine(
            "ntm.heads.1.fc_write", 3 * WIDTH + 6, HIDDEN
        )
        return shapes | affine("ntm.fc", INPUT, HIDDEN + WIDTH)
    if machine == "csordas":
        rows = 3 * WIDTH + READS + 3 + READ + READS + 3 * READS + 2 * READS
        shapes = affine("controller.in_to_all_0", 4 * HIDDEN, INPUT + READ)
        shapes |= {"controller.out_to_all_0.weight": (4 * HIDDEN, HIDDEN)}
        shapes |= affine("controller_to_controls", rows, HIDDEN) | affine("controller_to_out", INPUT, HIDDEN)
        return shapes | affine("read_to_out", INPUT, READ)
    sizes = {
        "read_keys": READ,
        "read_strengths": READS,
        "write_keys": WIDTH,
        "write_strengths": 1,
        "read_mode": 3 * READS,
    }
    sizes |= {"erase_vectors": WIDTH, "write_vectors": WIDTH, "free_gate": READS, "allocation_gate": 1, "write_gate": 1}
    shapes = {f"memory_access/{name}/w": (HIDDEN, size) for name, size in sizes.items()}
    shapes |= {f"memory_access/{name}/b": (size,) for name, size in sizes.items()}
    shapes |= {"lstm/w_gates": (INPUT + READ + HIDDEN, 4 * HIDDEN), "lstm/b_gates": (4 * HIDDEN,)}
    return shapes | {"output_linear/w": (HIDDEN + READ, INPUT), "output_linear/b": (INPUT,)}


def affine(name, rows, columns):
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def tensors_of(machine):
    return {name: torch.randn(shape) for name, shape in shapes_of(machine).items()}


def ported(machine, tensors, **options):
    if machine == "pytorch-ntm":
        return ntm_from_pytorch_ntm(tensors, **options)
    if machine == "deepmind":
        return dnc_from_deepmind_dnc(tensors, slots=SLOTS, **options)
    port = dnc_from_pytorch_dnc if machine == "pytorch-dnc" else dnc_from_csordas_dnc
    return port(tensors, **({"slots": SLOTS, "read_heads": READS} | options))


@pytest.mark.parametrize("machine", MACHINES[:3])
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_names_of_wrappers_are_left_out(machine, prefix):
    tensors = tensors_of(machine)
    xs = torch.randn(2, 3, INPUT)
    expected = ported(machine, tensors)(xs)[0]
    assert torch.equal(ported(machine, {prefix + name: value for name, value in tensors.items()})(xs)[0], expected)
    inside = {name.replace(".", "._orig_mod.", 1): value for name, value in tensors.items()}
    assert torch.equal(ported(machine, inside)(xs)[0], expected)


def wrong_values(value):
    """Return values that cannot replace a tensor."""
    return {
        "nothing": None,
        "text": "weights",
        "integers": value.long(),
        "a number": torch.tensor(1.0),
        "one more axis": value[None],
        "one axis": value.flatten() if value.ndim > 1 else value[:, None],
        "one more row": torch.cat([value, value[:1]]),
        "no rows": value[:0],
        "one more column": torch.cat([value, value[..., :1]], dim=-1),
        "no columns": value[..., :0],
        "an array of objects": np.array([None, 1]),
    }


@pytest.mark.parametrize("machine", MACHINES)
def test_every_tensor_that_is_missing_or_does_not_fit_is_refused_in_one_sentence(machine, shapes_unchecked):
    whole = tensors_of(machine)
    ported(machine, whole)
    missed = []
    for name, value in whole.items():
        cases = [("missing", {other: tensor for other, tensor in whole.items() if other != name})]
        cases += [(case, whole | {name: wrong}) for case, wrong in wrong_values(value).items()]
        for case, tensors in cases:
            try:
                ported(machine, tensors)
            except (TypeError, ValueError) as error:
                if "\n" in str(error) or "; " not in str(error):
                    missed.append((name, case, str(error)))
            except Exception as error:
                missed.append((name, case, repr(error)))
            else:
                if (name, case) not in FITTING.get(machine, ()):
                    missed.append((name, case, "was taken"))
    assert missed == []


FITTING = {
    "pytorch-ntm": {
        ("ntm.memory.mem_bias", "one more row"),
        ("ntm.controller.lstm.weight_ih_l0", "one more column"),
    },
    "csordas": {("controller.in_to_all_0.weight", "one more column")},
    "deepmind": {("lstm/w_gates", "one more row")},
}
"""What makes another machine: one with one more slot, or with one more input."""


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("given", [None, nn.Linear(2, 3), [torch.zeros(1)], {3: torch.zeros(1)}])
def test_what_maps_no_names_to_tensors_is_refused(machine, given, shapes_unchecked):
    with pytest.raises(TypeError, match=r"but (it|they) must map names to (tensors|arrays); pass"):
        ported(machine, given)


@pytest.mark.parametrize("machine", ["pytorch-dnc", "csordas"])
@pytest.mark.parametrize("option", ["slots", "read_heads"])
@pytest.mark.parametrize("value", [2.0, "2", None, True])
def test_sizes_are_integers(machine, option, value, shapes_unchecked):
    with pytest.raises(TypeError, match=re.escape(f"{option} is {value!r}, but it must be an integer")):
        ported(machine, tensors_of(machine), **{option: value})


def test_a_controller_without_biases_has_zeros():
    tensors = tensors_of("pytorch-dnc")
    zeros = {name: value * (0 if ".bias_" in name else 1) for name, value in tensors.items()}
    without = {name: value for name, value in tensors.items() if ".bias_" not in name}
    xs = torch.randn(2, 3, INPUT)
    assert torch.equal(ported("pytorch-dnc", without)(xs)[0], ported("pytorch-dnc", zeros)(xs)[0])


def test_a_controller_of_pytorch_dnc_without_an_equivalent_is_refused(shapes_unchecked):
    tensors = tensors_of("pytorch-dnc")
    ported("pytorch-dnc", tensors, nonlinearity="relu", clip=1)  # an LSTM has no nonlinearity, and never exceeds 1
    plain = {
        name.replace("lstm_", "rnn_"): value[:HIDDEN] if name.startswith("lstm") else value
        for name, value in tensors.items()
    }
    assert isinstance(ported("pytorch-dnc", plain), memtape.DNC)
    with pytest.raises(
        ValueError, match="nonlinearity is 'relu', but the plain units of a DNC here compute tanh; port"
    ):
        ported("pytorch-dnc", plain, nonlinearity="relu")
    for clip in (0.5, -1.0, float("nan")):
        with pytest.raises(
            ValueError, match=f"clip is {clip}, but a bound below 1 limits the controller's output and not"
        ):
            ported("pytorch-dnc", tensors, clip=clip)
    ported("pytorch-dnc", tensors, clip=0)
    with pytest.raises(
        ValueError, match="the controller is bidirectional, but that of a DNC here reads forwards; pass"
    ):
        ported("pytorch-dnc", tensors | {"lstm_layer_0.weight_ih_l0_reverse": torch.zeros(1)})
    with pytest.raises(
        ValueError, match="the state dict has controllers gru and lstm, but a machine has one; pass the"
    ):
        ported("pytorch-dnc", tensors | {"gru_layer_0.weight_ih_l0": torch.zeros(1)})
