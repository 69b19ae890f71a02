"""Sliding memory: a memory of the last inputs, which a constant query reads in hops."""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from memtape import ops
from memtape.core import checks, padding
from memtape.core.cell import Cell, FusedRun
from memtape.core.known_parts import are_linear
from memtape.core.state import state
from memtape.core.view import View, Views
from memtape.ops.sliding_window import band, read_windows, window_scores

QUERY = 0.1
"""Each entry of the query of the first hop, as in the published code."""

LEAST_CHUNK = 50
"""The least number of steps that are computed together."""


@state
class SlidingMemoryState:
    """The last inputs, and how many of them there are."""

    slots: Float[Tensor, "*batch slots input"]
    """The inputs, the newest last; zeros where there are none yet."""
    count: Float[Tensor, "*batch"]


class SlidingMemoryCell(Cell[SlidingMemoryState]):
    r"""Keep the last $M$ inputs, each a key $a$ and a value $c$, and read them in $K$ hops.

    $$p^k_i = \operatorname{softmax}_i\bigl(u^k \cdot (a_i + T^A_i)\bigr), \quad o^k = \sum_i p^k_i (c_i + T^C_i), \quad
    u^{k+1} = f(H u^k + o^k)$$

    $$u^1 = 0.1, \qquad y = W u^{K+1}$$

    where slot $i = M$ is the newest input, that of the current step, and $f$ applies a ReLU to the second half of the
    entries. Slots without an input take no part. Over whole sequences the steps are computed together, in chunks of half as
    many steps as there are slots; the windows of slots are not copied.

    Args:
        embedding_size: size of $a_i$, $c_i$ and $u$; an input is $a$ and $c$ one after the other.
        output_size: size of $y$.
        hops: $K$.
        memory_size: $M$.
        spread: standard deviation of the initial parameters.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the spread is not above 0.

    References:
        Sukhbaatar, Szlam, Weston & Fergus (2015), "End-to-end memory networks", arXiv:1503.08895, section 5.
    """

    def __init__(self, embedding_size: int, output_size: int, *, hops: int, memory_size: int, spread: float):
        super().__init__()
        sizes = {"embedding_size": embedding_size, "output_size": output_size, "hops": hops}
        checks.module_sizes(self, **sizes, memory_size=memory_size)
        checks.positive(spread=spread)
        self.input_size, self.output_size = 2 * embedding_size, output_size
        self.hops, self.memory_size = hops, memory_size
        self.key_times = nn.Parameter(torch.empty(memory_size, embedding_size))
        self.value_times = nn.Parameter(torch.empty(memory_size, embedding_size))
        self.turn = nn.Linear(embedding_size, embedding_size, bias=False)
        self.to_output = nn.Linear(embedding_size, output_size, bias=False)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=spread)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> SlidingMemoryState:
        """Return an empty memory."""
        return SlidingMemoryState(
            slots=torch.zeros(batch_size, self.memory_size, self.input_size, device=device, dtype=dtype),
            count=torch.zeros(batch_size, device=device, dtype=dtype),
        )

    def forward(
        self, x: Float[Tensor, "batch input"], state: SlidingMemoryState
    ) -> tuple[Float[Tensor, "batch output"], SlidingMemoryState]:
        """Add the input to the memory, and read it."""
        after = self._after(x, state)
        return self.to_output(self._read(after.slots, self._present(after.count[:, None]))[0])[:, 0], after

    def views(self, x: Float[Tensor, "batch input"], state: SlidingMemoryState) -> Views:
        """Return the weights of the slots in each hop."""
        after = self._after(x, state)
        _, weights = self._read(after.slots, self._present(after.count[:, None]))
        return (
            View(
                name="read_weights",
                title="Weights of the last inputs, one block for each hop",
                values=torch.cat(weights, dim=1),
                axes=("head", "slot"),
                scale="share",
                measure="weight",
            ),
        )

    def fused(self, backend: str) -> FusedRun[SlidingMemoryState] | None:
        """Return a run that computes the steps of a chunk of time together."""
        known = are_linear(self.turn, self.to_output, bias=False)
        return self._whole if backend in ("cpu", "scan") and known and not torch.compiler.is_compiling() else None

    def _whole(
        self, xs: Tensor, state: SlidingMemoryState, lengths: Tensor | None
    ) -> tuple[Tensor, SlidingMemoryState]:
        """Run over whole sequences; step t reads the slots t + 1 .. t + M of the old ones and the inputs together."""
        size, time = self.memory_size, xs.shape[1]
        slots = torch.cat([state.slots, xs.to(state.slots.dtype)], dim=1)
        counts = state.count.round()[:, None] + torch.arange(1, time + 1, device=xs.device)
        chunk, ys = max(size // 2, LEAST_CHUNK), []
        for first in range(0, time, chunk):
            end = min(first + chunk, time)
            present = self._present(counts[:, first:end])
            ys.append(self.to_output(self._read(slots[:, first + 1 : end + size], present)[0]))
        steps = torch.full(xs.shape[:1], time, device=xs.device) if lengths is None else lengths
        places = steps[:, None] + torch.arange(size, device=xs.device)
        last = SlidingMemoryState(
            slots=slots.gather(1, places[..., None].expand(-1, -1, self.input_size)),
            count=(state.count.round() + steps).clamp(max=size),
        )
        return padding.zero_beyond(torch.cat(ys, dim=1), lengths), last

    def _after(self, x: Tensor, state: SlidingMemoryState) -> SlidingMemoryState:
        """Return the memory with one more input."""
        return SlidingMemoryState(
            slots=torch.cat([state.slots[:, 1:], x[:, None].to(state.slots.dtype)], dim=1),
            count=(state.count.round() + 1).clamp(max=self.memory_size),
        )

    def _present(self, counts: Float[Tensor, "batch time"]) -> Bool[Tensor, "batch time window"]:
        """Return which slots hold an input after as many inputs."""
        return torch.arange(self.memory_size, device=counts.device) >= self.memory_size - counts[..., None]

    def _read(
        self, slots: Float[Tensor, "batch slots input"], present: Bool[Tensor, "batch time window"]
    ) -> tuple[Float[Tensor, "batch time embedding"], list[Tensor]]:
        """Return the last query of each step, and the weights of each hop."""
        keys, values = slots.chunk(2, dim=-1)
        floor = slots.new_zeros(keys.shape[-1])
        floor[: len(floor) // 2] = -torch.inf
        query = slots.new_full((1, 1, keys.shape[-1]), QUERY)
        # All queries of the first hop are equal, so that a slot has the same score in each window.
        content = band((query @ keys.mT).expand(-1, present.shape[1], -1))
        there = present.flatten(0, 1)
        weights: list[Tensor] = []
        for hop in range(self.hops):
            if hop:
                content = window_scores(query, keys)
            scores = content + functional.linear(query, self.key_times)
            weights.append(ops.attention_weights(scores.flatten(0, 1)[:, None], there).view_as(scores))
            found = read_windows(values, weights[-1]) + weights[-1] @ self.value_times
            query = (self.turn(query) + found).clamp(min=floor)
        return query, weights
