"""Own stories: a file of a user, and its splits for training, validation and testing."""

from memtape.core.data_record import DataFile
from memtape.core.given_path import given_path
from memtape.tasks.data_folder import DataError
from memtape.tasks.stories.babi_files import Split
from memtape.tasks.stories.babi_format import read_story_text, stories_in
from memtape.tasks.stories.story import Story

HELD_OUT = 10
"""Of this many stories, one is for validation and one for testing; a file with fewer has no stories to spare."""


def own_stories(path: str) -> tuple[dict[Split, tuple[Story, ...]], DataFile]:
    """Read the stories of a user, and divide them.

    Of every ten stories with a question, the ninth is for validation and the tenth for testing. If there are fewer than
    ten, all of them are for training, and for validation and testing as well.

    Args:
        path: a file in the format of `babi_format`.

    Returns:
        The stories of each split, and the record of the file.

    Raises:
        DataError: the file cannot be read, has a malformed line, or has no question.
    """
    file, text = given_path(path), read_story_text(path)
    stories = tuple(story for story in stories_in(text, str(file)) if story.questions)
    if not stories:
        raise DataError(
            f"{file} has no question; write one after the sentences of a story: its number, the question, a tab and the answer"
        )
    record = DataFile.of(file.name, text.encode())
    if len(stories) < HELD_OUT:
        return {"train": stories, "validation": stories, "test": stories}, record
    splits: dict[Split, tuple[Story, ...]] = {
        "train": tuple(
            story for place, story in enumerate(stories, start=1) if place % HELD_OUT not in (0, HELD_OUT - 1)
        ),
        "validation": stories[HELD_OUT - 2 :: HELD_OUT],
        "test": stories[HELD_OUT - 1 :: HELD_OUT],
    }
    return splits, record
