"""Algorithmic: recipes for the five tasks of the Neural Turing Machine's paper.

Sizes are those of the paper's tables 1 to 3. The NTM's other settings come from a study of what makes copying dependable
(docs/training.md): write heads that begin by winding the tape on, heads that prefer their last place to a look-up, a focus
that stays sharp, recurrent controllers with large initial weights, and RMSprop with momentum. Only copy was studied: the other
tasks take over its settings. The LSTM baseline keeps the paper's sizes with Adam.
"""

from typing import Any

from memtape.recipes.recipe import Recipe

TAPE = {"gate_bias": -3.0, "sharpening_bias": 1.0, "write_shift_bias": 3.0}
"""How the heads of a tape begin."""

RMSPROP = {
    "optimizer": "rmsprop",
    "learning_rate": 1e-3,
    "momentum": 0.9,
    "schedule": "cosine",
    "stop_when_solved": False,
}
"""RMSprop with momentum; the rate falls to the last update, which irons out the rare slips at great lengths."""

STEPS = {
    "copy": 3_000,
    "repeat-copy": 6_000,
    "associative-recall": 10_000,
    "ngrams": 2_000,
    "priority-sort": 10_000,
}
"""Updates of one training."""

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


def _recipes() -> list[Recipe]:
    made = []
    for task, steps in STEPS.items():
        train = {**RMSPROP, "steps": steps}
        own = {"same_length": True}
        for controller in ("lstm", "feedforward", "gru", "rnn"):
            alone = controller == "feedforward"
            sizes, gain = (FEEDFORWARD_SIZES, 1.0) if alone else (RECURRENT_SIZES, 3.0)
            made.append(
                Recipe(
                    name=f"ntm-{task}" if controller == "lstm" else f"ntm-{controller}-{task}",
                    model="ntm",
                    task=task,
                    model_options={**TAPE, "controller": controller, "controller_gain": gain, **sizes.get(task, {})},
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
                train={"optimizer": "adam", "learning_rate": 1e-3, "schedule": "cosine", "steps": steps},
                published=PUBLISHED[task],
            )
        )
    return made


RECIPES = tuple(_recipes())
