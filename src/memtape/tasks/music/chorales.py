"""Chorales: predict the notes of the next chord of a piece."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.card import TaskCard
from memtape.core.score import Score
from memtape.core.task import HeldTask
from memtape.tasks.data_folder import DataSet, examples_of
from memtape.tasks.lengths import steps_since
from memtape.tasks.music.cadences import cadences
from memtape.tasks.ragged import Ragged

JSB = DataSet(
    name="JSB Chorales",
    folder="jsb_chorales",
    source="the repository czhuang/JSB-Chorales-dataset on GitHub",
    counts={},
)

LOWEST, KEYS = 21, 88
"""MIDI number of the lowest key of a piano, and the number of its keys."""

PITCHES = frozenset(range(LOWEST, LOWEST + KEYS))
"""The valid MIDI numbers; a file may contain them as floats, such as 73.0."""

PIECES = {"train": 229, "valid": 76, "test": 77}
"""The number of pieces in each part of a file."""


class Chorales(HeldTask):
    r"""Predict the notes of the next chord of a piece from the previous chords.

    Inputs and targets have one channel for each of the 88 keys of a piano, 1 where it sounds; outputs are logits. The input of
    a step is the chord of the previous step (zeros at the first), and all steps are scored. `nll` is the negative
    log-likelihood

    $$-\sum_k \left( x_{tk} \ln p_{tk} + (1 - x_{tk}) \ln (1 - p_{tk}) \right)$$

    in nats, averaged over all steps of all pieces. `frame_accuracy` is the number of notes that are both in the target and
    predicted, divided by the number of notes that are either.

    Args:
        data_dir: data folder with `jsb_chorales/jsb-chorales-quarter.json` and the other resolutions; without it synthetic
            cadences are used.
        resolution: duration of a step: a "quarter", an "8th" or a "16th" note. Published results use quarters.

    Raises:
        ValueError: the resolution is unknown, or a file is missing or invalid.

    Example:
        >>> task = Chorales()
        >>> print(task.show(task.batch(0, 1)).splitlines()[0])
        Chorales, 44 steps

    References:
        Boulanger-Lewandowski, Bengio & Vincent (2012), "Modeling temporal dependencies in high-dimensional sequences:
        application to polyphonic music generation and transcription", arXiv:1206.6392, for the splits and the scores.
    """

    inputs_repeat_targets = True
    scored = (
        Score(name="nll", label="negative log-likelihood, nats per step", short="nats"),
        Score(name="frame_accuracy", label="frame accuracy", short="right", higher_is_better=True),
    )

    def __init__(self, *, data_dir: str | None = None, resolution: Literal["quarter", "8th", "16th"] = "quarter"):
        checks.one_of(("quarter", "8th", "16th"), resolution=resolution)
        self.resolution = resolution
        self.input_size = self.output_size = KEYS
        self._parts, self.data = examples_of(
            data_dir,
            JSB,
            read=lambda folder: read(folder, resolution),
            otherwise=synthetic_pieces,
            name="cadences in four voices",
        )
        steps = self._parts["train"].lengths
        self.lengths = (int(steps.min()), int(steps.max()))

    def available(self, split: str) -> int:
        """Return the number of pieces of a split."""
        return len(self._part(split))

    def examples(self, split: str, rows: Tensor, input_kind: str) -> SequenceBatch:
        """Return the pieces of a split with the given indices."""
        chords, steps = self._part(split).padded(rows)
        targets = chords.float()
        mask = steps_since(torch.zeros_like(steps), targets.shape[1]) < steps[:, None]
        inputs = functional.pad(targets[:, :-1], (0, 0, 1, 0)) * mask[:, :, None]
        return SequenceBatch(inputs=inputs, targets=targets, mask=mask, lengths=steps)

    def _part(self, split: str) -> Ragged:
        return self._parts[{"train": "train", "validation": "valid"}.get(split, "test")]

    def loss(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> Float[Tensor, ""]:
        """Return the mean negative log-likelihood per step, in nats."""
        return KEYS * functional.binary_cross_entropy_with_logits(outputs[batch.mask], batch.targets[batch.mask])

    def weight(self, batch: SequenceBatch) -> float:
        """Return the number of scored steps."""
        return float(batch.mask.sum())

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return the summed negative log-likelihood, and the numbers of steps and of notes.

        `both` counts the notes that are in the target and predicted, `either` those that are one of the two.
        """
        answer, target = outputs.detach()[batch.mask], batch.targets[batch.mask]
        predicted, sounds = answer > 0, target > 0
        return {
            "nats": float(functional.binary_cross_entropy_with_logits(answer, target, reduction="sum")),
            "both": float((predicted & sounds).sum()),
            "either": float((predicted | sounds).sum()),
            "scored": float(len(target)),
        }

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `nll` and `frame_accuracy`."""
        return {"nll": tally["nats"] / tally["scored"], "frame_accuracy": tally["both"] / max(tally["either"], 1)}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: a line for each key that sounds, the highest first, and a column for each step.

        With `outputs`, `#` marks a predicted note of the target, `o` a missed one, and `x` a wrongly predicted note.
        """
        steps = int(batch.lengths[row])
        sounds = batch.targets[row, :steps] > 0
        predicted = sounds if outputs is None else outputs[row, :steps] > 0
        lines = [f"{type(self).__name__}, {steps} steps"]
        for key in reversed(range(KEYS)):
            if (sounds[:, key] | predicted[:, key]).any():
                pairs = zip(sounds[:, key].tolist(), predicted[:, key].tolist(), strict=True)
                signs = (".xo#"[2 * a + b] for a, b in pairs)
                lines.append(f"{LOWEST + key:3d} " + "".join(signs))
        return "\n".join(lines)


@cache
def synthetic_pieces() -> dict[str, Ragged]:
    """Return synthetic pieces for each part."""
    counts = {"train": 96, "valid": 32, "test": 32}
    return {part: _roll(cadences(count, seed)) for seed, (part, count) in enumerate(counts.items())}


def read(data_dir: str, resolution: str) -> dict[str, Ragged]:
    """Read a JSON file that contains, for each part, a list of pieces: lists of steps with lists of pitches.

    Raises:
        DataError: the file is missing or invalid.
    """
    file = f"jsb-chorales-{resolution}.json"
    path = JSB.path(data_dir, file)
    try:
        parts = json.loads(JSB.text(data_dir, file))
    except RecursionError:
        raise JSB.damaged(path, "is not valid JSON (its brackets are nested too deeply)") from None
    except json.JSONDecodeError as error:
        raise JSB.damaged(path, f"is not valid JSON ({error})") from None
    if not isinstance(parts, dict) or parts.keys() != PIECES.keys():
        raise JSB.damaged(path, f"does not have exactly the parts {', '.join(PIECES)}")
    for part, pieces in parts.items():
        if not isinstance(pieces, list) or len(pieces) != PIECES[part]:
            raise JSB.damaged(path, f"does not have {PIECES[part]} pieces in the part {part!r}")
        for number, piece in enumerate(pieces):
            if not _is_piece(piece):
                raise JSB.damaged(
                    path,
                    f"has a piece {number} in the part {part!r} that is not a list of steps with lists of pitches "
                    f"{LOWEST}..{LOWEST + KEYS - 1}",
                )
    return {part: _roll(pieces) for part, pieces in parts.items()}


def _is_piece(piece: Any) -> bool:
    return (
        isinstance(piece, list)
        and len(piece) > 0
        and all(isinstance(chord, list) for chord in piece)
        and all(isinstance(pitch, int | float) and pitch in PITCHES for chord in piece for pitch in chord)
    )


def _roll(pieces: list[list[list[int]]]) -> Ragged:
    """Convert pieces to piano rolls: bytes that are 1 where a key sounds."""
    chords = [chord for piece in pieces for chord in piece]
    steps = [step for step, chord in enumerate(chords) for _ in chord]
    keys = [int(pitch) - LOWEST for chord in chords for pitch in chord]
    roll = torch.zeros(len(chords), KEYS, dtype=torch.uint8)
    roll[steps, keys] = 1
    return Ragged(roll, torch.tensor([len(piece) for piece in pieces]))


CARD = TaskCard(
    name="chorales",
    summary="Predict which notes of a chorale sound next.",
    paper=("boulanger2012",),
    inputs=("sequences",),
    unit="steps",
)
