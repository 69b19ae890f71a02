import io
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch

from memtape.automata import DFA, tomita
from memtape.core.extra import MissingPackageError


def parts(figure):
    (axes,) = figure.axes
    circles = [patch for patch in axes.patches if isinstance(patch, Circle)]
    paths = [patch.get_path() for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    arrows = [path.vertices[path.codes != path.CLOSEPOLY] for path in paths]
    return {text.get_text(): np.array(text.get_position()) for text in axes.texts}, circles, arrows


def test_accepting_states_have_two_circles_and_symbols_of_one_arrow_share_a_label():
    dfa = DFA.from_table([[1, 1], [0, 1]], {1})
    figure = dfa.figure(title="two states")
    assert isinstance(figure, Figure)
    texts, circles, arrows = parts(figure)
    assert [text.get_text() for text in figure.axes[0].texts] == ["0, 1", "0", "1", "0", "1", "two states"]
    assert [sum(circle.center == tuple(texts[state]) for circle in circles) for state in "01"] == [1, 2]
    assert len(arrows) == 4  # the start, 0 to 1, 1 to 0, the loop


@pytest.mark.parametrize("number", [3, 4, 7])
def test_arrows_end_at_their_states_and_pass_by_others(number):
    dfa = tomita(number)
    _, circles, arrows = parts(dfa.figure())
    radius = max(circle.radius for circle in circles)
    centres = {circle.center for circle in circles}
    width, height = dfa.figure().get_size_inches() * 200
    assert len(centres) == len(dfa.states)
    assert len(arrows) == 1 + len({(state, after) for (state, _), after in dfa.transitions.items()})
    for points in arrows:
        assert (points > 0).all()
        assert (points[:, 0] < width).all()
        assert (points[:, 1] < height).all()
        distance = np.linalg.norm(points[:, None] - np.array(list(centres)), axis=2).min(axis=0)
        assert (distance > 0.98 * radius).all()
        assert (distance < 1.2 * radius).sum() in {1, 2}


def test_equal_automata_have_equal_pictures():
    def drawn():
        file = io.BytesIO()
        tomita(6).figure().savefig(file, metadata={"Software": None})
        return file.getvalue()

    assert drawn() == drawn()


def test_states_that_no_word_reaches_are_drawn():
    texts, circles, _ = parts(DFA.from_table([[0], [0], [1]], {1}, alphabet="a").figure())
    assert {"0", "1", "2"} <= texts.keys()
    assert len({circle.center for circle in circles}) == 3


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    monkeypatch.delitem(sys.modules, "memtape.automata.drawing.state_graph", raising=False)
    with pytest.raises(MissingPackageError, match=r'DFA\.figure needs networkx, .*; run pip install "memtape\[cli\]"'):
        tomita(1).figure()
