"""Call the registered operators with random and with damaged arguments, in a build under the address sanitizer.

Usage: python tests/sanitize/operators.py FOLDER CASES, with a library of FOLDER that was compiled with the sanitizer, which
is preloaded. Each case runs a random network, and repeats its calls of memtape's operators with one or two arguments
damaged: other shapes, sizes up to 2^31 and beyond, dtypes, numbers of a form, and values of states and of saved data, among
them indices. A call may be refused by an error of Python. It must neither end the process nor access memory that is not its
own, which the sanitizer reports.
"""

import random
import sys
from pathlib import Path

import torch
from torch.utils._python_dispatch import TorchDispatchMode

import memtape
from memtape.core import compiled_library
from memtape.core.state_tree import leaves

REFUSALS = (ValueError, TypeError, RuntimeError, MemoryError, OverflowError)
SIZES = (0, 1, 2, 3, 7, 2**16, 2**31 - 4, 2**31 - 1, 2**31, 2**40)
VALUES = (float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 0.5, 3.0, 1e9, 2.0**31, -(2.0**31), 1e300)
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.bool)
BLOCK = 64
"""Largest number of entries of a tensor whose bits are damaged."""


class Calls(TorchDispatchMode):
    """Record the calls of memtape's operators, with their arguments."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.namespace == "memtape":
            self.calls.append((func, args))
        return func(*args, **(kwargs or {}))


def network(draw):
    """Return a random network of a model with kernels."""
    slots = draw.choice((1, 2, 5, 17, 64))
    few = min(slots, draw.choice((1, 2, 3)))
    shared = {"slots": slots, "width": draw.choice((1, 3, 8)), "controller_size": draw.choice((1, 4, 7))}
    shared |= {"controller_layers": draw.choice((1, 2)), "initial_memory": "random"}
    controller = {"controller": draw.choice(("lstm", "gru", "rnn", "feedforward"))}
    heads = {"read_heads": draw.choice((1, 2)), "write_heads": draw.choice((1, 2))}
    hidden = {"hidden_size": draw.choice((1, 4, 9))}
    sparse = {"heads": few, "nearest": few}
    own = {name: shared[name] for name in ("width", "controller_size", "controller_layers")} | controller
    machines = (
        (memtape.NTM, shared | controller | heads | {"addressing": draw.choice(("location", "content"))}),
        (memtape.NUTM, shared | controller | heads | {"programs": draw.choice((1, 3))}),
        (
            memtape.DNC,
            shared
            | controller
            | heads
            | {"sharpen_links": True, "masked": draw.choice((True, False)), "programs": draw.choice((None, 2))},
        ),
        (memtape.SAM, shared | controller | sparse),
        (memtape.SDNC, shared | controller | sparse),
    )
    stacks = (
        (memtape.StackRNN, own | {"stacks": few}),
        (draw.choice((memtape.StackLSTM, memtape.QueueLSTM, memtape.DequeLSTM)), own),
        (memtape.NSRNN, controller | {"vector_size": draw.choice((0, 2)), "window": draw.choice((None, 3))}),
    )
    tape = own | {"slots": slots}
    jumps = {"write_layers": 0, "tapes": few, "jump_length": draw.choice((0, 1, 4, 100))}
    tapes = ((memtape.TapeRNN, tape | jumps), (memtape.BabyNTM, tape))
    recurrent = (
        (memtape.StackedLSTM, hidden | {"peepholes": True, "layer_norm": draw.choice((True, False))}),
        (memtape.GRU, hidden | {"variant": draw.choice(("reset_after", "reset_before"))}),
        (memtape.Elman, hidden),
        (memtape.Jordan, hidden | {"feedback": draw.choice(("outputs", "argmax", "softmax"))}),
        (memtape.Leaky, hidden | {"recurrence": draw.choice(("full", "linear"))}),
        (memtape.LRU, hidden),
    )
    build, options = draw.choice((*machines, *stacks, *tapes, *recurrent))
    return build(draw.choice((1, 3)), draw.choice((1, 2)), **options).to(draw.choice((torch.float32, torch.float64)))


def calls_of(draw):
    """Return the calls of memtape's operators in the forward and the backward pass of a random network."""
    net = network(draw)
    batch, time, dtype = draw.choice((1, 2, 9)), draw.choice((1, 2, 20)), next(net.parameters()).dtype
    lengths = torch.randint(0, time + 1, (batch,)) if draw.random() < 0.5 else None
    state = net.init_state(batch, dtype=dtype)
    with Calls() as recorded:
        ys, last = net(torch.randn(batch, time, net.input_size, dtype=dtype), state, lengths=lengths)
        parts = [part for part in (ys, *leaves(last)) if part.requires_grad]
        sum(part.sum() for part in parts if draw.random() < 0.8 or part is ys).backward()
    return recorded.calls


def damaged_values(draw, tensor):
    """Return a tensor with some invalid values, or with random bits in some places."""
    changed = tensor.detach().clone()
    flat = changed.view(-1)
    if not flat.numel():
        return changed
    places = torch.randint(flat.numel(), (draw.randint(1, BLOCK),))
    if tensor.is_floating_point() and draw.random() < 0.5:
        words = {2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()]
        flat.view(words)[places] = torch.randint(-(2**31), 2**31 - 1, places.shape).to(words)
    else:
        wanted = draw.choice(VALUES) if tensor.is_floating_point() else draw.choice((-(2**62), -1, 7, 2**31, 2**62))
        flat[places] = torch.tensor(wanted, dtype=torch.float64 if tensor.is_floating_point() else torch.int64).to(
            tensor.dtype
        )
    return changed


def damaged_shape(draw, tensor):
    """Return a tensor of another shape, without memory for all of its numbers if it is large."""
    shape = list(tensor.shape)
    if shape and draw.random() < 0.8:
        shape[draw.randrange(len(shape))] = draw.choice(SIZES)
    else:
        shape.insert(draw.randint(0, len(shape)), draw.choice(SIZES))
    return tensor.new_zeros(()).expand(shape)


def retyped(draw, tensor):
    """Return a tensor of another dtype, without memory for all of its numbers if it is large."""
    if tensor.numel() >= 2**20:
        return torch.zeros((), dtype=draw.choice(DTYPES)).expand(tensor.shape)
    return tensor.detach().to(draw.choice(DTYPES))


def damaged(draw, argument):
    """Return a damaged argument of an operator."""
    if isinstance(argument, torch.Tensor):
        kind = draw.random()
        if kind < 0.6 and argument.numel() < 2**20:
            return damaged_values(draw, argument)
        return damaged_shape(draw, argument) if kind < 0.9 else retyped(draw, argument)
    if isinstance(argument, list) and argument:
        changed = list(argument)
        at = draw.randrange(len(changed))
        if isinstance(changed[at], bool):
            changed[at] = not changed[at]
        else:
            changed[at] = draw.choice(VALUES) if isinstance(changed[at], float) else draw.choice((-1, *SIZES))
        return changed if draw.random() < 0.9 else changed[:-1]
    return argument


def resized(draw, arguments):
    """Return arguments in which every tensor with an axis of some size has another size there, as if a form had it."""
    sizes = [size for given in arguments if isinstance(given, torch.Tensor) for size in given.shape if size > 1]
    if not sizes:
        return list(arguments)
    old, new = draw.choice(sizes), draw.choice(SIZES)
    return [
        given.new_zeros(()).expand([new if size == old else size for size in given.shape])
        if isinstance(given, torch.Tensor) and old in given.shape
        else given
        for given in arguments
    ]


def attempt(draw, operator, arguments):
    """Call an operator with damaged arguments; return whether it accepted them."""
    try:
        changed = resized(draw, arguments) if draw.random() < 0.2 else list(arguments)
        for _ in range(draw.choice((1, 1, 2))):
            at = draw.randrange(len(changed))
            changed[at] = damaged(draw, changed[at])
        with torch.no_grad():
            operator(*changed)
    except REFUSALS:
        return False
    return True


def main(folder, cases):
    """Run all cases, and print how many damaged calls were accepted and refused."""
    compiled_library.FOLDER = Path(folder)
    compiled_library.kernels.cache_clear()
    if compiled_library.kernels().absent:
        sys.exit(f"operators: {compiled_library.kernels().absent}")
    accepted = refused = 0
    for number in range(cases):
        draw = random.Random(number)
        torch.manual_seed(number)
        torch.set_num_threads(draw.choice((1, 2)))
        for operator, arguments in calls_of(draw):
            for _ in range(12):
                if attempt(draw, operator, arguments):
                    accepted += 1
                else:
                    refused += 1
    print(f"operators: {accepted} damaged calls ran, {refused} were refused", flush=True)
    if not accepted or not refused:
        sys.exit("operators: all damaged calls ended in the same way, so that nothing was tested")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
