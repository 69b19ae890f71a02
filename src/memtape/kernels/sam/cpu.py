"""CPU: the Sparse Access Memory, with or without links, in C++ (csrc/machines/sam.cpp).

Memory and links are changed in place. The data saved for the backward pass does not depend on the number of slots, and
the gradient of the initial memory is computed only if needed.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from memtape.kernels.in_place import InPlace, is_one_zero
from memtape.kernels.machine import MachineOperator
from memtape.kernels.sam.form import SAMForm, SAMState

LINKS = ("before_places", "before_weights", "after_places", "after_weights", "last_places", "last_weights")


def _measure(sizes: Any, state: Mapping[str, Tensor] | None) -> None:
    """Set which parts of a state are zero everywhere, and the largest number of slots that a head has read before."""
    sizes.first_nearest = sizes.nearest
    if state is None:
        return
    sizes.empty, sizes.unread, sizes.unused = (is_one_zero(state[name]) for name in ("memory", "read_weights", "usage"))
    sizes.unlinked = all(is_one_zero(state[name]) for name in LINKS if name.endswith("weights"))
    if not sizes.unread and state["read_weights"].numel():
        sizes.first_nearest = max(sizes.nearest, int((state["read_weights"] != 0).sum(-1).amax()))


sam_on_cpu = MachineOperator(
    "sam",
    SAMForm,
    SAMState,
    InPlace(
        parts=("memory", "read_weights", "usage", *LINKS),
        differentiable=("memory", "read_weights"),
        measured=("first_nearest",),
        flags=("empty", "unread", "unused", "unlinked"),
        addresses=("memory", "rolled_back"),
        measure=_measure,
    ),
)
