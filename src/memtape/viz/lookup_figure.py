"""Lookup figure: the sentences of a story, and the weight of each in the hops or slots of a network that answers."""

import textwrap

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from memtape.core.story_picture import StoryPicture
from memtape.viz.style import DPI, GREEN, HAIRLINE, INK, INK_ON_PAPER, MUTED, SMALL, VERMILION, muted, paper_style

MOST_SENTENCES = 40
"""The largest number of rows; of a longer story, the sentences with the largest weights are drawn."""

_ROW, _WIDE, _NARROW, _FEW = 32, 64, 32, 6
"""Pixels of a row, of a column with numbers, of one without, and the largest number of columns with numbers."""

_LETTER, _SMALL_LETTER = 16, 12
"""Pixels of a letter of the title and of the sentences, about the largest width."""

_ROUNDING = 1e-6
"""How far a weight may be outside of 0..1."""

_LONGEST = 80
"""The largest number of letters of a sentence, the question or the answer; longer ones are cut."""

_EDGE, _TOP, _BELOW, _SHARES, _BAR, _REMARK = 20, 104, 60, 20, 130, 34
"""Pixels of the margin, above the rows, below them, between them and the shares, beside them, and of the remark."""


def lookup_figure(
    picture: StoryPicture,
    weights: Float[np.ndarray, "looks sentences"],
    shares: Float[np.ndarray, " looks"] | None = None,
    *,
    look: str = "hop",
) -> Figure:
    """Draw the sentences of a story as rows, and a column for each look of a network with the weight of each sentence.

    The question and the answer are the title. Sentences that support the answer are green. Weights that sum to less than 1
    over a column leave the rest to empty slots of the memory.

    Args:
        picture: the story, the question and the answers.
        weights: the weight of each sentence in each look, in 0..1.
        shares: the share of each look in the answer, drawn as one more row; None omits it.
        look: what one look is, such as "hop" or "slot".

    Raises:
        ValueError: there is no sentence or no look, the shapes do not match, or a weight or share is not in 0..1.
    """
    _check(picture, weights, shares)
    shown = _shown(picture, weights)
    names = [f"{number + 1}  {_cut(picture.sentences[number])}" for number in shown]
    looks, rows, left_out = len(weights), len(shown), len(picture.sentences) - len(shown)
    column = _WIDE if looks <= _FEW else _NARROW
    share_name = f"share of the {look}"
    names_width = 20 + _SMALL_LETTER * max(map(len, [*names, share_name]))
    title = _title(picture)
    across = max(names_width + looks * column + _BAR, *(_LETTER * len(line) for line, _ in title))
    bottom = _EDGE + _BELOW + (0 if shares is None else _SHARES + _ROW) + (_REMARK if left_out else 0)
    width, height = across + 2 * _EDGE, bottom + rows * _ROW + _TOP
    with paper_style():
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)

        def add(begin: int, under: int, wide: int, high: int) -> Axes:
            return figure.add_axes((begin / width, under / height, wide / width, high / height))

        begin = _EDGE + names_width
        axes = add(begin, bottom, looks * column, rows * _ROW)
        _draw(axes, weights[:, shown].T, names, numbers=looks <= _FEW)
        axes.set_label("Lookup")
        for label, number in zip(axes.get_yticklabels(), shown, strict=True):
            if number in picture.supports:
                label.set_color(GREEN)
                label.set_fontweight("bold")
        lowest = axes
        if shares is not None:
            lowest = add(begin, bottom - _SHARES - _ROW, looks * column, _ROW)
            _draw(lowest, shares[None], [share_name], numbers=looks <= _FEW)
            lowest.set_label("Shares")
            axes.set_xticks([])
        lowest.set_xticks(range(looks), [str(number + 1) for number in range(looks)], fontsize=SMALL)
        lowest.set_xlabel(look, fontsize=SMALL, color=MUTED)
        _bar(add(begin + looks * column + 20, bottom, 12, rows * _ROW), axes, look)
        if left_out:
            remark = f"{left_out} more sentences have smaller weights"
            muted(figure.text(_EDGE / width, _EDGE / height, remark, va="bottom", ha="left"))
        for (line, colour), below, weight in zip(title, (16, 52), ("bold", "normal"), strict=True):
            place = (_EDGE / width, 1 - below / height)
            figure.text(*place, line, fontsize=8.5, va="top", ha="left", color=colour, fontweight=weight)
    return figure


def _draw(axes: Axes, values: np.ndarray, names: list[str], *, numbers: bool) -> None:
    axes.imshow(values, aspect="auto", interpolation="none", cmap=INK_ON_PAPER, norm=Normalize(0, 1))
    axes.set_yticks(range(len(names)), names, fontsize=SMALL)
    axes.tick_params(length=0)
    for column in range(1, values.shape[1]):
        axes.axvline(column - 0.5, color=HAIRLINE, linewidth=0.4)
    if not numbers:
        return
    for (row, column), value in np.ndenumerate(values):
        if value >= 0.01:
            colour = "white" if value > 0.5 else INK
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=SMALL - 0.5, color=colour)


def _bar(axes: Axes, drawn: Axes, look: str) -> None:
    bar = Colorbar(axes, drawn.images[0], ticks=[0, 1])
    bar.ax.tick_params(length=1.5, pad=1.5, labelsize=SMALL)
    bar.outline.set_linewidth(0.5)
    bar.set_label("gate" if look == "slot" else "weight", fontsize=SMALL, color=MUTED)


def _title(picture: StoryPicture) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the lines of the question and of the answer, and their colours."""
    if picture.answer is None:
        answer, colour = picture.target, INK
    elif picture.answer == picture.target:
        answer, colour = picture.answer, GREEN
    else:
        answer, colour = f"{picture.answer}; right is {picture.target}", VERMILION
    return (f"{_cut(picture.question)}?", INK), (_cut(answer), colour)


def _cut(text: str) -> str:
    return textwrap.shorten(text, _LONGEST)


def _shown(picture: StoryPicture, weights: np.ndarray) -> list[int]:
    """Return the sentences to draw, in order: all, or the supports and those with the largest weights."""
    most = weights.max(axis=0)
    most[list(picture.supports)] = np.inf
    return sorted(np.argsort(-most, kind="stable")[:MOST_SENTENCES].tolist())


def _check(picture: StoryPicture, weights: np.ndarray, shares: np.ndarray | None) -> None:
    sentences = len(picture.sentences)
    if not sentences or weights.ndim != 2 or not len(weights) or weights.shape[1] != sentences:
        raise ValueError(
            f"weights have shape {weights.shape} and the story {sentences} sentences, but they must be (looks, sentences) "
            "with at least one of each; record both from the same question"
        )
    if shares is not None and shares.shape != weights.shape[:1]:
        raise ValueError(
            f"shares have shape {shares.shape}, but the weights have {len(weights)} looks; give one share for each look"
        )
    for name, values in (("weights", weights), ("shares", shares)):
        if values is not None and not ((values >= -_ROUNDING) & (values <= 1 + _ROUNDING)).all():
            raise ValueError(
                f"{name} have values outside of 0..1, but each must be in 0..1; record them after training"
            )
