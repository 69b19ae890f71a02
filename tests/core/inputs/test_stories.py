"""Stories: their checks, their last sentences, and joining rows."""

import dataclasses

import pytest
import torch

from memtape.core.inputs.stories import NIL, NONE, STORIES, Stories, checked, present_in, recent


def stories():
    return Stories(
        sentences=torch.tensor([[[1, 2, 3], [4, 5, 0], [6, 0, 0]], [[7, 8, 0], [0, 0, 0], [0, 0, 0]]]),
        question=torch.tensor([[2, 3], [8, 0]]),
        supports=torch.tensor([[2, 0], [0, -1]]),
    )


def test_a_sentence_without_words_is_absent():
    assert present_in(stories().sentences).tolist() == [[True, True, True], [True, False, False]]


def test_stories_without_any_word_have_no_sentences():
    assert present_in(torch.zeros(2, 3, 0, dtype=torch.long)).tolist() == [[False] * 3] * 2


def test_the_recent_sentences_come_first_and_supports_follow_them():
    kept = recent(stories(), 2)
    assert kept.sentences.tolist() == [[[4, 5, 0], [6, 0, 0]], [[7, 8, 0], [0, 0, 0]]]
    assert kept.supports.tolist() == [[1, NONE], [0, NONE]]


def test_a_large_memory_keeps_all_sentences_and_no_padding():
    longer = STORIES.join(
        [
            stories(),
            Stories(
                sentences=torch.full((1, 5, 1), NIL), question=torch.tensor([[1]]), supports=torch.tensor([[NONE]])
            ),
        ]
    )
    kept = recent(longer, 9)
    assert kept.sentences.shape == (3, 3, 3)
    assert torch.equal(kept.sentences[:2], stories().sentences)


def test_joined_rows_are_padded_with_absent_words_sentences_and_supports():
    short = Stories(sentences=torch.tensor([[[9]]]), question=torch.tensor([[9, 9, 9]]), supports=torch.tensor([[0]]))
    both = STORIES.join([stories(), short])
    assert both.sentences[2].tolist() == [[9, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert both.question.tolist() == [[2, 3, 0], [8, 0, 0], [9, 9, 9]]
    assert both.supports[2].tolist() == [0, NONE]
    assert STORIES.length(both) == 1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"sentences": torch.tensor([[[1, 2, 9], [4, 5, 0], [6, 0, 0]]] * 2)},
            ValueError,
            "have the word 9, but Reader reads",
        ),
        ({"question": torch.tensor([[2, -1], [8, 0]])}, ValueError, "the question of the stories have the word -1"),
        ({"question": torch.tensor([[0, 3], [8, 0]])}, ValueError, "have a word after an absent word"),
        (
            {"sentences": torch.tensor([[[0, 0], [4, 5]]] * 2), "supports": torch.tensor([[-1], [-1]])},
            ValueError,
            "after an absent sentence",
        ),
        ({"supports": torch.tensor([[2, 0], [1, -1]])}, ValueError, "a support that is none of their sentences"),
        ({"supports": torch.tensor([[2, 0], [-2, -1]])}, ValueError, "a support that is none of their sentences"),
        ({"question": torch.tensor([[2, 3]])}, ValueError, "give every story one question"),
        ({"question": torch.tensor([[2.0, 3.0], [8.0, 0.0]])}, TypeError, "must be integers"),
    ],
)
def test_malformed_stories_are_refused(change, error, message, shapes_unchecked):
    with pytest.raises(error, match=message):
        checked(dataclasses.replace(stories(), **change), 9, "Reader")


def test_other_inputs_are_refused():
    with pytest.raises(TypeError, match=r"Reader reads stories; pass memtape.Stories"):
        checked(torch.zeros(1, 2), 9, "Reader")
