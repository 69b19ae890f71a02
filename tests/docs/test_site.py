"""The site builds without warnings, describes every public name, and its links and equations are right."""

import importlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest

import memtape
from memtape.catalog.references import references

ROOT = Path(__file__).parents[2]


class Page(HTMLParser):
    """The anchors, links and prose of a page; code is not prose."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.prose, self.equations, self.code = {""}, [], [], 0, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors.add(given.get("id") or "")
        self.links += [given[name] for name in ("href", "src") if given.get(name)]
        self.equations += tag == "math"
        self.code += tag in ("code", "pre", "script", "style")

    def handle_endtag(self, tag):
        self.code -= tag in ("code", "pre", "script", "style")

    def handle_data(self, data):
        if not self.code:
            self.prose.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the pages of the site by their paths, without the entries of names in their tables of contents.

    Building it takes half a minute, and a third more with these entries.
    """
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "--fail-on-warning",
        "--keep-going",
        "--quiet",
        "-D",
        "toc_object_entries=0",
    ]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "MPLCONFIGDIR": str(folder / "mpl"),
    }
    built = subprocess.run(
        [*command, "-d", folder / "trees", ROOT / "docs", folder / "html"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return {file.relative_to(folder / "html"): Page(file.read_text()) for file in (folder / "html").rglob("*.html")}


def test_every_page_of_the_sources_is_built(site):
    sources = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert sources <= site.keys()


def test_every_public_name_is_described(site):
    described = set().union(*(page.anchors for path, page in site.items() if path.parts[0] == "api"))
    public = {name: getattr(memtape, name) for name in memtape.__all__ if name != "__version__"}
    modules = [value for value in public.values() if isinstance(value, ModuleType)]
    names = [f"memtape.{name}" for name, value in public.items() if value not in modules]
    for module in (*modules, importlib.import_module("memtape.viz.figures")):
        names += [f"{module.__name__}.{name}" for name in getattr(module, "__all__", ())]
    names += ["memtape.core.state_tree.detach"]
    assert len(names) > len(memtape.__all__)
    assert [name for name in names if name not in described] == []


def test_every_link_within_the_site_has_a_target(site):
    broken = []
    for path, page in site.items():
        for link in map(urlsplit, page.links):
            target = Path(os.path.normpath(path.parent / unquote(link.path))) if link.path else path
            is_page = not link.netloc and target.suffix == ".html"
            if is_page and (target not in site or unquote(link.fragment) not in site[target].anchors):
                broken.append(f"{path}: {link.geturl()}")
    assert broken == []


def test_names_and_papers_are_links(site):
    chapter, reference = site[Path("models/ntm.html")], site[Path("api/ops.html")]
    assert "../api/memory.html#memtape.memory.TuringMemory" in chapter.links
    assert "../api/tree.html#memtape.core.state_tree.detach" in site[Path("guides/states.html")].links
    assert "https://arxiv.org/abs/1410.5401" in reference.links
    assert "references.html#graves2014" in reference.links
    assert references().keys() <= site[Path("api/references.html")].anchors


def test_a_network_has_the_arguments_of_the_function_that_it_refers_to(site):
    prose = " ".join(" ".join(site[Path("api/models-recurrent.html")].prose).split())
    gru = prose[prose.index("Run layers of gated recurrent units over sequences") :]
    assert "initial bias of the update gate" in gru[:1500]


def test_equations_are_drawn_and_no_sign_of_tex_is_left(site):
    assert site[Path("models/ntm.html")].equations > 10
    assert site[Path("api/ops.html")].equations > 100
    left = re.compile(r"\$|\\[a-z]+|:math:|``")
    assert [(str(path), data) for path, page in site.items() for data in page.prose if left.search(data)] == []
