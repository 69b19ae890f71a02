"""Scores of programs, their mixture, and the penalty on similar keys, against loops over scalars."""

import math

import pytest
import torch

from memtape.ops import key_similarity, mix_programs, program_scores

F64 = torch.float64
BATCH, HEADS, PROGRAMS, KEY, HIDDEN, SIZE = 2, 3, 4, 5, 6, 7


def cosine(u, v):
    product = sum(a * b for a, b in zip(u, v, strict=True))
    return product / math.sqrt(sum(a * a for a in u)) / math.sqrt(sum(b * b for b in v))


def random(*shape):
    return torch.randn(*shape, dtype=F64)


def test_a_score_is_the_strength_times_the_cosine_of_key_and_query():
    keys, queries, strengths = random(HEADS, PROGRAMS, KEY), random(BATCH, HEADS, KEY), random(BATCH, HEADS).exp()
    scores = program_scores(keys, queries, strengths)
    for row in range(BATCH):
        for head in range(HEADS):
            for program in range(PROGRAMS):
                near = cosine(keys[head, program].tolist(), queries[row, head].tolist())
                assert scores[row, head, program].item() == pytest.approx(strengths[row, head].item() * near, rel=1e-9)


def test_a_mixture_of_outputs_is_the_output_of_the_mixed_weights():
    weights, biases = random(PROGRAMS, HEADS, SIZE, HIDDEN), random(PROGRAMS, HEADS, SIZE)
    hidden, chosen = random(BATCH, HIDDEN), torch.softmax(random(BATCH, HEADS, PROGRAMS), -1)
    products = torch.einsum("phsn,bn->bphs", weights, hidden) + biases
    mixed = mix_programs(products, chosen)
    for row in range(BATCH):
        for head in range(HEADS):
            share = chosen[row, head]
            weight = sum(share[program] * weights[program, head] for program in range(PROGRAMS))
            bias = sum(share[program] * biases[program, head] for program in range(PROGRAMS))
            torch.testing.assert_close(mixed[row, head], weight @ hidden[row] + bias, rtol=0, atol=1e-12)


def test_the_similarity_is_the_mean_cosine_over_pairs_and_heads():
    keys = random(HEADS, PROGRAMS, KEY)
    pairs = [(i, j) for i in range(PROGRAMS) for j in range(i + 1, PROGRAMS)]
    cosines = [cosine(keys[head, i].tolist(), keys[head, j].tolist()) for head in range(HEADS) for i, j in pairs]
    assert key_similarity(keys).item() == pytest.approx(sum(cosines) / len(cosines), rel=1e-9)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [(torch.ones(2, 3, 4), 1.0), (torch.eye(3).expand(2, -1, -1), 0.0), (torch.ones(2, 1, 4), 0.0)],
    ids=["equal", "orthogonal", "one program"],
)
def test_the_similarity_of_simple_keys(keys, expected):
    assert key_similarity(keys.to(F64)).item() == pytest.approx(expected, abs=1e-9)
