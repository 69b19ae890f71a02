"""Tapes and metrics of a network that solved the copy task."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from memtape.core.view import View
from memtape.viz.tape import Tape


def _copy_tape(
    length: int = 4, *, slots: int = 16, heads: int = 1, width: int = 3, bits: int = 2, first_slot: int = 0
) -> Tape:
    generator = np.random.default_rng(length)
    steps = 2 * length + 1
    vectors = generator.integers(0, 2, (length, bits)).astype(float)
    inputs, targets = np.zeros((steps, bits + 1)), np.zeros((steps, bits))
    inputs[:length, :bits], inputs[length, bits] = vectors, 1
    targets[length + 1 :] = vectors
    places = np.concatenate([np.arange(length + 1), np.arange(length)])
    weights = np.stack([np.eye(slots)[(first_slot + places + 3 * head) % slots] for head in range(heads)], axis=1)
    return Tape(
        inputs=inputs,
        outputs=np.where(np.arange(steps)[:, None] > length, 0.02 + 0.96 * targets, 0.5),
        targets=targets,
        scored=np.arange(steps) > length,
        views=(
            _view("adds", "Adds", generator.normal(size=(steps, heads, width)), "head", "width"),
            _view("reads", "Reads", generator.normal(size=(steps, heads, width)), "head", "width"),
            _view("write_weights", "Write weights", weights, "head", "slot", scale="share", measure="weight"),
            _view("read_weights", "Read weights", weights, "head", "slot", scale="share", measure="weight"),
        ),
    )


def _view(name: str, title: str, values: np.ndarray, *axes: str, **changes: Any) -> View:
    """Return a view of signed values, with changes."""
    options = {"scale": "signed", "measure": "value"} | changes
    return View(name=name, title=title, values=values, axes=axes, **options)


def _changed(tape: Tape, **values: np.ndarray) -> Tape:
    """Return a tape with new values for the named views; the others keep theirs."""
    views = tuple(replace(view, values=values.get(view.name, view.values)) for view in tape.views)
    return replace(tape, views=views)


@pytest.fixture(scope="session")
def view() -> Callable[..., View]:
    return _view


@pytest.fixture(scope="session")
def changed() -> Callable[..., Tape]:
    return _changed


@pytest.fixture(scope="session")
def copy_tape() -> Callable[..., Tape]:
    return _copy_tape


@pytest.fixture
def records() -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [{"kind": "start", "seed": 0}]
    for step in range(1, 11):
        cost, wrong = 84.0 * 0.2**step, max(0.0, 40.0 - 8 * step)
        common = {"step": step, "sequences": 16 * step, "seconds": float(step), "cost_bits": cost, "wrong_bits": wrong}
        lines.append({"kind": "train", "loss": cost / 84, "learning_rate": 1e-4, "gradient_norm": 1.0, **common})
        if step % 5 == 0:
            lines.append({"kind": "validation", **common})
    return lines
