"""Algorithmic: recipes for the five tasks of the Neural Turing Machine's paper.

Sizes are those of the paper's tables 1 to 3; docs/training.md says how the other settings came about. Tasks that read what was
written in its order begin with heads that wind a tape; tasks that look things up begin with heads without a habit.
"""

from typing import Any

from memtape.catalog.recipe import Recipe

TAPE = {"gate_bias": -3.0, "sharpening_bias": 1.0, "write_shift_bias": 3.0}
"""How the heads of a tape begin: they stay sharp, prefer their last place to a look-up, and wind the tape on to write."""

RMSPROP = {
    "optimizer": "rmsprop",
    "learning_rate": 1e-3,
    "momentum": 0.9,
    "schedule": "cosine",
    "stop_when_solved": False,
}
"""RMSprop with momentum; the rate falls to the last update, which irons out the rare slips at great lengths."""

SMALL_BATCHES = {
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "batch_size": 4,
    "schedule": "cosine",
    "stop_when_solved": False,
}
"""Adam on four sequences at a time: many updates, where a look-up has to be found before anything else can be learned."""

PUBLISHED: dict[str, dict[str, Any]] = {
    "copy": {"cost_bits": {"ntm-lstm": 0.1, "ntm-feedforward": 0.1, "lstm": 0.5}},
    "repeat-copy": {"cost_bits": {"ntm-lstm": 0.0, "ntm-feedforward": 0.0, "lstm": 0.0}},
    "associative-recall": {"cost_bits": {"ntm-lstm": 0.5, "ntm-feedforward": 0.0, "lstm": 0.5}},
    "ngrams": {"cost_bits": {"optimum": 133.1, "ntm-lstm": 133.5, "ntm-feedforward": 134.0, "lstm": 136.0}},
    "priority-sort": {"cost_bits": {"ntm-lstm": 18.0, "ntm-feedforward": 20.0, "lstm": 58.0}},
}
"""Bits per sequence at the end of the paper's learning curves, read off its figures."""

FEEDFORWARD_SIZES: dict[str, dict[str, Any]] = {
    "associative-recall": {"read_heads": 4, "write_heads": 4, "controller_size": 256},
    "priority-sort": {"read_heads": 8, "write_heads": 8, "controller_size": 512},
}
RECURRENT_SIZES: dict[str, dict[str, Any]] = {
    "priority-sort": {"read_heads": 5, "write_heads": 5, "controller_layers": 2},
}
LSTM_UNITS = {"copy": 256, "repeat-copy": 512, "associative-recall": 256, "ngrams": 128, "priority-sort": 128}

LARGE = {"controller_gain": 3.0}
"""Large initial weights of a recurrent controller: heads move and write with force before it has learned to do without them."""

PLACES = {"initial_memory": "random"}
"""A memory whose slots differ from the start: a head can look a place up before anything was written there."""

GROWING = {
    "optimizer": "adam",
    "learning_rate": 3e-3,
    "batch_size": 8,
    "schedule": "cosine",
    "curriculum_min": 4,
    "curriculum_max": 6,
    "stop_when_solved": False,
}
"""Lists that grow from 4 to 6 vectors to the task's own, at a high rate: with full lists nothing is learned at it."""

RECURRENT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "copy": ({**TAPE, **LARGE}, {**RMSPROP, "steps": 3_000, "restarts": 3}),
    "repeat-copy": ({**TAPE, **LARGE}, {**RMSPROP, "steps": 10_000}),
    "associative-recall": ({}, {**SMALL_BATCHES, "steps": 25_000}),
    "ngrams": (LARGE, {**RMSPROP, "steps": 6_000, "non_finite": "skip"}),
    "priority-sort": (PLACES, {**GROWING, "steps": 40_000, "curriculum_steps": 20_000}),
}
"""Model and training settings of machines with a recurrent controller."""

FEEDFORWARD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "copy": (TAPE, {**SMALL_BATCHES, "steps": 9_000}),
    "repeat-copy": (TAPE, {**SMALL_BATCHES, "steps": 15_000}),
    "associative-recall": ({}, {**SMALL_BATCHES, "steps": 25_000}),
    "ngrams": ({}, {**SMALL_BATCHES, "steps": 15_000}),
    "priority-sort": (PLACES, {**GROWING, "steps": 20_000, "curriculum_steps": 10_000}),
}
"""The same for a feed-forward controller."""

BASELINE_STEPS = {
    "copy": 3_000,
    "repeat-copy": 2_000,
    "associative-recall": 3_000,
    "ngrams": 2_000,
    "priority-sort": 3_000,
}
"""Updates of the LSTM baseline, as many as minutes on one core allow; its published curves are many times longer."""


def _recipes() -> list[Recipe]:
    own = {"same_length": True}
    made = []
    for task in RECURRENT:
        for controller in ("lstm", "feedforward", "gru", "rnn"):
            alone = controller == "feedforward"
            settings, sizes = (FEEDFORWARD, FEEDFORWARD_SIZES) if alone else (RECURRENT, RECURRENT_SIZES)
            model, train = settings[task]
            made.append(
                Recipe(
                    name=f"ntm-{task}" if controller == "lstm" else f"ntm-{controller}-{task}",
                    model="ntm",
                    task=task,
                    model_options={**model, "controller": controller, **sizes.get(task, {})},
                    task_options=own,
                    train=train,
                    published=PUBLISHED[task],
                )
            )
        made.append(
            Recipe(
                name=f"lstm-{task}",
                model="lstm",
                task=task,
                model_options={"hidden_size": LSTM_UNITS[task], "layers": 3},
                task_options=own,
                train={"optimizer": "adam", "learning_rate": 1e-3, "schedule": "cosine", "steps": BASELINE_STEPS[task]},
                published=PUBLISHED[task],
            )
        )
    return made


RECIPES = tuple(_recipes())
