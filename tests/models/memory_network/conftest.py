"""Stories of different sizes, with padding."""

from copy import deepcopy

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


@pytest.fixture
def padding_changes_nothing(stories, padded, equal_up_to_rounding):
    """Return a check that padding changes neither answers, nor where a network looks, nor gradients."""

    def check(network):
        answers, looked = network(stories)
        more, wider = network(padded, lengths=torch.tensor([1, 1, 0]))
        equal_up_to_rounding(more[:2], answers)
        equal_up_to_rounding(wider.weights[:2, :, :4], looked.weights)
        equal_up_to_rounding(wider.shares[:2], looked.shares)
        assert wider.weights[:, :, 4:].abs().sum() == wider.weights[2].abs().sum() == 0
        assert more[2].abs().sum() == 0
        alone, short = network(  # the second story without any padding
            Stories(
                sentences=stories.sentences[1:, :2, :2],
                question=stories.question[1:, :2],
                supports=stories.supports[1:, :1],
            )
        )
        equal_up_to_rounding(answers[1:], alone)
        equal_up_to_rounding(looked.weights[1:, :, :2], short.weights)
        gradients = []
        for given in (stories, padded):
            own = deepcopy(network)
            own(given)[0][:2].square().sum().backward()
            gradients.append([parameter.grad for parameter in own.parameters()])
        for first, second in zip(*gradients, strict=True):
            torch.testing.assert_close(first, second)

    return check
