"""Tables: write results of the ledger into the documents.

    python docs/tables.py

The text between `<!-- results: WORDS -->` and `<!-- results: end -->` is what `memtape results WORDS --markdown` prints.
"""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

from memtape.cli.main import run

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(r"<!-- results: (?P<words>(?!end).*?) -->\n.*?<!-- results: end -->", re.DOTALL)


def with_tables(document: str) -> str:
    """Return a document with the tables as they are now."""
    return BLOCK.sub(
        lambda block: f"<!-- results: {block['words']} -->\n{printed(block['words'])}\n<!-- results: end -->", document
    )


def printed(words: str) -> str:
    """Return what `memtape results WORDS --markdown` prints."""
    with redirect_stdout(io.StringIO()) as output:
        code = run(["results", *words.split(), "--markdown"])
    assert code == 0, f"memtape results {words} --markdown ended with {code}"
    return output.getvalue().strip()


if __name__ == "__main__":
    for path in DOCUMENTS:
        path.write_text(with_tables(path.read_text()))
