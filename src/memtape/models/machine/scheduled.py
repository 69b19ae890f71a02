"""Scheduled: a machine that accesses its memory in some steps only."""

import dataclasses
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.cells import LearnedInitialState
from memtape.core import checks, state_tree
from memtape.core.cell import Cell
from memtape.core.known_parts import KeepsForward
from memtape.core.state import NoState, state
from memtape.core.view import View, Views
from memtape.memory.protected import ReadsAlone
from memtape.models.machine.access_schedule import (
    WRITING,
    AccessSchedule,
    RandomSchedule,
    UniformSchedule,
    Writing,
)
from memtape.models.machine.augmented import AugmentedCell, AugmentedState

OF_THE_SCHEDULE = (
    "writing",
    "writing_steps",
    "writing_interval",
    "writing_from_zero",
    "writing_seed",
    "hold_reads",
    "cache_attention_size",
)
"""The options of the schedule of a machine."""

SCHEDULED = ("uniform", "cached", "random")
"""The rules with steps without an access."""

CACHE_ATTENTION_SIZE = 16
"""The usual number of units of the attention over cached hidden vectors."""

INITIAL_DEVIATION = 0.1
"""Standard deviation of the initial weights of the attention over cached states."""


@state
class CacheState:
    """The hidden vectors before each of the steps since the last access, the oldest first, and zeros."""

    hidden: Float[Tensor, "*batch cached hidden"]


@state
class ScheduledState:
    """The state of the machine, the number of steps that it has taken, and the cache."""

    machine: AugmentedState
    count: Float[Tensor, "*batch"]
    cache: CacheState | NoState


class CachedAttention(KeepsForward):
    r"""Attend to cached hidden vectors, and return their weighted sum.

    $$\alpha_j = \operatorname{softmax}_j\left(v^\top \tanh(W h_{t-1} + U d_j + V r_{t-1})\right), \qquad
    a_t = \sum_j \alpha_j d_j$$

    The weights are initialised to a normal distribution of deviation 0.1.

    Args:
        hidden_size: size of a hidden vector.
        read_size: size of the read vectors of all heads.
        size: number of units of the attention.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1.

    References:
        Le, Tran & Venkatesh (2019), "Learning to remember more with less memorization", arXiv:1901.01347, algorithm 1.
    """

    def __init__(self, hidden_size: int, read_size: int, size: int):
        super().__init__()
        checks.module_sizes(self, cache_attention_size=size)
        self.of_hidden = nn.Linear(hidden_size, size, bias=False)
        self.of_cached = nn.Linear(hidden_size, size, bias=False)
        self.of_reads = nn.Linear(read_size, size, bias=False)
        self.score = nn.Linear(size, 1, bias=False)
        for layer in (self.of_hidden, self.of_cached, self.of_reads, self.score):
            nn.init.normal_(layer.weight, std=INITIAL_DEVIATION)

    def forward(
        self,
        hidden: Float[Tensor, "batch hidden"],
        reads: Float[Tensor, "batch read"],
        cached: Float[Tensor, "batch cached hidden"],
    ) -> Float[Tensor, "batch hidden"]:
        """Return the weighted sum of the cached vectors."""
        now = self.of_hidden(hidden) + self.of_reads(reads)
        weights = self.score(torch.tanh(now[:, None] + self.of_cached(cached)))[..., 0].softmax(-1)
        return (weights[:, None] @ cached)[:, 0]


class ScheduledCell(Cell[ScheduledState]):
    r"""Access the memory of a machine in some steps only; in the others it keeps its state, and the reads stay the same.

    The controller takes every step. With `attention`, in a step with an access by the schedule its hidden vector is replaced
    by a weighted sum of those since the last access (`CachedAttention`).

    Args:
        machine: the machine.
        schedule: the steps of the accesses.
        hold_reads: keep the read vectors between accesses; else the heads read in every step, and the schedule is that of
            the writes.
        attention: attention over the cached hidden vectors; None for none.
        first_number: number of the first step, 1 or 0.

    Attributes:
        controller: that of the machine.
        interface: that of the machine.
        memory: that of the machine.

    Raises:
        ValueError: the reads are not held, but the memory cannot be read without a write; or there is attention, but the
            schedule is not uniform or the controller is not one layer with a recurrent hidden vector.

    References:
        Le, Tran & Venkatesh (2019), "Learning to remember more with less memorization", arXiv:1901.01347.
    """

    def __init__(
        self,
        machine: AugmentedCell,
        schedule: AccessSchedule,
        *,
        hold_reads: bool = True,
        attention: CachedAttention | None = None,
        first_number: int = 1,
    ):
        super().__init__()
        checks.one_of(("0", "1"), first_number=str(first_number))
        if not hold_reads and not isinstance(machine.memory, ReadsAlone):
            raise ValueError(
                f"hold_reads is False, but {type(machine.memory).__name__} cannot be read without a write; "
                "leave hold_reads at True"
            )
        if attention is not None and not isinstance(schedule, UniformSchedule):
            raise ValueError(
                f"the schedule is a {type(schedule).__name__}, but a cache has as many vectors as an interval has steps; "
                "give a UniformSchedule or leave the attention out"
            )
        if attention is not None:
            _hidden_size(machine)
        self.machine, self.schedule, self.attention = machine, schedule, attention
        self.hold_reads, self.first_number = hold_reads, first_number
        self.input_size, self.output_size = machine.input_size, machine.output_size

    @property
    def controller(self) -> Any:
        """The controller of the machine."""
        return self.machine.controller

    @property
    def interface(self) -> Any:
        """The interface of the machine."""
        return self.machine.interface

    @property
    def memory(self) -> Any:
        """The memory of the machine."""
        return self.machine.memory

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> ScheduledState:
        """Return the initial state of the machine, before its first step."""
        machine = self.machine.init_state(batch_size, device=device, dtype=dtype)
        cache: CacheState | NoState = NoState()
        if self.attention is not None:
            assert isinstance(self.schedule, UniformSchedule)
            hidden = machine.controller.hidden
            cache = CacheState(hidden=hidden.new_zeros(batch_size, self.schedule.interval, hidden.shape[-1]))
        return ScheduledState(machine=machine, count=machine.reads.new_zeros(batch_size), cache=cache)

    def control(self, x: Float[Tensor, "batch input"], state: ScheduledState) -> Any:
        """Return the control of the memory in this step, for inspection; it has an effect only if there is an access."""
        before, _ = self.before(state)
        return self.machine.control(x, before)

    def views(self, x: Float[Tensor, "batch input"], state: ScheduledState) -> Views:
        """Return whether there is an access, and the memory's views of this step as if there were one."""
        before, _ = self.before(state)
        accesses = self._accesses(state).to(state.machine.reads)[:, None]
        view = View(name="accesses", title="Access", values=accesses, axes=("head",), scale="level", measure="gate")
        return (view, *self.machine.views(x, before))

    def forward(
        self, x: Float[Tensor, "batch input"], state: ScheduledState
    ) -> tuple[Float[Tensor, "batch output"], ScheduledState]:
        """Take one step."""
        machine, last = self.machine, state.machine
        before, cache = self.before(state)
        hidden, controller = machine.controlled(x, before)
        accesses = self._accesses(state)
        control = machine.control_of(hidden, last)
        reads, memory = machine.accessed(control, last, self.memory)
        if self.hold_reads:
            held_reads, held = last.reads, last.memory
        else:
            held_reads, held = machine.accessed(control, last, self.memory.look)
        reads, memory = state_tree.select(accesses, (reads, memory), (held_reads, held))
        after = AugmentedState(controller=controller, memory=memory, reads=reads)
        return machine.output(hidden, reads), ScheduledState(machine=after, count=state.count + 1, cache=cache)

    def _numbers(self, state: ScheduledState) -> Float[Tensor, " batch"]:
        return state.count + self.first_number

    def _accesses(self, state: ScheduledState) -> Tensor:
        return self.schedule(self._numbers(state))

    def before(self, state: ScheduledState) -> tuple[AugmentedState, CacheState | NoState]:
        """Return the machine's state with the hidden vector that the controller receives, and the cache after the step."""
        if self.attention is None or isinstance(state.cache, NoState):
            return state.machine, state.cache
        numbers, cached = self._numbers(state), state.cache.hidden
        in_source = self.schedule.in_source(numbers)[:, None]
        hidden = state.machine.controller.hidden
        interval = cached.shape[1]
        place = (state.count.long() % interval)[:, None, None].expand(-1, 1, hidden.shape[-1])
        filled = cached.scatter(1, place, hidden[:, None].to(cached.dtype))
        filled = torch.where(in_source[..., None], filled, cached)
        attended = self.attention(hidden, state.machine.reads, filled)
        received = torch.where(self.schedule.chosen(numbers)[:, None] & in_source, attended, hidden)
        controller = dataclasses.replace(state.machine.controller, hidden=received)
        return dataclasses.replace(state.machine, controller=controller), CacheState(hidden=filled)


def _hidden_size(machine: AugmentedCell) -> int:
    """Return the size of the hidden vector of a controller of one recurrent layer."""
    controller = machine.controller
    hidden = getattr(controller.init_state(1), "hidden", None)
    if hidden is None:
        inner = controller.cell if isinstance(controller, LearnedInitialState) else controller
        raise ValueError(
            f"the controller is {type(inner).__name__}, but cached writing replaces the hidden vector of one recurrent "
            "layer; choose an lstm, gru or rnn with one layer"
        )
    return int(hidden.shape[-1])


def scheduled(
    machine: AugmentedCell,
    slots: int,
    *,
    writing: Writing,
    writing_steps: int | None,
    writing_interval: int | None,
    writing_from_zero: bool,
    writing_seed: int,
    hold_reads: bool,
    cache_attention_size: int,
) -> "AugmentedCell | ScheduledCell":
    """Return a machine with the schedule of its options, the machine itself if it accesses the memory in every step.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a choice is unknown, a number is below 1, neither the number of steps nor the interval is given, or an
            option is given that has no effect with the rule.
    """
    checks.one_of(WRITING, writing=writing)
    given = {
        "writing_steps": (writing_steps, None, SCHEDULED),
        "writing_interval": (writing_interval, None, SCHEDULED),
        "writing_from_zero": (writing_from_zero, False, SCHEDULED),
        "hold_reads": (hold_reads, True, SCHEDULED),
        "writing_seed": (writing_seed, 0, ("random",)),
        "cache_attention_size": (cache_attention_size, CACHE_ATTENTION_SIZE, ("cached",)),
    }
    for name, (value, default, rules) in given.items():
        if value != default and writing not in rules:
            others = " or ".join(f'"{rule}"' for rule in rules)
            raise ValueError(
                f'{name} is {value}, but it has no effect with writing="{writing}"; leave it out or choose writing={others}'
            )
    if writing == "every":
        return machine
    if writing_steps is None and (writing_interval is None or writing == "random"):
        raise ValueError(
            f'writing is "{writing}", but the number of steps that it applies to is not given; give writing_steps, such as '
            "the length of a source"
        )
    if writing_interval is not None:
        checks.at_least(1, writing_interval=writing_interval)
    if writing_steps is not None:
        checks.at_least(1, writing_steps=writing_steps)
    counted = 0 if writing_steps is None else writing_steps + writing_from_zero
    interval = max(1, counted // (slots + 1)) if writing_interval is None else writing_interval
    schedule: AccessSchedule
    if writing == "random":
        assert writing_steps is not None
        probability = min(1.0, (slots + 1) / counted) if writing_interval is None else 1 / writing_interval
        schedule = RandomSchedule(probability, writing_steps, seed=writing_seed)
    else:
        schedule = UniformSchedule(interval, writing_steps)
    attention = None
    if writing == "cached":
        attention = CachedAttention(_hidden_size(machine), machine.memory.read_size, cache_attention_size)
    return ScheduledCell(
        machine, schedule, hold_reads=hold_reads, attention=attention, first_number=0 if writing_from_zero else 1
    )
