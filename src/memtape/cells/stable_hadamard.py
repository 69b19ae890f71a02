"""Stable Hadamard: a matrix memory that is multiplied by a matrix of gates, entry by entry, at each step."""

from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from memtape.core import checks, padding
from memtape.core.cell import Cell, FusedRun
from memtape.core.known_parts import are_linear, are_norms
from memtape.core.starts import Starts, StartsInside
from memtape.core.state import NoState, state
from memtape.core.view import View, Views
from memtape.kernels.scan import ENGINES, Diagonal, ScanEngine
from memtape.ops import random_index

EPSILON = 1e-5
"""Added to the sum by which keys and queries are divided."""

PERIOD = 2**24
"""Number of counts, which float32 represents exactly; after the last one comes 0."""


@state
class StableHadamardState:
    """The memory, and the count from which the next row is drawn."""

    memory: Float[Tensor, "*batch value key"]
    count: Any
    """Integers as floats, one for each sequence; `NoState` without draws."""


class _Step(NamedTuple):
    """What one step does to the memory: the gates, what is added, and the query."""

    gates: Float[Tensor, "*batch value key"]
    added: Float[Tensor, "*batch value key"]
    query: Float[Tensor, "*batch key"]


class StableHadamardCell(Cell[StableHadamardState]):
    r"""Update a matrix by a gate for each of its entries, and read it with a query; the output is the reading.

    $$M_t = C_t \odot M_{t-1} + \eta_t v_t k_t^\top, \qquad C_t = 1 + \tanh(\theta_{l_t} c_t^\top), \qquad
    y_t = M_t q_t$$

    Values $v_t$, gate inputs $c_t$ and the write strength $\eta_t = \sigma(w^\top \bar x_t)$ are linear maps of the
    layer-normalised input $\bar x_t$; keys and queries are rectified linear maps, divided by their sum. The gates are between
    0 and 2: entries above 1 amplify, and none changes a sign. $\theta_{l_t}$ is a row of a learned table. With different rows
    at different steps the products of gates over many steps stay near 1 in expectation, since tanh is odd; with one row they
    may grow by up to 2 in each step. `state_clamp` bounds the memory in any case.

    With `row` "random", the row of each step is drawn uniformly, anew for each sequence and step. It is a function of a
    count, which is part of the state and increases by 1 with each step: the same state gives the same result, however a
    sequence is cut into chunks. In training, a new state has a random count, drawn from torch's generator. In evaluation its
    count is 0: the rows vary from step to step as in training, but are the same in all sequences and calls.

    Without a clamp the step is linear in the memory, so sequences run in parallel over time. Products of gates are computed
    as they are, without logarithms: over single steps on the CPU, and over at most 32 steps by operations of torch, where a
    product is at most $2^{32}$. A clamp makes the step nonlinear, and sequences run step by step.

    Args:
        input_size: size of $x_t$.
        memory_size: number of rows and of columns of $M_t$, the size of $y_t$.
        rows: number of rows of the table.
        row: "random", a row drawn at each step, or "first", the first row at all steps.
        state_clamp: largest magnitude of an entry of $M_t$, to which entries are clamped after each step; None for no limit.
        shortcut: add a linear map of $\bar x_t$ to the output.

    Raises:
        ValueError: a size is below 1, `row` is unknown, or the clamp is not above 0.

    References:
        Le, Do, Nguyen, Gupta & Venkatesh (2025), "Stable Hadamard memory: revitalizing memory-augmented agents for
        reinforcement learning", arXiv:2410.10132, section 3, and the authors' code.
    """

    def __init__(
        self,
        input_size: int,
        memory_size: int,
        *,
        rows: int = 128,
        row: Literal["random", "first"] = "random",
        state_clamp: float | None = None,
        shortcut: bool = False,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, memory_size=memory_size, rows=rows)
        checks.one_of(("random", "first"), row=row)
        if state_clamp is not None:
            checks.positive(state_clamp=state_clamp)
        self.input_size, self.output_size = input_size, memory_size
        self.row, self.state_clamp = row, state_clamp
        self.norm = nn.LayerNorm(input_size)
        self.to_key = nn.Linear(input_size, memory_size, bias=False)
        self.to_query = nn.Linear(input_size, memory_size, bias=False)
        self.to_value = nn.Linear(input_size, memory_size, bias=False)
        self.to_gate = nn.Linear(input_size, memory_size, bias=False)
        self.to_strength = nn.Linear(input_size, 1, bias=False)
        self.table = nn.Parameter(nn.init.xavier_uniform_(torch.empty(rows, memory_size)))
        self.to_output = nn.Linear(input_size, memory_size, bias=False) if shortcut else None

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> StableHadamardState:
        """Return a memory of zeros and, with random rows, a random count in training and a count of 0 in evaluation."""
        size = self.output_size
        memory = torch.zeros(batch_size, size, size, device=device, dtype=dtype)
        if self.row == "first":
            return StableHadamardState(memory=memory, count=NoState())
        count = memory.new_zeros(batch_size)
        if self.training:
            count = torch.randint(PERIOD, (batch_size,), device=device).to(count.dtype)
        return StableHadamardState(memory=memory, count=count)

    def forward(
        self, x: Float[Tensor, "batch input"], state: StableHadamardState
    ) -> tuple[Float[Tensor, "batch output"], StableHadamardState]:
        """Take one step."""
        normed = self.norm(x)
        step = self._step(normed, self._row(state.count))
        memory = step.gates * state.memory + step.added
        if self.state_clamp is not None:
            memory = memory.clamp(-self.state_clamp, self.state_clamp)
        count = state.count if self.row == "first" else torch.remainder(state.count + 1, PERIOD)
        return self._output(normed, memory, step.query), StableHadamardState(memory=memory, count=count)

    def drawn_rows(self, count: Float[Tensor, "*batch"]) -> Int[Tensor, "*batch"]:
        """Return the index of the row that is drawn at each count."""
        return random_index(count.round().long(), len(self.table))

    def views(self, x: Float[Tensor, "batch input"], state: StableHadamardState) -> Views:
        """Return the write strength, the gates of the step, and the memory after it."""
        step = self._step(self.norm(x), self._row(state.count))
        _, after = self(x, state)
        axes = ("value", "key")
        return (
            View(
                name="write_strength",
                title="Write strength",
                values=self.to_strength(self.norm(x)).sigmoid(),
                axes=("gate",),
                scale="level",
                measure="gate",
            ),
            View(name="gates", title="Gates", values=step.gates, axes=axes, scale="amount", measure="factor"),
            View(name="memory", title="Memory", values=after.memory, axes=axes, scale="signed", measure="value"),
        )

    def fused(self, backend: str) -> FusedRun[StableHadamardState] | None:
        """Return a run in parallel over time, None if a clamp makes the step nonlinear."""
        scan = ENGINES.get(backend)
        maps = [self.to_key, self.to_query, self.to_value, self.to_gate, self.to_strength]
        known = are_norms(self.norm) and are_linear(*maps, *filter(None, [self.to_output]), bias=False)
        if scan is None or type(self) is not StableHadamardCell or self.state_clamp is not None or not known:
            return None
        return StartsInside(partial(self._scanned, scan))

    def _scanned(
        self,
        scan: ScanEngine,
        xs: Tensor,
        state: StableHadamardState,
        lengths: Tensor | None,
        starts: Starts[StableHadamardState] | None,
    ) -> tuple[Tensor, StableHadamardState]:
        normed = self.norm(xs)
        counts, count = (state.count, state.count) if self.row == "first" else _counted(xs, state, lengths, starts)
        steps = self._step(normed, self._row(counts))
        memories, last = scan(
            Diagonal(decay=steps.gates.flatten(-2), added=steps.added.flatten(-2)),
            state.memory.flatten(1),
            lengths,
            starts and starts.of(starts.state.memory.flatten(1)),
        )
        shape = state.memory.shape[1:]
        ys = self._output(normed, memories.unflatten(-1, shape), steps.query)
        after = StableHadamardState(memory=last.unflatten(-1, shape), count=count)
        return padding.zero_beyond(ys, lengths), after

    def _row(self, count: Any) -> Float[Tensor, "*batch value"]:
        """Return the row of the table that is used at each count."""
        return self.table[0] if self.row == "first" else functional.embedding(self.drawn_rows(count), self.table)

    def _step(self, normed: Float[Tensor, "*batch input"], row: Float[Tensor, "*rows value"]) -> _Step:
        """Return what the steps with these inputs and rows do."""
        value = self.to_strength(normed).sigmoid() * self.to_value(normed)
        return _Step(
            gates=1 + torch.tanh(_outer(row, self.to_gate(normed))),
            added=_outer(value, _shares(self.to_key(normed))),
            query=_shares(self.to_query(normed)),
        )

    def _output(self, normed: Tensor, memory: Tensor, query: Tensor) -> Float[Tensor, "*batch output"]:
        y = (memory @ query.unsqueeze(-1)).squeeze(-1)
        return y if self.to_output is None else y + self.to_output(normed)


def _outer(
    first: Float[Tensor, "*rows value"], second: Float[Tensor, "*batch key"]
) -> Float[Tensor, "*batch value key"]:
    return first.unsqueeze(-1) * second.unsqueeze(-2)


def _shares(x: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key"]:
    """Return rectified numbers divided by their sum."""
    positive = x.relu()
    return positive / (EPSILON + positive.sum(-1, keepdim=True))


def _counted(
    xs: Tensor, state: StableHadamardState, lengths: Tensor | None, starts: Starts[StableHadamardState] | None
) -> tuple[Float[Tensor, "batch time"], Float[Tensor, " batch"]]:
    """Return the count before each step, and that after each row's last step."""
    place = torch.arange(xs.shape[1], device=xs.device)
    before = state.count[:, None] + place
    if starts is not None:
        latest = torch.where(starts.steps, place, -1).cummax(1).values
        before = torch.where(latest < 0, before, starts.state.count[:, None] + (place - latest))
    before = torch.remainder(before, PERIOD)
    if lengths is None:
        return before, torch.remainder(before[:, -1] + 1, PERIOD)
    last = before.gather(1, (lengths - 1).clamp(min=0)[:, None])[:, 0]
    return before, torch.where(lengths > 0, torch.remainder(last + 1, PERIOD), state.count)
