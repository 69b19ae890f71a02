"""A report is one file that loads no resources and runs no code."""

import base64
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from memtape.tasks.algorithmic.bits import WRONG_BITS
from memtape.viz.figures import score_by_length, tape_figure
from memtape.viz.report import Example, Illustration, Section, Table, write_report
from memtape.viz.tape import Tape

ATTACK = "<script>alert('1')</script>"
VOID = {"meta", "img", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """Collect elements and texts, and check that elements nest."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def illustrations(copy_tape: Callable[..., Tape]) -> list[Illustration]:
    return [
        Illustration(tape_figure(copy_tape(6)), "The heads follow each other.", "Seven panels over time."),
        Illustration(
            score_by_length([{"length": 9, "wrong_bits": 0.0}], WRONG_BITS), f"Right. {ATTACK}", f'A "0". {ATTACK}'
        ),
    ]


@pytest.fixture(scope="module")
def sections(illustrations: list[Illustration]) -> list[Section]:
    return [
        Section("Learning", illustrations, text=f"Two figures. {ATTACK}"),
        Section("Numbers", [Table("By length", ("length", "wrong bits"), [(10, 0.0), (120, 61.53125)])]),
        Section("Example", [Example("One sequence", f"input  #..#\noutput  {ATTACK} &amp;")]),
        Section(
            f"Settings {ATTACK}",
            [
                Table.of_settings("Model", {"slots": 128, "clip": None, "same_length": False, "rate": 1e-4}),
                Table.of_settings(f"Task {ATTACK}", {ATTACK: ATTACK}),
            ],
        ),
    ]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, sections: list[Section]) -> Path:
    return write_report(
        tmp_path_factory.mktemp("report") / "run" / "report.html",
        title=f"NTM on copy {ATTACK}",
        summary=f"It was solved. {ATTACK}",
        facts={"wrong bits": 0.0, ATTACK: ATTACK},
        sections=sections,
        footer=f"memtape {ATTACK}",
    )


def test_a_report_is_one_file(path: Path) -> None:
    assert [child.name for child in path.parent.iterdir()] == ["report.html"]


def test_a_report_loads_nothing(path: Path) -> None:
    page = Page(path)
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(", text)
    links = [value for _, attributes in page.elements for name in ("src", "href") if (value := attributes.get(name))]
    assert links
    assert all(link.startswith(("data:image/png;base64,", "#section-")) for link in links)
    policies = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_a_report_runs_no_code_from_its_texts(path: Path) -> None:
    page = Page(path)
    assert "<script" not in path.read_text(encoding="utf-8").lower()
    assert not page.all("script")
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)


def test_markup_in_texts_is_shown_as_text(path: Path) -> None:
    page = Page(path)
    assert sum(text.count(ATTACK) for text in page.texts) == 14
    assert any(ATTACK in (image["alt"] or "") for image in page.all("img"))
    assert any("output  " + ATTACK + " &amp;" in text for text in page.texts)


def test_all_figures_are_embedded_with_caption_and_alternative(path: Path, illustrations: list[Illustration]) -> None:
    page = Page(path)
    images = page.all("img")
    assert [image["alt"] for image in images] == [illustration.alt for illustration in illustrations]
    for image in images:
        assert base64.b64decode((image["src"] or "").partition(",")[2], validate=True).startswith(b"\x89PNG")
    for illustration in illustrations:
        assert any(illustration.caption in text for text in page.texts)


def test_tables_print_numbers_booleans_and_missing_values(path: Path) -> None:
    texts = [text.strip() for text in Page(path).texts]
    for cell in ("10", "0", "61.5312", "128", "\N{EN DASH}", "no", "0.0001"):
        assert cell in texts
    assert Table("", ("a", "b"), [(1, "x"), (2.5, "y")]).numeric == [True, False]
    assert Table("", ("a", "b"), [(True, None), (False, 1)]).numeric == [False, True]


def test_every_link_of_the_contents_leads_to_a_section(path: Path) -> None:
    page = Page(path)
    targets = [link["href"] for link in page.all("a")]
    assert targets == [f"#section-{number}" for number in range(1, 5)]
    assert targets == [f"#{heading['id']}" for heading in page.all("h2")]


def test_the_same_report_is_the_same_bytes(tmp_path: Path, sections: list[Section]) -> None:
    one, two = (
        write_report(tmp_path / name, title="t", summary="s", sections=sections).read_bytes() for name in ("1", "2")
    )
    assert one == two


def test_a_report_may_be_empty(tmp_path: Path) -> None:
    page = Page(write_report(str(tmp_path / "report.html"), title="t", summary="s", sections=[]))
    assert not page.all("nav")


def test_a_rendering_error_keeps_the_old_report(
    path: Path, sections: list[Section], illustrations: list[Illustration], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no ink")

    before = path.read_bytes()
    monkeypatch.setattr(illustrations[1].figure, "savefig", fail)
    with pytest.raises(RuntimeError, match="no ink"):
        write_report(path, title="t", summary="s", sections=sections)
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


def test_a_disk_error_leaves_no_incomplete_file(
    path: Path, sections: list[Section], monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(self: Path, content: bytes) -> None:
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError("disk full")

    before = path.read_bytes()
    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="disk full"):
        write_report(path, title="t", summary="s", sections=sections)
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1 of the table 'By length' has 1 cells, but there are 2 columns"):
        Table("By length", ("length", "wrong bits"), [(1, 2), (3,)])
