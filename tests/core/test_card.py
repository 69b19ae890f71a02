"""Cards: invalid values are refused when a card is written."""

import re

import pytest

from memtape.core.card import ModelCard, TaskCard

pytestmark = pytest.mark.usefixtures("shapes_unchecked")


@pytest.mark.parametrize("name", ["ntm", "repeat-copy-dnc", "lru2"])
def test_a_name_is_a_word_with_hyphens(name):
    assert ModelCard(name=name, summary="It remembers.").name == name


@pytest.mark.parametrize("name", ["", "NTM", "my cell", "../evil", "a/b", "-x", "x-", "2x", "os.path", "x\n", 3, None])
def test_an_invalid_name_is_refused(name):
    with pytest.raises(ValueError, match=rf"^name is {re.escape(repr(name))}, but it must be a word such as my-cell"):
        ModelCard(name=name, summary="It remembers.")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"summary": " "}, "summary is ' ', but it must be one sentence; correct it there"),
        ({"paper": "graves2014"}, "paper is 'graves2014', but it must be a tuple of strings"),
        ({"inputs": ["sequences"]}, "inputs is ['sequences'], but it must be a tuple of strings"),
        ({"small": [1]}, "small is [1], but it must be a dict of options"),
        ({"unit": ""}, "unit is '', but it must be a word such as steps"),
        ({"test_lengths": (0,)}, "test_lengths is (0,), but it must be a tuple of integers of at least 1"),
        ({"picture_length": True}, "picture_length is True, but it must be an integer of at least 0"),
    ],
)
def test_a_value_of_another_type_is_refused(values, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        TaskCard(**{"name": "x", "summary": "It asks.", **values})
