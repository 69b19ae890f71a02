"""Nondeterministic stack: all runs of a weighted pushdown automaton at once, and the interface to its operations."""

import math
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from memtape import ops
from memtape.core import checks
from memtape.core.memory import Interface, Memory
from memtape.core.state import state
from memtape.core.transforms import transforming
from memtape.core.view import View, Views
from memtape.memory.control import HeadParameters

Reading = Literal["states", "symbols"]
READINGS = ("states", "symbols")
Bottom = Literal["learned", "ones", "zeros"]
BOTTOMS = ("learned", "ones", "zeros")

OPERATIONS = ("push", "replace", "pop")


@state
class NondeterministicStackState:
    """The weights of all runs, scaled so that those of the last time sum to about 1; times from the latest to the earliest."""

    growing: ClassVar = {"table": (-6, -2), "sources": -3}

    table: Float[Tensor, "*batch symbols sources states symbols_below parts targets states_above"]
    """The blocks of `memtape.ops.stack_column`."""
    sources: Float[Tensor, "*batch sources states symbols"]
    """The weights of all runs at each earlier time, by state and top symbol."""
    tops: Float[Tensor, "*batch states symbols parts"]
    """The same at the last time, and the sums of the vectors in the top cells."""
    exponent: Float[Tensor, "*batch"]
    """The exponent of the power of 2 by which `tops` has been divided."""


@state
class LimitedStackState:
    """The same, without what lies further back than the window; it does not grow."""

    table: Float[Tensor, "*batch symbols sources states symbols_below parts targets states_above"]
    sources: Float[Tensor, "*batch sources states symbols"]
    tops: Float[Tensor, "*batch states symbols parts"]
    exponent: Float[Tensor, "*batch"]


AnyStackState = NondeterministicStackState | LimitedStackState


@state
class NondeterministicStackControl:
    """The weights of all operations, not negative and divided by a factor with the given logarithm; the pushed vector."""

    push: Float[Tensor, "*batch states symbols states symbols"]
    replace: Float[Tensor, "*batch states symbols states symbols"]
    pop: Float[Tensor, "*batch states symbols states"]
    pushed: Float[Tensor, "*batch vector"]
    log_scale: Float[Tensor, "*batch"]


class NondeterministicStack(Memory[AnyStackState, NondeterministicStackControl]):
    r"""Run a weighted pushdown automaton along all of its runs, and read the distribution of state and top symbol.

    In each step every run takes one operation: it pushes a symbol, replaces the top symbol or pops it, and moves to a state.
    An operation from state q with top symbol x has a weight, and the weight of a run is the product of the weights of its
    operations. With the total weight $\alpha_t[r, y]$ of all runs in state r with top symbol y the reading is

    $$\alpha_t[r, y] / \textstyle\sum_{r', y'} \alpha_t[r', y']$$

    or, with vectors, the sum over all these runs of the vector in the top cell, divided by the same number. Runs start in
    state 0 with the bottom symbol 0, which can be replaced and uncovered, but not popped. If no run has a weight, the
    reading is 0. `memtape.ops.stack_column` has the recurrence.

    All weights of a step are divided by the same power of 2, which does not change the reading, so that no logarithms are
    needed and integer weights remain exact; `weights` and `log_weights` return the weights without this division.

    A sequence of n steps needs memory proportional to n^2, and time proportional to n^3.

    Args:
        states: number of states.
        symbols: number of stack symbols, including the bottom symbol.
        vector_size: size of the vector in each cell; 0 for symbols alone.
        reading: read the distribution over "states" and symbols, or over "symbols" alone.
        bottom: vector of the bottom cell: "learned" (sigmoid of trained parameters), "ones" or "zeros".
        window: number of steps after which a run is dropped in which the top cell has not been pushed; None for no limit.
            Sequences that are not longer than the window are not affected. The state then has a fixed size.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the vector size is below 0, or a choice is unknown.

    References:
        DuSell & Chiang (2023), "The surprising computational power of nondeterministic stack RNNs", arXiv:2210.01343;
        without vectors and with another rule of the bottom: (2020), arXiv:2010.04674, and (2022), arXiv:2109.01982.
    """

    def __init__(
        self,
        states: int = 2,
        symbols: int = 2,
        *,
        vector_size: int = 0,
        reading: Reading = "states",
        bottom: Bottom = "learned",
        window: int | None = None,
    ):
        super().__init__()
        checks.module_sizes(self, states=states, symbols=symbols)
        checks.at_least(0, vector_size=vector_size)
        checks.one_of(READINGS, reading=reading)
        checks.one_of(BOTTOMS, bottom=bottom)
        if window is not None:
            checks.at_least(1, window=window)
        self.states, self.symbols, self.vector_size = states, symbols, vector_size
        self.reading: Reading = reading
        self.window = window
        self.of_bottom: Bottom = bottom
        self.bottom = nn.Parameter(torch.zeros(vector_size)) if bottom == "learned" and vector_size else None
        self.read_size = (states if reading == "states" else 1) * symbols * max(vector_size, 1)

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> AnyStackState:
        """Return the state of one run of weight 1, in state 0 with the bottom symbol on the stack."""
        one = torch.ones(1, device=device, dtype=dtype)
        if self.bottom is not None:
            vector = torch.sigmoid(self.bottom).to(one)
        else:
            vector = one.new_full((self.vector_size,), float(self.of_bottom == "ones"))
        first = torch.cat([one, vector])
        cells = 1 if self.window is None else self.window + 1
        states, symbols = self.states, self.symbols
        tops = functional.pad(first.view(1, 1, -1), (0, 0, 0, symbols - 1, 0, states - 1))
        sources = functional.pad(one.view(1, 1, 1), (0, symbols - 1, 0, states - 1, 0, cells - 1))
        block = first.view(1, 1, 1, 1, -1, 1, 1)
        room = [states, cells, 1, symbols, states, cells, symbols]
        table = functional.pad(block, [size for axis in room for size in (0, axis - 1)])
        kind = NondeterministicStackState if self.window is None else LimitedStackState
        return kind(
            table=table.expand(batch_size, *table.shape),
            sources=sources.expand(batch_size, *sources.shape),
            tops=tops.expand(batch_size, *tops.shape),
            exponent=one.new_zeros(batch_size),
        )

    def address(self, control: NondeterministicStackControl, state: AnyStackState) -> AnyStackState:
        """Return the state: a stack has no weights of addressing."""
        return state

    def write(self, control: NondeterministicStackControl, state: AnyStackState) -> AnyStackState:
        """Let every run take one operation."""
        column, sources = self._column(control, state)
        column = column.sum(1)
        tops = ops.stack_tops(column, sources)
        power = _power_of_2(tops[..., 0].flatten(1).sum(1))
        column, tops = (part / torch.exp2(power).view(-1, *[1] * (part.ndim - 1)) for part in (column, tops))
        unused = state.sources.shape[1] + 1 - sources.shape[1]
        column = functional.pad(column, (0,) * 8 + (0, unused))
        sources = torch.cat([sources[:, :1], state.sources], dim=1)
        older = functional.pad(state.table, (0,) * 10 + (1, 0))
        table = torch.cat([column[..., None, :], older], dim=-2)
        exponent = state.exponent + control.log_scale / math.log(2) + power
        if isinstance(state, NondeterministicStackState):
            return NondeterministicStackState(table=table, sources=sources, tops=tops, exponent=exponent)
        cells = sources.shape[1] - 1
        return LimitedStackState(
            table=table.narrow(-6, 0, cells).narrow(-2, 0, cells),
            sources=sources.narrow(1, 0, cells),
            tops=tops,
            exponent=exponent,
        )

    def read(self, state: AnyStackState) -> Float[Tensor, "batch read"]:
        """Return the reading: a share for each pair of state and symbol, or a vector."""
        parts = state.tops[..., 1:] if self.vector_size else state.tops
        reading = parts / _total(state.tops)[:, None, None, None]
        return (reading if self.reading == "states" else reading.sum(1)).flatten(1)

    def forward(
        self, control: NondeterministicStackControl, state: AnyStackState
    ) -> tuple[Float[Tensor, "batch read"], AnyStackState]:
        """Take one step."""
        after = self.write(control, state)
        return self.read(after), after

    def log_weights(self, state: AnyStackState) -> Float[Tensor, "batch states symbols"]:
        r"""Return $\log \alpha_t$, the logarithm of the total weight of all runs by state and top symbol.

        If the weights of operations are those of the rules of a grammar, this is the logarithm of a number of parses or of
        an inside probability. Where there is no run it is minus infinity, without a gradient.
        """
        weights = state.tops[..., 0]
        logarithms = weights.where(weights > 0, 1.0).log() + state.exponent[:, None, None] * math.log(2)
        return logarithms.where(weights > 0, -math.inf)

    def weights(self, state: AnyStackState) -> Float[Tensor, "batch states symbols"]:
        r"""Return $\alpha_t$, exact for integer weights that the floats can represent, while `log_weights` cannot overflow."""
        return state.tops[..., 0] * torch.exp2(state.exponent)[:, None, None]

    def views(self, control: NondeterministicStackControl, state: AnyStackState) -> Views:
        """Return the shares of all runs by their last operation, by state and top symbol, and by the age of the top cell."""
        column, sources = self._column(control, state)
        by_operation = ops.stack_tops(column, sources)[..., 0]
        shares = by_operation / _total(by_operation.sum(1)[..., None])[:, None, None, None]
        by_age = torch.einsum("byiqxr,biqx->bi", column.sum(1)[..., 0, :], sources)
        by_age = functional.pad(by_age, (0, state.sources.shape[1] + 1 - sources.shape[1]))
        names = [f"{q}, {f'symbol {y}' if y else 'bottom'}" for q in range(self.states) for y in range(self.symbols)]
        return (
            View(
                name="operations",
                title="Last operation",
                values=shares.sum((-2, -1)),
                axes=("operation",),
                scale="level",
                measure="share of runs",
                entries=OPERATIONS,
            ),
            View(
                name="tops",
                title="State, top",
                values=shares.sum(1).flatten(1),
                axes=("configuration",),
                scale="level",
                measure="share of runs",
                entries=tuple(names),
            ),
            View(
                name="ages",
                title="Age of the top cell",
                values=by_age / by_age.sum(1, keepdim=True).clamp_min(torch.finfo(by_age.dtype).tiny),
                axes=("steps",),
                scale="level",
                measure="share of runs",
            ),
        )

    def _column(self, control: NondeterministicStackControl, state: AnyStackState) -> tuple[Tensor, Tensor]:
        """Return the new blocks after each operation, and the weights at all times before it, both without unused room.

        Runs from configurations without a weight are left out, so that their weights cannot exceed those of the others by
        more than the largest number.
        """
        now, cells = state.tops[..., 0], _used_cells(state.sources)
        reached = (now > 0).to(now.dtype)[:, :, :, None, None]
        ones = torch.ones_like(state.exponent)[:, None]
        column = ops.stack_column(
            state.table.narrow(-6, 0, cells).narrow(-2, 0, cells),
            control.push * reached,
            control.replace,
            control.pop,
            torch.cat([ones, control.pushed], dim=1) if self.vector_size else ones,
        )
        return column, torch.cat([now[:, None], state.sources[:, :cells]], dim=1)


def _used_cells(sources: Float[Tensor, "batch sources states symbols"]) -> int:
    """Return the number of times that some row has weights of; all of them where values are not read."""
    if torch.compiler.is_compiling() or transforming() or sources.is_meta:
        return sources.shape[1]
    used = torch.nonzero((sources.detach() != 0).flatten(2).any(2).any(0))
    return int(used[-1]) + 1 if len(used) else 1


def _total(tops: Float[Tensor, "batch states symbols parts"]) -> Float[Tensor, " batch"]:
    """Return the sum of the weights of all runs, or a tiny number if it is 0."""
    return tops[..., 0].flatten(1).sum(1).clamp_min(torch.finfo(tops.dtype).tiny)


def _power_of_2(total: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """Return the exponent of a power of 2 near a number, which is treated as a constant; 0 for the number 0."""
    positive = total.detach().where(total > 0, torch.ones_like(total))
    return torch.log2(positive).floor()


class NondeterministicStackInterface(Interface[NondeterministicStackControl]):
    r"""Compute the weights of all operations, and the pushed vector, from a hidden vector.

    $$P, R, O = \exp(W h + b), \qquad v = \sigma(W' h + b')$$

    If weights are normalised, those of all operations from one state and top symbol are a softmax.

    Args:
        hidden_size: size of the hidden vector.
        states: number of states.
        symbols: number of stack symbols, including the bottom symbol.
        vector_size: size of the vector in each cell; 0 for symbols alone.
        normalised: normalise the weights of all operations from one state and top symbol.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or the vector size is below 0.

    References:
        Normalised: DuSell & Chiang (2020), "Learning context-free languages with nondeterministic stack RNNs",
        arXiv:2010.04674; otherwise (2022), "Learning hierarchical structures with differentiable nondeterministic stacks",
        arXiv:2109.01982; vectors: (2023), arXiv:2210.01343.
    """

    def __init__(
        self, hidden_size: int, states: int = 2, symbols: int = 2, *, vector_size: int = 0, normalised: bool = False
    ):
        super().__init__()
        checks.module_sizes(self, states=states, symbols=symbols)
        checks.at_least(0, vector_size=vector_size)
        self.states, self.symbols, self.normalised = states, symbols, normalised
        sizes = {"push": states * symbols, "replace": states * symbols, "pop": states}
        blocks = {name: torch.zeros(states * symbols * size) for name, size in sizes.items()}
        self.head_parameters = HeadParameters(hidden_size, blocks | {"pushed": torch.zeros(vector_size)}, clip=None)

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> NondeterministicStackControl:
        """Compute the control from the hidden vector."""
        raw = self.head_parameters(hidden)
        size = (self.states, self.symbols)
        logits = torch.cat([raw[name].unflatten(-1, (*size, -1)) for name in OPERATIONS], dim=-1)
        if self.normalised:
            weights, log_scale = torch.softmax(logits, dim=-1), torch.zeros_like(logits[:, 0, 0, 0])
        else:
            log_scale = logits.flatten(1).amax(1)
            weights = torch.exp(logits - log_scale[:, None, None, None])
        many = self.states * self.symbols
        push, replace, pop = weights.split([many, many, self.states], dim=-1)
        return NondeterministicStackControl(
            push=push.unflatten(-1, size),
            replace=replace.unflatten(-1, size),
            pop=pop,
            pushed=torch.sigmoid(raw["pushed"]),
            log_scale=log_scale,
        )
