"""Stories of different sizes, with padding."""

import pytest
import torch
from torch.nn import functional

from memtape.core.inputs.stories import NONE, Stories


@pytest.fixture
def stories():
    return Stories(
        sentences=torch.tensor(
            [[[1, 2, 3], [4, 5, 0], [6, 7, 2], [3, 1, 0]], [[7, 8, 0], [9, 0, 0], [0, 0, 0], [0, 0, 0]]]
        ),
        question=torch.tensor([[2, 3, 5], [8, 9, 0]]),
        supports=torch.tensor([[2, 0], [0, NONE]]),
    )


@pytest.fixture
def padded(stories):
    """The same stories with absent words and sentences, and an empty story after them."""
    return Stories(
        sentences=functional.pad(stories.sentences, (0, 2, 0, 3, 0, 1)),
        question=functional.pad(stories.question, (0, 4, 0, 1)),
        supports=functional.pad(stories.supports, (0, 1, 0, 1), value=NONE),
    )
