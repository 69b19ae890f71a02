"""Texts: read Tiny Shakespeare, or any other text file."""

from memtape.tasks.data_folder import DataSet

TINY_SHAKESPEARE = DataSet(
    name="Tiny Shakespeare",
    folder="tinyshakespeare",
    source="data/tinyshakespeare in the repository karpathy/char-rnn on GitHub",
    counts={"input.txt": 1_115_394},
)

FILE = "tinyshakespeare/input.txt"

OTHER = DataSet(name="the option file", folder="", source="the place that it came from", counts={})

LEAST = 40
"""Minimum number of characters of a text, so that the test split has at least two."""


def read_text(data_dir: str, file: str) -> str:
    """Read a text file in the data folder.

    Raises:
        DataError: the file is missing, is not UTF-8, or has the wrong number of characters.
    """
    if file != FILE:
        text = OTHER.text(data_dir, file)
        if len(text) < LEAST:
            raise OTHER.damaged(OTHER.path(data_dir, file), f"has {len(text)} characters, but needs at least {LEAST}")
        return text
    name = FILE.removeprefix(f"{TINY_SHAKESPEARE.folder}/")
    text = TINY_SHAKESPEARE.text(data_dir, name)
    TINY_SHAKESPEARE.check_count(TINY_SHAKESPEARE.path(data_dir, name), len(text), "characters")
    return text
