"""Differentiable: recipes for the Differentiable Neural Computer, its improvements, and sparse memories.

Sizes are those of the papers where two cores allow; the other settings were found by trying. docs/machines.md says what each
led to.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from memtape.catalog.recipe import Recipe

SAME_LENGTH = {"same_length": True}

ADAM = {"optimizer": "adam", "learning_rate": 1e-3, "batch_size": 16, "schedule": "cosine", "stop_when_solved": False}

FEEDFORWARD = {"controller": "feedforward", "controller_gain": 3.0}
"""A controller that remembers nothing, whose heads move and write with force from the start."""

COPYING = {**ADAM, "steps": 3_000}
LONGER = {**ADAM, "steps": 10_000}
ALLOCATION = {
    **ADAM,
    "batch_size": 8,
    "steps": 10_000,
    "validate_every": 1_000,
    "curriculum_min": 1,
    "curriculum_max": 2,
    "curriculum_steps": 4_000,
}
"""Copies grow from one or two to ten, in the first updates."""
MASTERED = {"optimizer": "adam", "learning_rate": 3e-3, "batch_size": 16, "validate_every": 100}
"""For curricula that move on when a length is mastered."""

LINKS: Mapping[str, Mapping[str, Any]] = {
    "dnc-feedforward-copy": {},
    "dnc-sparse-copy": {"links": "sparse", "link_size": 5},
    "dnc-linkless-copy": {"links": "none"},
}
"""A machine with a feed-forward controller can only know the order of vectors from links."""

FREED: Mapping[str, Mapping[str, Any]] = {
    "dnc-erasing-allocation": {"deallocate": True, "initial_strength": 4.0},
    "dnc-allocation": {},
}
INDEPENDENT: Mapping[str, Mapping[str, Any]] = {
    "dnc-independent-copies": {"deallocate": True},
    "dnc-keeping-independent-copies": {},
}
"""Both with the contents of freed slots erased, and as in the paper."""

SPARSE: Mapping[str, Mapping[str, Any]] = {"sam": {}, "dam": {"slots": 256}, "sdnc": {}}
"""Each head clears a slot in every step: four of them clear 164 while 20 vectors come and go."""

SMALL_CONTROLLER = {"slots": 16, "controller_size": 32}
GRAPHS = {
    "slots": 128,
    "width": 32,
    "read_heads": 4,
    "controller": "feedforward",
    "controller_size": 128,
    "initial_strength": 8.0,
}
"""Look-ups are learned some times sooner without an LSTM, which first learns to do without, and with keys that begin sharp."""
GRAPH_TASKS: Mapping[str, Mapping[str, Any]] = {
    "traversal": {"max_lesson": 12, "questions": 4},
    "shortest-path": {},
    "inference": {"questions": 6},
}
"""From lesson 13 on graphs have up to 240 edges, and ask for more slots; `dnc-long-traversal` goes on from there, with
`--weights` of a run of the first twelve lessons."""
PASSED: Mapping[str, float] = {"traversal": 0.9, "shortest-path": 0.8, "inference": 0.9}
"""The score at which a lesson on graphs is passed."""
UPDATES: Mapping[str, int] = {"traversal": 16_000, "shortest-path": 5_000, "inference": 16_000}

PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "traversal": {"right": {"underground": 0.988, "last lesson": 0.99}},
    "shortest-path": {"minimal": {"underground": 0.553, "last lesson": 0.64}},
    "inference": {"right": {"family tree": 0.818, "last lesson": 0.955}},
}
"""Of Graves et al. (2016), after all lessons and about a million examples."""


def _copies() -> list[Recipe]:
    made = [
        Recipe(name="dnc-copy", model="dnc", task="copy", task_options=SAME_LENGTH, train=LONGER),
        *(
            Recipe(
                name=name,
                model="dnc",
                task="copy",
                model_options={**FEEDFORWARD, **options},
                task_options=SAME_LENGTH,
                train=COPYING,
            )
            for name, options in LINKS.items()
        ),
        *(
            Recipe(
                name=name,
                model="dnc",
                task="allocation",
                model_options={**FEEDFORWARD, "slots": 10, **options},
                train=ALLOCATION,
            )
            for name, options in FREED.items()
        ),
        Recipe(
            name="dnc-repeat-copy-dnc",
            model="dnc",
            task="repeat-copy-dnc",
            model_options={"slots": 16, "width": 16, "read_heads": 4, "controller_size": 64},
            train={**ADAM, "optimizer": "rmsprop", "momentum": 0.0, "steps": 15_000},
        ),
        Recipe(
            name="dnc-key-value",
            model="dnc",
            task="key-value",
            model_options={
                "slots": 16,
                "width": 32,
                "controller": "feedforward",
                "controller_size": 64,
                "initial_strength": 6.0,
                "masked": True,
            },
            train={**MASTERED, "curriculum_score": 0.3, "steps": 8_000},
        ),
        Recipe(
            name="dnc-associative-recall",
            model="dnc",
            task="associative-recall",
            model_options={"initial_strength": 6.0},
            task_options=SAME_LENGTH,
            train=LONGER,
        ),
    ]
    made += [
        Recipe(
            name=name,
            model="dnc",
            task="independent-copies",
            model_options={**SMALL_CONTROLLER, "width": 16, **options},
            train={**MASTERED, "curriculum_score": 1.0, "steps": 12_000},
        )
        for name, options in INDEPENDENT.items()
    ]
    made += [
        Recipe(
            name=f"{model}-copy",
            model=model,
            task="copy",
            model_options=options,
            task_options=SAME_LENGTH,
            train=LONGER,
        )
        for model, options in SPARSE.items()
    ]
    return made


def _graphs() -> list[Recipe]:
    recipes = [
        Recipe(
            name=f"dnc-{task}",
            model="dnc",
            task=task,
            model_options=GRAPHS,
            task_options=GRAPH_TASKS[task],
            train={**ADAM, "learning_rate": 2e-3, "curriculum_score": PASSED[task], "steps": updates},
            published=PUBLISHED[task],
        )
        for task, updates in UPDATES.items()
    ]
    traversal = recipes[0]
    longer = replace(
        traversal,
        name="dnc-long-traversal",
        model_options={**traversal.model_options, "slots": 256},
        task_options={"questions": 2},
        train={**traversal.train, "learning_rate": 1e-3, "curriculum_max": 12, "steps": 8_000},
    )
    return [*recipes, longer]


RECIPES = (*_copies(), *_graphs())
