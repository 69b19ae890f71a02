"""pytorch-dnc: load weights of ixaxaar/pytorch-dnc, which is `pip install dnc`."""

import re
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from memtape.core import checks
from memtape.models.dnc.dnc import DNC
from memtape.ports.dnc_weights import ABRUPT_NORM, Layer, filled, reordered_modes
from memtape.ports.given import Given

INDEPENDENT = {
    "read_keys": "read_keys_transform",
    "read_strengths": "read_strengths_transform",
    "write_keys": "write_key_transform",
    "write_strengths": "write_strength_transform",
    "erase": "erase_vector_transform",
    "add": "write_vector_transform",
    "free_gates": "free_gates_transform",
    "allocation_gates": "allocation_gate_transform",
    "write_gates": "write_gate_transform",
    "read_modes": "read_modes_transform",
}
"""Blocks of the interface in the order of the joint linear layer, and the names of ten layers that may replace it."""

MODES = (0, 2, 1)
"""The positions of backward, content and forward in that code, whose order is backward, forward, content."""

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
"""The number of gates and candidates of a unit of each kind."""

KINDS: dict[str, Literal["lstm", "gru", "rnn"]] = {"lstm": "lstm", "gru": "gru", "rnn": "rnn"}


def dnc_from_pytorch_dnc(
    state_dict: Mapping[str, Tensor],
    *,
    slots: int,
    read_heads: int,
    read_feedback: bool = False,
    nonlinearity: str = "tanh",
    clip: float = 20.0,
) -> DNC:
    """Build the DNC whose outputs equal those of a `dnc.DNC` with this state dict.

    The controller of that machine does not receive its reads: within a call, every input is concatenated with the reads
    from before the call, which are zeros in a new sequence. This is the behaviour here unless `read_feedback` is set.
    Called step by step with the returned state, that controller receives its reads, as in the paper; `read_feedback`
    reproduces that.

    Its controller starts at random numbers in every call, this one at zeros; for equal outputs, pass the same state to
    both. It applies tanh to keys and write vectors, has strengths of at least 0, and lets gradients flow into the
    usage; here, these become options. It orders equal usages arbitrarily, which moves contents to other slots and
    changes no output.

    Args:
        state_dict: the tensors by their names in that layout; a machine with `num_layers=1`, any `num_hidden_layers`, and a
            controller of LSTM, GRU or tanh.
        slots: its `nr_cells`, which no tensor contains.
        read_heads: its `read_heads`.
        read_feedback: whether to reproduce its calls step by step rather than over whole sequences.
        nonlinearity: its `nonlinearity`, which no tensor contains; a controller of plain units must have tanh.
        clip: its `clip`, which no tensor contains, a bound of the controller's output but not of its state; 0 for none.
            From 1 on it is beyond the range of an LSTM, a GRU and tanh, and a smaller one has no equivalent here.

    Returns:
        A DNC of the dtype of the tensors.

    Raises:
        TypeError: a size is not an integer, or a tensor is none.
        ValueError: a tensor is missing or has a shape that does not fit the others, or the machine has no equivalent: it
            does several memory steps in one time step, is bidirectional, or has another nonlinearity or clip.

    References:
        https://github.com/ixaxaar/pytorch-dnc, version 1.1.0 of the package index; earlier versions normalise the modes
        along another axis.
    """
    given = Given(state_dict, "the state dict", "a DNC of pytorch-dnc", "pass model.state_dict() of one")
    checks.at_least(1, slots=slots)
    checks.at_least(0, read_heads=read_heads)
    kind, depth = _controller(given.tensors)
    _check_unknown(kind, nonlinearity, clip)
    theirs = f"{kind}_layer_0"
    size = given(f"{theirs}.weight_hh_l0", shape=(None, None)).shape[1]
    output = given.affine("output")
    inputs, read_size = len(output), output.shape[1] - 1 - size
    if read_size < 1 or read_heads < 1 or read_size % read_heads:
        raise ValueError(
            f"read_heads is {read_heads}, but the output of the machine reads {read_size} numbers from the memory, and all "
            "heads read equally many; give the read_heads that it was built with"
        )
    width = read_size // read_heads
    network = DNC(
        inputs,
        inputs,
        slots=slots,
        width=width,
        read_heads=read_heads,
        controller=KINDS[kind],
        controller_size=size,
        controller_layers=depth,
        controller_shortcuts=False,
        read_feedback=read_feedback,
        strengths="softplus",
        squash=True,
        clip=None,
        usage_gradient=True,
        usage_epsilon=1e-6,
        usage_tolerance=0.0,
        norm_epsilon=ABRUPT_NORM,
        product_epsilon=1e-6,
    )
    layers = [_layer(given, theirs, layer, inputs + read_size if layer == 0 else size, size) for layer in range(depth)]
    if not read_feedback:
        seen = layers[0].from_input
        layers[0] = layers[0]._replace(from_input=torch.cat([seen[:, :inputs], seen[:, -1:]], dim=1))
    interface = _interface(given, width, read_heads, size)
    interface["read_modes"] = reordered_modes(interface["read_modes"], read_heads=read_heads, order=MODES)
    return filled(network, layers, interface, output)


def _controller(state_dict: Mapping[str, Tensor]) -> tuple[str, int]:
    """Return the kind of the controller and its number of layers."""
    found = [match for key in state_dict if (match := re.match(r"(lstm|gru|rnn)_layer_(\d+)\.weight_ih_l(\d+)$", key))]
    layers = {int(match[2]) for match in found}
    if layers != {0}:
        raise ValueError(
            f"the state dict has controllers in layers {sorted(layers)}, but a DNC does one memory step with one controller in "
            "each time step; pass the state dict of a machine with num_layers=1"
        )
    if any(key.endswith("_reverse") for key in state_dict):
        raise ValueError(
            "the controller is bidirectional, but that of a DNC here reads forwards; pass the state dict of a machine with "
            "bidirectional=False"
        )
    kinds = sorted({match[1] for match in found})
    if len(kinds) > 1:
        raise ValueError(
            f"the state dict has controllers {' and '.join(kinds)}, but a machine has one; pass the state dict of one machine"
        )
    return kinds[0], len(found)


def _check_unknown(kind: str, nonlinearity: str, clip: float) -> None:
    """Check the options that no tensor contains."""
    if kind == "rnn" and nonlinearity != "tanh":
        raise ValueError(
            f"nonlinearity is {nonlinearity!r}, but the plain units of a DNC here compute tanh; port a machine with tanh"
        )
    if clip and not clip >= 1:
        raise ValueError(
            f"clip is {clip}, but a bound below 1 limits the controller's output and not its state, which a DNC here does "
            "not; port a machine with a clip of 0 or at least 1"
        )


def _layer(given: Given, theirs: str, layer: int, inputs: int, size: int) -> Layer:
    gates = GATES[theirs.partition("_")[0]]
    own = given(f"{theirs}.weight_hh_l{layer}", shape=(gates * size, size))
    weight = given(f"{theirs}.weight_ih_l{layer}", shape=(gates * size, inputs))
    if any(name.startswith(f"{theirs}.bias_") for name in given.tensors):
        biases = [given(f"{theirs}.bias_{kind}_l{layer}", shape=(len(weight),))[:, None] for kind in ("ih", "hh")]
    else:  # it was built with bias=False
        biases = [weight.new_zeros(len(weight), 1)] * 2
    return Layer(torch.cat([weight, biases[0]], dim=1), torch.cat([own, biases[1]], dim=1))


def _interface(given: Given, width: int, read_heads: int, size: int) -> dict[str, Tensor]:
    sizes = dict.fromkeys(INDEPENDENT, 1)
    sizes |= dict.fromkeys(("write_keys", "erase", "add"), width)
    sizes |= dict.fromkeys(("read_strengths", "free_gates"), read_heads)
    sizes |= {"read_keys": read_heads * width, "read_modes": 3 * read_heads}
    shared = "rnn_layer_memory_shared"
    theirs = shared if any(name.startswith(f"{shared}.") for name in given.tensors) else "rnn_layer_memory_0"
    if f"{theirs}.{INDEPENDENT['read_keys']}.weight" in given.tensors:
        return {
            block: given.affine(f"{theirs}.{name}", rows=sizes[block], columns=size)
            for block, name in INDEPENDENT.items()
        }
    rows = given.affine(f"{theirs}.interface_weights", rows=sum(sizes.values()), columns=size)
    return dict(zip(sizes, rows.split(list(sizes.values())), strict=True))
