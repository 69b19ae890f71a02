"""Lessons: the curriculum of the graph tasks, with growing graphs and longer questions."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from memtape.tasks.graph.graphs import draw_between
from memtape.tasks.lengths import check_range

Range = tuple[int, int]
"""The smallest and the largest of a range of integers."""


@dataclass(frozen=True)
class Lesson:
    """The ranges from which the examples of a lesson are drawn; both ends are included."""

    nodes: Range
    degrees: Range
    """Number of outgoing edges of a node."""
    path: Range
    """Number of edges of a walk, a shortest path, or a relation."""


def _lessons(*rows: tuple[Range, Range, Range]) -> tuple[Lesson, ...]:
    return tuple(Lesson(*row) for row in rows)


TRAVERSAL = _lessons(
    ((3, 10), (2, 4), (1, 1)),
    ((3, 10), (2, 4), (1, 2)),
    ((5, 10), (2, 4), (1, 3)),
    ((5, 10), (2, 4), (1, 4)),
    ((10, 15), (2, 4), (1, 4)),
    ((10, 15), (2, 4), (1, 5)),
    ((10, 20), (2, 4), (1, 5)),
    ((10, 20), (2, 4), (1, 6)),
    ((10, 30), (2, 4), (1, 6)),
    ((10, 30), (2, 4), (1, 7)),
    ((10, 30), (2, 4), (1, 8)),
    ((10, 30), (2, 4), (1, 9)),
    ((10, 40), (2, 6), (1, 10)),
    ((10, 40), (2, 6), (1, 20)),
)

SHORTEST_PATH = _lessons(
    ((5, 10), (1, 2), (2, 2)),
    ((5, 20), (1, 2), (2, 2)),
    ((10, 20), (1, 2), (2, 2)),
    ((10, 20), (1, 2), (2, 3)),
    ((10, 20), (1, 3), (2, 3)),
    ((10, 20), (2, 3), (2, 3)),
    ((10, 20), (2, 3), (2, 4)),
    ((10, 20), (2, 4), (2, 4)),
    ((10, 25), (2, 4), (2, 4)),
    ((10, 25), (2, 4), (2, 5)),
    ((10, 25), (2, 4), (2, 5)),
    ((15, 25), (2, 4), (2, 5)),
    ((15, 25), (2, 5), (2, 5)),
    ((20, 25), (2, 5), (2, 5)),
    ((20, 25), (2, 6), (2, 5)),
)

INFERENCE = _lessons(
    ((3, 3), (2, 2), (2, 2)),
    ((3, 5), (2, 2), (2, 2)),
    ((4, 6), (2, 4), (2, 2)),
    ((4, 6), (2, 4), (2, 2)),
    ((6, 12), (2, 4), (2, 2)),
    ((12, 18), (2, 4), (2, 2)),
    ((4, 6), (2, 4), (2, 3)),
    ((6, 12), (2, 4), (2, 3)),
    ((12, 18), (2, 4), (2, 3)),
    ((4, 6), (2, 4), (2, 4)),
    ((4, 6), (2, 4), (2, 4)),
    ((6, 12), (2, 4), (2, 4)),
    ((12, 18), (2, 4), (2, 4)),
    ((4, 6), (2, 4), (2, 5)),
    ((6, 12), (2, 4), (2, 5)),
    ((12, 18), (2, 4), (2, 5)),
    ((20, 25), (2, 4), (2, 5)),
)
"""As in the tables of Graves et al. (2016), extended data, where some consecutive lessons are identical."""


@dataclass(frozen=True)
class Drawn:
    """The lesson of each row, numbered from 1, and the number of nodes and the ranges drawn from it."""

    lessons: Int[Tensor, " batch"]
    nodes: Int[Tensor, " batch"]
    degrees: tuple[Int[Tensor, " batch"], Int[Tensor, " batch"]]
    path: tuple[Int[Tensor, " batch"], Int[Tensor, " batch"]]


def check_lessons(task: Any, lessons: Range, last: int) -> None:
    """Raise unless the lessons are a nonempty range within 1..last.

    Raises:
        ValueError: the range is empty or ends after the last lesson.
    """
    check_range(task, lesson=lessons)
    if lessons[1] > last:
        raise ValueError(
            f"max_lesson of {type(task).__name__} is {lessons[1]}, but training has the lessons 1..{last}; lower max_lesson"
        )


def draw_lessons(
    table: tuple[Lesson, ...], batch_size: int, numbers: Range, review: float, generator: torch.Generator
) -> Drawn:
    """Draw a lesson and a number of nodes for each row.

    Args:
        table: all lessons.
        batch_size: number of rows.
        numbers: the first and the last lesson to draw from, counted from 1.
        review: share of rows drawn uniformly from the lessons before the last one.
        generator: the random generator.

    Raises:
        ValueError: a lesson is not in the table.
    """
    first, last = numbers
    if last > len(table):
        raise ValueError(f"lesson {last} is requested, but there are {len(table)} lessons; give one in 1..{len(table)}")
    chances = torch.rand(batch_size, dtype=torch.float32, generator=generator)
    earlier = torch.randint(first, max(last, first + 1), (batch_size,), generator=generator)
    lessons = torch.where((chances < review) & (first < last), earlier, last)
    bounds = torch.tensor([[*lesson.nodes, *lesson.degrees, *lesson.path] for lesson in table])[lessons - 1].T
    nodes = draw_between(bounds[0], bounds[1], generator)
    return Drawn(lessons, nodes, (bounds[2], bounds[3]), (bounds[4], bounds[5]))
