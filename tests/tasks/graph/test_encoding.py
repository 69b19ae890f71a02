"""Encoding of triples as digits, and decoding."""

import torch

from memtape.tasks.graph.encoding import BLANK, as_text, decoded, encoded


def test_labels_are_three_digits_of_ten_channels():
    vector = encoded(torch.tensor([215, BLANK, 7]))
    assert vector.shape == (90,)
    assert vector.nonzero().flatten().tolist() == [2, 11, 25, 60, 70, 87]


def test_every_label_is_decoded_unchanged():
    labels = torch.arange(-1, 1000)
    triples = torch.stack([labels, labels.flip(0), labels.roll(1)], dim=-1)
    assert torch.equal(decoded(encoded(triples)), triples)
    assert torch.equal(decoded(3 * encoded(triples)[5:7]), triples[5:7])


def test_triples_are_printed_as_numbers():
    assert as_text(torch.tensor([215, BLANK, 7])) == "215 _ 7"
    assert as_text(torch.tensor([0, 0, 0])) == "end"
