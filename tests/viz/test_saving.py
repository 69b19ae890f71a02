"""Saving the same figure twice gives the same bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.figure import Figure

from memtape.tasks.algorithmic.bits import WRONG_BITS, BitTask
from memtape.viz.comparison_figure import comparison_figure
from memtape.viz.figures import learning_curve, save, score_by_length, tape_figure
from memtape.viz.sweep_figure import sweep_figure
from memtape.viz.tape import Tape

OTHERS = [pytest.param(name, marks=pytest.mark.every_form) for name in ("lengths", "sweep", "comparison")]


@pytest.fixture(params=["tape", "curve", *OTHERS])
def draw(request: Any, copy_tape: Callable[..., Tape], records: list[dict[str, Any]]) -> Callable[[], Figure]:
    ways: dict[str, Callable[[], Figure]] = {
        "tape": lambda: tape_figure(copy_tape(6, heads=2), title="A tape"),
        "curve": lambda: learning_curve(records, BitTask.scored, solved_step=5, title="A curve"),
        "lengths": lambda: score_by_length([{"length": 3, "wrong_bits": 0.0}], WRONG_BITS, title="A length"),
        "sweep": lambda: sweep_figure([records], BitTask.scored, others=[[records]], title="A sweep"),
        "comparison": lambda: comparison_figure(
            {"one": records, "two": records[:5]}, BitTask.scored, title="A comparison"
        ),
    }
    return ways[request.param]


def test_two_drawings_of_the_same_figure_give_the_same_bytes(draw: Callable[[], Figure], tmp_path: Path) -> None:
    first, second = (save(draw(), tmp_path / folder, "figure") for folder in ("one", "two"))
    assert [path.name for path in first] == ["figure.png", "figure.svg"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_the_user_s_settings_of_matplotlib_have_no_influence(draw: Callable[[], Figure], tmp_path: Path) -> None:
    plain = save(draw(), tmp_path / "plain", "figure")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black", "savefig.bbox": "tight"}):
        changed = save(draw(), tmp_path / "changed", "figure")
    for one, two in zip(plain, changed, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_drawing_and_saving_do_not_change_the_user_s_settings(draw: Callable[[], Figure], tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    save(draw(), tmp_path, "figure")
    assert dict(matplotlib.rcParams) == before


def test_files_name_neither_a_date_nor_a_version(draw: Callable[[], Figure], tmp_path: Path) -> None:
    png, svg = save(draw(), tmp_path, "figure")
    assert b"Software" not in png.read_bytes()
    assert not any(word in svg.read_text() for word in ("<dc:date", "Matplotlib v", "matplotlib.org"))


def test_text_in_an_svg_stays_text_in_any_sans_serif(draw: Callable[[], Figure], tmp_path: Path) -> None:
    svg = save(draw(), tmp_path, "figure")[1]
    texts = list(ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}text"))
    assert any((text.text or "").startswith("A ") for text in texts)
    assert all("sans-serif" in text.attrib["style"] for text in texts)


def test_an_svg_holds_one_pixel_per_cell(copy_tape: Callable[..., Tape], tmp_path: Path) -> None:
    svg = save(tape_figure(copy_tape(120, slots=128)), tmp_path, "tape")[1]
    images = list(ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}image"))
    assert sum(image.attrib["width"] == "241" for image in images) == 7


@pytest.mark.parametrize("name", ["", "../figure", "folder/figure"])
def test_a_name_that_leaves_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it must be a file name without folders"):
        save(Figure(), tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_a_rendering_error_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no ink")

    figure = Figure()
    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(RuntimeError, match="no ink"):
        save(figure, tmp_path, "figure")
    assert not list(tmp_path.iterdir())
