"""References: the papers by key, from the BibTeX file of the package."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("references.bib")
ENTRY = re.compile(r"^@\w+\{(?P<key>[\w-]+),\n(?P<fields>.*?)^\}$", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s*(\w+) = \{(.*)\},?$", re.MULTILINE)
VENUES = ("journal", "booktitle", "howpublished")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One paper.

    Attributes:
        key: its key.
        fields: its fields in BibTeX, by name.
        bibtex: the whole entry.
    """

    key: str
    fields: dict[str, str]
    bibtex: str

    def __str__(self) -> str:
        """Return authors, year, title, and where it was published."""
        return f"{self.short}, {_plain(self.fields['title'])}, {self._venue()}"

    @property
    def short(self) -> str:
        """Authors and year."""
        return f"{self._authors()} ({self.fields['year']})"

    @property
    def url(self) -> str | None:
        """The address of the paper: on arXiv, by its DOI, or its web page; None if it has none."""
        if "eprint" in self.fields:
            return f"https://arxiv.org/abs/{self.fields['eprint']}"
        if "doi" in self.fields:
            return f"https://doi.org/{self.fields['doi']}"
        page = self.fields.get("howpublished", "")
        return f"https://{page}" if "/" in page and " " not in page else None

    def _authors(self) -> str:
        families = [_plain(author.partition(",")[0]) for author in self.fields["author"].split(" and ")]
        if len(families) > 4:
            return f"{families[0]} et al."
        return " & ".join([", ".join(families[:-1]), families[-1]] if len(families) > 1 else families)

    def _venue(self) -> str:
        if "eprint" in self.fields:
            return f"arXiv:{self.fields['eprint']}"
        venue = next(_plain(self.fields[name]) for name in VENUES if name in self.fields)
        return f"{venue} {self.fields['volume']}" if "volume" in self.fields else venue


@cache
def references() -> dict[str, Reference]:
    """Return all papers by key."""
    return {
        entry["key"]: Reference(key=entry["key"], fields=dict(FIELD.findall(entry["fields"])), bibtex=entry[0])
        for entry in ENTRY.finditer(FILE.read_text(encoding="utf-8"))
    }


def cited(paper: str) -> str:
    """Return the citation of a paper by its key; any other text is returned as a reference."""
    return str(references().get(paper, paper))


def _plain(text: str) -> str:
    """Return a text without braces."""
    return text.replace("{", "").replace("}", "")
