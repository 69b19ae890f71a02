"""Exported program: a network as a program of torch, with free sizes of batch and time."""

from itertools import count
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export

from memtape.core import checks
from memtape.core.backends import use_backend
from memtape.core.growth import growing_axes, with_room
from memtape.deploy.plain_module import PlainModule, Sequences, Step

What = Literal["step", "sequences"]
MODULES: dict[str, type[PlainModule]] = {"step": Step, "sequences": Sequences}


def program(network: Any, what: What = "step", *, symbols: bool = False, kernels: bool = False) -> ExportedProgram:
    """Export a network as a program that `torch.export.save` writes and any torch loads.

    The sizes of batch and time are free. The arguments of the program are those of `memtape.deploy.Step` and
    `memtape.deploy.Sequences`; the state is a tuple of tensors. The program has a copy of the weights, without gradients.

    Before whole sequences are exported, all compiled code of `torch.compile` in this process is dropped, and compiled again
    when it is called: what earlier exports left there would fix the sizes of this one.

    Args:
        network: the network, in evaluation mode.
        what: "step" for a single step, "sequences" for whole sequences with lengths.
        symbols: whether the inputs are symbols, integers of 64 bits, instead of vectors.
        kernels: call memtape's fused kernels for the CPU, which are faster than the operations of torch; such a program
            needs `import memtape` before it is loaded.

    Raises:
        BackendError: kernels were requested, but are absent.
        TypeError: the network is not one over sequences.
        ValueError: the network is in training mode, or `what` is unknown.

    Example:
        >>> import memtape, torch
        >>> from memtape.deploy import program
        >>> step = program(memtape.GRU(input_size=3, output_size=2).eval())
        >>> y, state = step.module()(torch.zeros(7, 3), (torch.zeros(7, 128),))
        >>> y.shape
        torch.Size([7, 2])
    """
    checks.one_of(tuple(MODULES), what=what)
    module = MODULES[what](network).eval()
    given, free = example_of(module, symbols=symbols)
    if what == "sequences":
        torch._dynamo.reset()
    with use_backend("cpu" if kernels else "reference"), torch.no_grad():
        exported = export(module, given, dynamic_shapes=free)
    weights = exported.state_dict
    for name, _ in module.named_parameters():
        weights[name] = nn.Parameter(weights[name].detach().clone(), requires_grad=False)
    return exported


def example_of(module: PlainModule, *, symbols: bool) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return arguments of a plain module, and which of their sizes are free.

    Args:
        module: the module.
        symbols: whether the inputs are symbols.
    """
    network, rows, steps = module.network, Dim("batch"), Dim("time")
    batch, time, cells = _unlike(module)
    state = module.form.flat(with_room(module.form.rebuilt(module.init_state(batch)), cells))
    like: Tensor = next((leaf for leaf in (*network.parameters(), *state) if leaf.is_floating_point()), torch.zeros(()))
    places = (batch,) if isinstance(module, Step) else (batch, time)
    if symbols:
        xs = torch.zeros(places, dtype=torch.int64, device=like.device)
    else:
        xs = torch.zeros(*places, network.input_size, dtype=like.dtype, device=like.device)
    grown = Dim("cells")
    of_state = tuple(
        {0: rows} | {leaf.ndim + axis: grown for axis in axes}
        for leaf, axes in zip(state, growing_axes(module.form.rebuilt(state)), strict=True)
    )
    if isinstance(module, Step):
        return (xs, state), ({0: rows}, of_state)
    lengths = torch.full((batch,), time, device=like.device)
    return (xs, lengths, state), ({0: rows, 1: steps}, {0: rows}, of_state)


def _unlike(module: PlainModule) -> tuple[int, int, int]:
    """Return sizes of batch, time and the axes of a state that grow, which no axis of a parameter or of the state has.

    The tracer takes a free size for a fixed one if it meets a fixed size with the same value.
    """
    tensors = (*module.parameters(), *module.buffers(), *module.init_state(1))
    fixed = {size for tensor in tensors for size in tensor.shape} | {
        module.network.input_size,
        module.network.output_size,
    }
    free = (size for size in count(5) if size not in fixed)
    return next(free), next(free), next(free)
