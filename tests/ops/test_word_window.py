"""The windows of the words of a sentence."""

import pytest
import torch

from memtape.ops.word_window import windows


def test_a_window_has_the_words_on_both_sides_and_stops_at_the_ends():
    found, middle = windows(torch.tensor([[4, 5, 6, 7, 0]]), 3)
    assert found.tolist() == [[[4, 5, 0], [4, 5, 6], [5, 6, 7], [6, 7, 0], [0, 0, 0]]]
    assert middle.int().tolist() == [[[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]]]


@pytest.mark.parametrize("size", [1, 3, 5, 9])
def test_every_window_is_a_slice_of_the_sentence(size):
    sentences = [[3, 1, 4, 1, 5, 9], [2, 6], []]
    padded = torch.tensor([sentence + [0] * (7 - len(sentence)) for sentence in sentences])
    found, middle = windows(padded, size)
    assert found.shape == middle.shape == (3, 7, size)
    for row, sentence in enumerate(sentences):
        for at, word in enumerate(sentence):
            expected = sentence[max(at - size // 2, 0) : at + size // 2 + 1]
            assert [word for word in found[row, at].tolist() if word] == expected
            assert found[row, at][middle[row, at]].tolist() == [word]
        assert not found[row, len(sentence) :].any()
        assert not middle[row, len(sentence) :].any()


def test_sentences_without_words_have_no_windows():
    assert windows(torch.zeros(2, 3, 0, dtype=torch.long), 5)[0].shape == (2, 3, 0, 5)
