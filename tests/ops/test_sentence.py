"""Vectors of sentences, by the letter."""

import pytest
import torch

from memtape.ops.sentence import ENCODINGS, bag_of_words, masked_by_position, multilinear, position_encoded

WORDS = torch.tensor([[[3, 1, 4], [2, 0, 0]], [[1, 1, 0], [0, 0, 0]]])


def table():
    return torch.randn(5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def sentences():
    return [[[word for word in sentence if word] for sentence in story] for story in WORDS.tolist()]


def test_a_bag_sums_the_embeddings_of_its_words():
    found = bag_of_words(WORDS, table())
    for at, story in enumerate(sentences()):
        for number, sentence in enumerate(story):
            expected = sum((table()[word] for word in sentence), torch.zeros(6, dtype=torch.float64))
            torch.testing.assert_close(found[at, number], expected)


def test_the_position_encoding_weighs_each_word_and_entry():
    found, d = position_encoded(WORDS, table()), 6
    for at, story in enumerate(sentences()):
        for number, sentence in enumerate(story):
            expected, count = torch.zeros(d, dtype=torch.float64), len(sentence)
            for j, word in enumerate(sentence, start=1):
                for k in range(1, d + 1):
                    weight = 1 + 4 * (k / d - (d + 1) / (2 * d)) * (j / count - (count + 1) / (2 * count))
                    expected[k - 1] += weight * table()[word, k - 1]
            torch.testing.assert_close(found[at, number], expected)


def test_masks_weigh_each_word_by_a_vector_of_its_position():
    masks = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = masked_by_position(WORDS, table(), masks)
    for at, story in enumerate(sentences()):
        for number, sentence in enumerate(story):
            parts = (masks[j] * table()[word] for j, word in enumerate(sentence))
            torch.testing.assert_close(found[at, number], sum(parts, torch.zeros(6, dtype=torch.float64)))


def test_a_multilinear_map_multiplies_each_word_by_the_matrix_of_its_part_of_the_sentence():
    words = torch.tensor([[1, 2, 3, 4, 1, 2, 3], [4, 3, 2, 1, 0, 0, 0], [2, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0]])
    places = [[0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 2], [1, 2], []]  # the part ceil(3 j / J) of each word, from 0
    maps = torch.randn(3, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = multilinear(words, table(), maps)
    for row, parts in enumerate(places):
        mapped = (maps[part].mT @ table()[word] for part, word in zip(parts, words[row].tolist(), strict=False))
        torch.testing.assert_close(found[row], sum(mapped, torch.zeros(6, dtype=torch.float64)))


def test_the_weights_of_the_paper_are_half_of_these_with_the_positions_between_the_words():
    d, count = 6, 4
    for k in range(1, d + 1):
        for j in range(1, count + 1):
            paper = (1 - (j - 0.5) / count) - ((k - 0.5) / d) * (1 - 2 * (j - 0.5) / count)
            code = 1 + 4 * (k / d - (d + 1) / (2 * d)) * (j / count - (count + 1) / (2 * count))
            assert abs(2 * paper - code) < 1e-12


def with_equal_masks(words, weights):
    return masked_by_position(words, weights, torch.full((5, 6), 0.5, dtype=torch.float64))


def with_equal_maps(words, weights):
    return multilinear(words, weights, torch.eye(6, dtype=weights.dtype).expand(3, 6, 6))


@pytest.mark.parametrize("encoded", [position_encoded, with_equal_masks, with_equal_maps])
def test_padding_changes_nothing_and_absent_words_get_no_gradient(encoded):
    weights = table().requires_grad_()
    padded = torch.nn.functional.pad(WORDS, (0, 2, 0, 1))
    torch.testing.assert_close(encoded(padded, weights)[:, :2], encoded(WORDS, weights), rtol=0, atol=0)
    encoded(padded, weights).square().sum().backward()
    assert weights.grad[0].abs().sum() == 0
    assert weights.grad[1:].abs().sum() > 0


@pytest.mark.parametrize("shape", [(2, 0, 3), (2, 3, 0), (0, 3, 2), (1, 0, 0), (0,)])
def test_sentences_without_words_are_zero_vectors(shape):
    words = torch.zeros(shape, dtype=torch.long)
    for encoded in (*ENCODINGS.values(), with_equal_masks, with_equal_maps):
        vectors = encoded(words, torch.rand(4, 6))
        assert vectors.shape == (*shape[:-1], 6)
        assert not vectors.any()


@pytest.mark.parametrize("encoded", ENCODINGS.values())
def test_several_tables_at_once_are_each_table_alone(encoded):
    tables = torch.randn(5, 3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = encoded(WORDS, tables)
    assert found.shape == (2, 2, 3, 6)
    for at in range(3):
        torch.testing.assert_close(found[:, :, at], encoded(WORDS, tables[:, at]))
