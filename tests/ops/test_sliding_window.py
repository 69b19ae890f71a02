"""The sliding window, against loops over queries and slots."""

import pytest
import torch

from memtape.ops.sliding_window import read_windows, window_scores


@pytest.mark.parametrize(("count", "window"), [(1, 1), (1, 4), (5, 1), (3, 4), (6, 2)])
def test_each_query_has_its_own_window(count, window):
    queries, slots = torch.randn(2, count, 3), torch.randn(2, count + window - 1, 3)
    scores, read = window_scores(queries, slots), read_windows(slots, weights := torch.rand(2, count, window))
    assert scores.shape == (2, count, window)
    for row in range(2):
        for t in range(count):
            inside = [slots[row, t + i] for i in range(window)]
            torch.testing.assert_close(scores[row, t], torch.stack([queries[row, t] @ slot for slot in inside]))
            expected = sum(weights[row, t, i] * slot for i, slot in enumerate(inside))
            torch.testing.assert_close(read[row, t], expected)
