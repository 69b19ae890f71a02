"""Document folder: the text files of a folder, each a document."""

import re
from collections.abc import Iterator
from pathlib import Path

from memtape.core.given_path import given_path
from memtape.core.text_file import lines_of
from memtape.tasks.data_folder import DataError, DataSet
from memtape.tasks.stories.documents.document import Document
from memtape.tasks.stories.story import Sentence

SUFFIX = ".txt"

LONGEST = 25
"""The largest number of words of a sentence; longer ones are split."""

WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def documents_in(data_dir: str, folder: str) -> tuple[Document, ...]:
    """Read the text files of a folder, in the order of their names; other files are left out.

    The title of a document is the name of its file, with "_" between its words. A sentence ends with its line, or at a
    full stop, an exclamation mark or a question mark before a space.

    Args:
        data_dir: the data folder.
        folder: the folder of the documents in it.

    Raises:
        DataError: the folder is missing or has no text files, or a file cannot be read, is empty, is not UTF-8, or has no
            letter or digit in its name.
    """
    place = given_path(data_dir) / folder
    if not place.is_dir():
        raise DataError(
            f"there is no folder {place}; name a folder of text files, or leave data_dir out to use generated documents"
        )
    try:
        names = sorted(file.name for file in place.iterdir() if file.suffix == SUFFIX and file.is_file())
    except OSError as error:
        raise DataError(f"{place} cannot be read ({error.strerror or error}); allow reading it") from None
    if not names:
        raise DataError(
            f"the folder {place} has no file whose name ends in {SUFFIX}; put documents there, one in each file"
        )
    files = DataSet(name="lookup", folder=folder, source="the place that it came from", counts={})
    texts = files.texts(data_dir, names, f"*{SUFFIX}")
    titled = zip(names, texts, strict=True)
    return tuple(Document(_title(place / name), tuple(_sentences(text))) for name, text in titled)


def _title(path: Path) -> str:
    words = WORD.findall(path.stem.lower())
    if not words:
        raise DataError(f"the name of {path}, which is the title of the document, has no letter or digit; rename it")
    return "_".join(words)


def _sentences(text: str) -> Iterator[Sentence]:
    for line in lines_of(text):
        for sentence in SENTENCE_END.split(line):
            words = WORD.findall(sentence.lower())
            parts = -(-len(words) // LONGEST)
            for part in range(parts):
                yield tuple(words[part * len(words) // parts : (part + 1) * len(words) // parts])
