"""Sequences: recipes for the recurrent chapter's networks on its tasks.

On a task the families of cells have as many units and updates as one another but where `SPECIAL` says otherwise, not as many
weights; docs/sequences.md has the results side by side.
"""

from collections.abc import Mapping
from typing import Any

from memtape.catalog.recipe import Recipe

IRNN = {"activation": "relu", "initial": "identity"}
"""Rectified units that begin by keeping what they have, as in Le et al. 2015."""

FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "elman": {},
    "jordan": {},
    "lstm": {"layers": 1},
    "gru": {},
    "leaky": {},
    "lru": {"layers": 2},
    "skip": {},
    "orthogonal": {},
    "clockwork": {"groups": 8},
    "esn": {},
}
"""One network of each family of cells, with what is the same on all tasks."""

FROM_BOTH_ENDS: Mapping[str, Mapping[str, Any]] = {"bilstm": {"summary": "ends"}, "bigru": {"summary": "ends"}}
"""Networks that join the families where one class is asked for of a whole sequence of words."""

ADDING = {"learning_rate": 1e-3, "batch_size": 64, "steps": 6_000, "validate_every": 500, "clip_limit": 1.0}
COPY_MEMORY = {"learning_rate": 1e-3, "batch_size": 32, "steps": 4_000, "validate_every": 400, "clip_limit": 1.0}
DIGITS = {
    "learning_rate": 1e-3,
    "batch_size": 128,
    "steps": 1_290,
    "validate_every": 430,
    "validation_sequences": 5_000,
    "clip_limit": 1.0,
}
"""Three passes through the images of MNIST."""
CHARACTERS = {
    "learning_rate": 4e-3,
    "batch_size": 32,
    "steps": 2_000,
    "validate_every": 500,
    "schedule": "cosine",
    "clip_limit": 1.0,
}
GATED_CHARACTERS = {"learning_rate": 1e-2}
"""Gated cells bear a higher rate, at which they learn faster."""
SENTIMENT = {
    "learning_rate": 1e-3,
    "batch_size": 25,
    "steps": 1_710,
    "validate_every": 342,
    "validation_sequences": 1_101,
}
"""Five passes through the sentences of the treebank."""
PHRASES = {**SENTIMENT, "batch_size": 100, "steps": 6_400, "validate_every": 800}
"""Two passes through the phrases of the treebank."""
TREES = {
    "optimizer": "adagrad",
    "learning_rate": 0.05,
    "weight_decay": 3e-6,
    "batch_size": 25,
    "steps": 3_420,
    "validate_every": 342,
    "validation_sequences": 1_101,
    "clip": "none",
}
"""Ten passes with the optimiser of Tai et al.; their L2 of 1e-4 is of a sum over a tree, this one of a mean over its nodes."""
TENSOR = {"learning_rate": 0.01, "clip": "norm", "clip_limit": 1.0}
"""Products of vectors grow with both: at the rate of the others, and unclipped, nothing is learned."""

SCAN = {
    "learning_rate": 2e-3,
    "batch_size": 64,
    "steps": 1_500,
    "schedule": "cosine",
    "validate_every": 300,
    "validation_sequences": 500,
    "clip_limit": 1.0,
}
BOOLEAN = {"learning_rate": 3e-3, "batch_size": 32, "steps": 1_000, "validate_every": 100}
CHORALES = {
    "learning_rate": 4e-3,
    "batch_size": 16,
    "steps": 1_800,
    "schedule": "cosine",
    "validate_every": 300,
    "validation_sequences": 76,
}

PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "adding": {"mse": {"irnn": 1e-5, "guess": 1 / 6}},
    "copy-memory": {"cross_entropy": {"guess": 0.2971}},
    "digits": {},
    "char-lm": {"bits_per_character": {"minlstm": 2.243, "mingru": 2.233, "transformer": 2.232}},
    "sentiment": {
        "accuracy": {"lstm": 0.464, "bilstm": 0.491, "recursive": 0.432, "rntn": 0.457, "treelstm": 0.510},
        "binary_accuracy": {"lstm": 0.849, "bilstm": 0.875, "recursive": 0.824, "rntn": 0.854, "treelstm": 0.880},
    },
    "scan": {"exact": {"simple": 0.998, "length": 0.138}},
    "chorales": {"nll": {"lstm": 8.45, "gru": 8.43, "rnn": 8.91}},
}
"""As the papers report; most of those on sentiment began with word vectors that were trained on much more text.
Those on chorales are of Bai, Kolter & Koltun (2018), arXiv:1803.01271."""

TRAIN: Mapping[str, Mapping[str, Any]] = {
    "adding": ADDING,
    "copy-memory": COPY_MEMORY,
    "digits": DIGITS,
    "char-lm": CHARACTERS,
    "sentiment": SENTIMENT,
}
TASK_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "copy-memory": {"min_length": 50, "max_length": 50},
}
SIZES: Mapping[str, Mapping[str, Any]] = {
    "adding": {"hidden_size": 64},
    "copy-memory": {"hidden_size": 128},
    "digits": {"hidden_size": 128},
    "char-lm": {"hidden_size": 200},
    "sentiment": {"hidden_size": 128},
}
LEARNED: Mapping[str, Mapping[str, Any]] = {
    "sentiment": {"embedding_size": 100, "dropout": 0.5},
    "char-lm": {"embedding_size": 64},
}
EMBEDDING: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "sentiment": {"jordan": {"embedding_size": 100}, "esn": {"embedding_size": 100}}
}
"""How networks look symbols up."""

SOLVED = {"optimizer": "ridge", "steps": 1, "validate_every": 1}
"""Solved in closed form, in one update."""

SPECIAL: Mapping[tuple[str, str], tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    ("elman", "adding"): ({**IRNN, "hidden_size": 100}, {}),
    ("esn", "adding"): ({"hidden_size": 500}, {**SOLVED, "batch_size": 3_000, "ridge_penalty": 1.0}),
    ("esn", "copy-memory"): ({"hidden_size": 500}, {}),
    ("esn", "digits"): (
        {"hidden_size": 1000, "leak": 0.3, "input_scale": 0.1},
        {**SOLVED, "batch_size": 10_000, "ridge_penalty": 0.1},
    ),
    ("esn", "char-lm"): ({"hidden_size": 1000, "input_scale": 0.2}, {}),
    ("lru", "adding"): ({"embedding_size": 64}, {}),
    ("lru", "copy-memory"): ({"min_radius": 0.9}, {}),
    ("orthogonal", "copy-memory"): ({}, {"schedule": "cosine"}),
    ("gru", "char-lm"): ({}, GATED_CHARACTERS),
    ("lstm", "char-lm"): ({}, GATED_CHARACTERS),
    ("esn", "sentiment"): ({"hidden_size": 500, "leak": 0.3}, {}),
    ("jordan", "adding"): ({"teacher_forcing": False}, {}),
    ("jordan", "copy-memory"): ({"feedback": "softmax"}, {}),
    ("jordan", "digits"): ({"feedback": "softmax", "teacher_forcing": False}, {}),
    ("jordan", "char-lm"): ({"feedback": "softmax"}, {}),
    ("jordan", "sentiment"): ({"feedback": "softmax", "teacher_forcing": False}, {}),
}
"""Options of the model and the training that differ for one network on one task."""


def _trees() -> list[Recipe]:
    return [
        Recipe(
            name=f"{model}-sentiment",
            model=model,
            task="sentiment",
            train={**TREES, **own},
            published=PUBLISHED["sentiment"],
        )
        for model, own in (("treelstm", {}), ("recursive", {}), ("rntn", TENSOR))
    ]


def _others() -> list[Recipe]:
    made = [
        Recipe(
            name="esn-narma",
            model="esn",
            task="narma",
            model_options={"hidden_size": 200, "input_scale": 0.5},
            task_options={"min_length": 1000, "max_length": 1000, "washout": 100},
            train={**SOLVED, "batch_size": 2, "validation_sequences": 2},
        ),
        Recipe(
            name="elman-tanh-adding",
            model="elman",
            task="adding",
            model_options={"hidden_size": 64},
            train=ADDING,
            published=PUBLISHED["adding"],
        ),
        *(
            Recipe(
                name=f"{model}-phrases",
                model=model,
                task="sentiment",
                model_options={**SIZES["sentiment"], **LEARNED["sentiment"], **options},
                task_options={"phrases": True},
                train=PHRASES,
                published=PUBLISHED["sentiment"],
            )
            for model, options in (("lstm", FAMILIES["lstm"]), ("bilstm", FROM_BOTH_ENDS["bilstm"]))
        ),
        Recipe(
            name="lru-pixels",
            model="lru",
            task="digits",
            model_options={
                "hidden_size": 128,
                "embedding_size": 128,
                "layers": 2,
                "min_radius": 0.9,
                "max_phase": 0.314,
            },
            task_options={"order": "pixels"},
            train={**DIGITS, "steps": 430, "validate_every": 215},
        ),
        Recipe(
            name="gru-pixels",
            model="gru",
            task="digits",
            model_options={"hidden_size": 128, "update_bias": 3.0},
            task_options={"order": "pixels"},
            train={**DIGITS, "steps": 430, "validate_every": 215},
        ),
        Recipe(
            name="gru-permuted-pixels",
            model="gru",
            task="digits",
            model_options={"hidden_size": 128, "update_bias": 3.0},
            task_options={"order": "pixels", "permuted": True},
            train={**DIGITS, "steps": 430, "validate_every": 215},
        ),
        Recipe(
            name="elman-orthogonal-copy-memory",
            model="elman",
            task="copy-memory",
            model_options={"hidden_size": 128, "initial": "orthogonal"},
            task_options=TASK_OPTIONS["copy-memory"],
            train={**COPY_MEMORY, "optimizer": "rmsprop", "momentum": 0.0, "smoothing": 0.99, "learning_rate": 2e-4},
            published=PUBLISHED["copy-memory"],
        ),
    ]
    made += [
        Recipe(
            name=f"seq2seq-scan{ending}",
            model="seq2seq",
            task="scan",
            model_options={"attention": "general", "attend_first": False},
            task_options={"split": split},
            train=SCAN,
            published=PUBLISHED["scan"],
        )
        for split, ending in (("simple", ""), ("length", "-length"))
    ]
    made.append(
        Recipe(name="lstm-scan", model="lstm", task="scan", model_options={"layers": 1, "hidden_size": 200}, train=SCAN)
    )
    made += [
        Recipe(name=f"{model}-boolean", model=model, task="boolean", model_options=options, train=BOOLEAN)
        for model, options in (
            ("treelstm", {"hidden_size": 32, "embedding_size": 16, "embedding_spread": 1.0, "dropout": 0.0}),
            ("recursive", {"hidden_size": 32, "embedding_spread": 1.0}),
            ("lstm", {"hidden_size": 32, "layers": 1, "embedding_size": 16}),
        )
    ]
    made += [
        Recipe(
            name=f"{model}-chorales",
            model=model,
            task="chorales",
            model_options={"hidden_size": 200, **options},
            train=CHORALES,
            published=PUBLISHED["chorales"],
        )
        for model, options in (("lstm", {"layers": 1}), ("gru", {}), ("elman", {}))
    ]
    return made


def _families() -> list[Recipe]:
    made = []
    for task, train in TRAIN.items():
        networks = {**FAMILIES, **(FROM_BOTH_ENDS if task == "sentiment" else {})}
        for model, options in networks.items():
            own, own_train = SPECIAL.get((model, task), ({}, {}))
            embedding = EMBEDDING.get(task, {}).get(model, LEARNED.get(task, {}))
            made.append(
                Recipe(
                    name=f"{model}-{task}",
                    model=model,
                    task=task,
                    model_options={**SIZES[task], **options, **embedding, **own},
                    task_options=TASK_OPTIONS.get(task, {}),
                    train={**train, **own_train},
                    published=PUBLISHED[task],
                )
            )
    return made


RECIPES = (*_families(), *_trees(), *_others())
