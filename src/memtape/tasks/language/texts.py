"""Texts: Tiny Shakespeare, or any other in a file."""

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
"""Characters of a text; with fewer there would not be two to test on."""


def read_text(data_dir: str, file: str) -> str:
    """Return the text of a file.

    Raises:
        DataError: the file is missing, or is not what it should be.
    """
    if file != FILE:
        text = OTHER.text(data_dir, file)
        if len(text) < LEAST:
            raise OTHER.damaged(
                OTHER.path(data_dir, file), f"holds {len(text)} characters, but at least {LEAST} are needed"
            )
        return text
    name = FILE.removeprefix(f"{TINY_SHAKESPEARE.folder}/")
    text = TINY_SHAKESPEARE.text(data_dir, name)
    TINY_SHAKESPEARE.check_count(TINY_SHAKESPEARE.path(data_dir, name), len(text), "characters")
    return text
