"""The figure of where a network looked shows the weights that it is given, at the sentences of the story."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from memtape.core.story_picture import StoryPicture
from memtape.viz.lookup_figure import MOST_SENTENCES, lookup_figure
from memtape.viz.style import DPI, GREEN, VERMILION

STORY = StoryPicture(
    sentences=("mary got the ball", "john slept", "mary went home"),
    question="where is the ball",
    supports=(0, 2),
    target="home",
    answer="home",
)
WEIGHTS = np.array([[0.7, 0.2, 0.1], [0.004, 0.006, 0.9]])


def axes_called(figure: Figure, name: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_label() == name)


def names(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def test_a_column_for_each_hop_has_the_weights_of_the_sentences() -> None:
    figure = lookup_figure(STORY, WEIGHTS)
    axes = axes_called(figure, "Lookup")
    np.testing.assert_array_equal(axes.images[0].get_array(), WEIGHTS.T)
    assert names(axes) == ["1  mary got the ball", "2  john slept", "3  mary went home"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2"]
    numbers = {text.get_position(): text.get_text() for text in axes.texts}
    assert numbers == {(0, 0): "0.70", (0, 1): "0.20", (0, 2): "0.10", (1, 2): "0.90"}
    assert axes.get_xlabel() == "hop"
    assert len(figure.axes) == 2  # and the bar of colours


def test_supporting_sentences_are_green() -> None:
    labels = axes_called(lookup_figure(STORY, WEIGHTS), "Lookup").get_yticklabels()
    assert [same_color(label.get_color(), GREEN) for label in labels] == [True, False, True]


@pytest.mark.parametrize(
    ("answer", "text", "colour"),
    [("home", "home", GREEN), ("garden", "garden; right is home", VERMILION), (None, "home", None)],
)
def test_question_and_answer_are_the_title(answer: str | None, text: str, colour: str | None) -> None:
    asked, answered = lookup_figure(replace(STORY, answer=answer), WEIGHTS).texts
    assert asked.get_text() == "where is the ball?"
    assert answered.get_text() == text
    assert same_color(answered.get_color(), colour or asked.get_color())


def test_slots_have_a_row_with_their_shares() -> None:
    shares = np.array([0.25, 0.75])
    figure = lookup_figure(STORY, WEIGHTS, shares, look="slot")
    drawn = axes_called(figure, "Shares")
    np.testing.assert_array_equal(drawn.images[0].get_array(), shares[None])
    assert (names(drawn), drawn.get_xlabel()) == (["share of the slot"], "slot")


def test_of_a_long_story_the_supports_and_the_largest_weights_are_drawn() -> None:
    weights = np.full((2, 100), 0.001)
    weights[1, 50 : 50 + MOST_SENTENCES] = 0.5
    long = replace(STORY, sentences=tuple(f"sentence {number}" for number in range(100)), supports=(3,))
    figure = lookup_figure(long, weights)
    axes = axes_called(figure, "Lookup")
    places = [3, *range(50, 49 + MOST_SENTENCES)]
    assert names(axes) == [f"{place + 1}  sentence {place}" for place in places]
    np.testing.assert_array_equal(axes.images[0].get_array(), weights.T[places])
    assert "60 more sentences have smaller weights" in [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("looks", [1, 3, 20])
@pytest.mark.parametrize("words", [1, 60])
def test_everything_is_inside_the_figure(looks: int, words: int) -> None:
    long = replace(STORY, sentences=("mary moved " * words,) * 45, question="who " * words, answer="home " * words)
    weights = np.full((looks, 45), 1 / 45)
    figure = lookup_figure(long, weights, np.full(looks, 1 / looks), look="slot")
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * DPI
    lookup, shares = axes_called(figure, "Lookup"), axes_called(figure, "Shares")
    texts = [*figure.texts, *lookup.get_yticklabels(), *shares.get_yticklabels(), *shares.get_xticklabels()]
    for text in [*texts, shares.xaxis.label, figure.axes[-1].yaxis.label]:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= width
        assert box.y0 >= 0
        assert box.y1 <= height


def test_malformed_weights_are_refused(shapes_unchecked: None) -> None:
    with pytest.raises(ValueError, match=r"weights have shape \(2, 2\) and the story 3 sentences, but they must be"):
        lookup_figure(STORY, WEIGHTS[:, :2])
    with pytest.raises(ValueError, match=r"weights have shape \(2, 0\) and the story 0 sentences"):
        lookup_figure(replace(STORY, sentences=(), supports=()), WEIGHTS[:, :0])
    with pytest.raises(ValueError, match=r"shares have shape \(3,\), but the weights have 2 looks"):
        lookup_figure(STORY, WEIGHTS, np.ones(3))
    with pytest.raises(ValueError, match=r"weights have values outside of 0\.\.1"):
        lookup_figure(STORY, 2 * WEIGHTS)
    with pytest.raises(ValueError, match=r"shares have values outside of 0\.\.1"):
        lookup_figure(STORY, WEIGHTS, np.array([np.nan, 1]))
