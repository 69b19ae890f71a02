"""Addressing: a scalar implementation of the equations, and their laws."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memtape.ops import content_weights, interpolate, sharpen, shift

BATCH, HEADS, SLOTS, WIDTH = 2, 3, 5, 4
F64 = torch.float64


def random(*shape):
    return torch.randn(*shape, dtype=F64)


def distribution(*shape):
    return torch.softmax(random(*shape), dim=-1)


def scalar_softmax(scores):
    powers = [math.exp(score) for score in scores]
    return [power / sum(powers) for power in powers]


def scalar_look_up(memory, keys, strengths, similarity):
    """Return the softmax of strength times similarity, computed with scalars."""
    weights = torch.zeros(len(memory), keys.shape[1], memory.shape[1], dtype=F64)
    for b in range(len(memory)):
        for h, key in enumerate(keys[b].tolist()):
            scores = []
            for slot in memory[b].tolist():
                product = sum(u * v for u, v in zip(key, slot, strict=True))
                if similarity == "cosine":
                    product /= math.sqrt(sum(u * u for u in key)) * math.sqrt(sum(v * v for v in slot))
                scores.append(float(strengths[b, h]) * product)
            weights[b, h] = torch.tensor(scalar_softmax(scores), dtype=F64)
    return weights


def scalar_shift(weights, kernel):
    """Return the circular convolution, computed with scalars; the middle of the kernel is the shift by 0."""
    batch, heads, slots = weights.shape
    reach = kernel.shape[-1] // 2
    shifted = torch.zeros_like(weights)
    for b in range(batch):
        for h in range(heads):
            for i in range(slots):
                for step in range(-reach, reach + 1):
                    shifted[b, h, i] += weights[b, h, (i - step) % slots] * kernel[b, h, step + reach]
    return shifted


def scalar_sharpen(weights, exponents):
    sharpened = torch.zeros_like(weights)
    for b in range(len(weights)):
        for h in range(weights.shape[1]):
            powers = [w ** float(exponents[b, h]) for w in weights[b, h].tolist()]
            sharpened[b, h] = torch.tensor([power / sum(powers) for power in powers], dtype=F64)
    return sharpened


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_looking_up_agrees_with_the_paper(similarity):
    memory, keys, strengths = random(BATCH, SLOTS, WIDTH), random(BATCH, HEADS, WIDTH), 3 * torch.rand(BATCH, HEADS)
    actual = content_weights(memory, keys, strengths.double(), similarity=similarity)
    expected = scalar_look_up(memory, keys, strengths, similarity)
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_a_masked_look_up_compares_masked_slots_with_masked_keys(similarity):
    memory, keys, strengths = random(BATCH, SLOTS, WIDTH), random(BATCH, HEADS, WIDTH), 3 * torch.rand(BATCH, HEADS)
    masks = torch.rand(BATCH, HEADS, WIDTH, dtype=F64)
    actual = content_weights(3 * memory, keys, strengths.double(), similarity=similarity, masks=masks)
    for head in range(HEADS):
        one = slice(head, head + 1)
        expected = scalar_look_up(
            3 * memory * masks[:, one], keys[:, one] * masks[:, one], strengths[:, one], similarity
        )
        torch.testing.assert_close(actual[:, one], expected, rtol=1e-9, atol=1e-11)


def test_a_mask_of_zeros_gives_uniform_weights():
    memory, keys = random(1, SLOTS, WIDTH), random(1, 1, WIDTH).requires_grad_()
    masks = torch.zeros(1, 1, WIDTH, dtype=F64, requires_grad=True)
    weights = content_weights(memory, keys, torch.full((1, 1), 5.0, dtype=F64), masks=masks)
    torch.testing.assert_close(weights, torch.full((1, 1, SLOTS), 1 / SLOTS, dtype=F64))
    weights[0, 0, 0].backward()
    assert keys.grad.isfinite().all()
    assert masks.grad.isfinite().all()


def test_interpolation_agrees_with_the_paper():
    content, previous = distribution(BATCH, HEADS, SLOTS), distribution(BATCH, HEADS, SLOTS)
    gates = torch.rand(BATCH, HEADS, dtype=F64)
    blended = interpolate(content, previous, gates)
    for b in range(BATCH):
        for h in range(HEADS):
            for i in range(SLOTS):
                expected = gates[b, h] * content[b, h, i] + (1 - gates[b, h]) * previous[b, h, i]
                torch.testing.assert_close(blended[b, h, i], expected)


@pytest.mark.parametrize("slots", [1, 2, 5])
@pytest.mark.parametrize("reach", [0, 1, 2, 3, 7])
def test_shifting_agrees_with_the_paper(reach, slots):
    weights, kernel = distribution(BATCH, HEADS, slots), distribution(BATCH, HEADS, 2 * reach + 1)
    torch.testing.assert_close(shift(weights, kernel), scalar_shift(weights, kernel))


def test_sharpening_agrees_with_the_paper():
    weights, exponents = distribution(BATCH, HEADS, SLOTS), 1 + 4 * torch.rand(BATCH, HEADS, dtype=F64)
    expected = scalar_sharpen(weights, exponents)
    torch.testing.assert_close(sharpen(weights, exponents), expected, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_gradients_of_looking_up_match_finite_differences(similarity):
    arguments = [random(BATCH, SLOTS, WIDTH), random(BATCH, HEADS, WIDTH), torch.rand(BATCH, HEADS, dtype=F64)]
    assert torch.autograd.gradcheck(
        lambda *values: content_weights(*values, similarity=similarity), [a.requires_grad_() for a in arguments]
    )


@pytest.mark.parametrize(
    ("op", "shapes"),
    [
        (interpolate, [(BATCH, HEADS, SLOTS), (BATCH, HEADS, SLOTS), (BATCH, HEADS)]),
        (shift, [(BATCH, HEADS, SLOTS), (BATCH, HEADS, 5)]),
        (sharpen, [(BATCH, HEADS, SLOTS), (BATCH, HEADS)]),
    ],
)
def test_gradients_match_finite_differences(op, shapes):
    arguments = [(0.1 + torch.rand(shape, dtype=F64)).requires_grad_() for shape in shapes]
    assert torch.autograd.gradcheck(op, arguments)


@pytest.mark.parametrize("offsets", [2, 4])
def test_an_even_kernel_has_no_middle(offsets):
    with pytest.raises(ValueError, match=rf"kernel has {offsets} offsets.*odd number; pass 2 \* S \+ 1"):
        shift(distribution(1, 1, SLOTS), distribution(1, 1, offsets))


def test_strength_0_gives_uniform_weights():
    weights = content_weights(random(1, SLOTS, WIDTH), random(1, 1, WIDTH), torch.zeros(1, 1, dtype=F64))
    torch.testing.assert_close(weights, torch.full_like(weights, 1 / SLOTS))


def test_a_large_strength_selects_the_most_similar_slot():
    memory = random(1, SLOTS, WIDTH)
    weights = content_weights(memory, memory[:, 2:3], torch.tensor([[1e4]], dtype=F64))
    torch.testing.assert_close(weights[0, 0], torch.eye(SLOTS, dtype=F64)[2])


def test_an_empty_slot_has_cosine_0():
    memory = torch.tensor([[[0, 0], [0, 3], [2, 0]]], dtype=F64)
    weights = content_weights(memory, torch.tensor([[[5, 0]]], dtype=F64), torch.tensor([[1]], dtype=F64))
    expected = torch.tensor(scalar_softmax([0, 0, 1]), dtype=F64)
    torch.testing.assert_close(weights[0, 0], expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("scale", [1e-2, 1e3, 1e20, 1e30])
def test_a_cosine_does_not_depend_on_lengths(scale, dtype):
    memory, keys = random(BATCH, SLOTS, WIDTH).to(dtype), random(BATCH, HEADS, WIDTH).to(dtype)
    strengths = torch.full((BATCH, HEADS), 5, dtype=dtype)
    expected = content_weights(memory, keys, strengths)
    tolerance = {"rtol": 1e-5, "atol": 1e-7} if dtype == torch.float32 else {"rtol": 1e-6, "atol": 1e-8}
    torch.testing.assert_close(content_weights(scale * memory, keys, strengths), expected, **tolerance)
    torch.testing.assert_close(content_weights(memory, scale * keys, strengths), expected, **tolerance)
    torch.testing.assert_close(content_weights(scale * memory, scale * keys, strengths), expected, **tolerance)


EXTREMES = {
    "all-zero": lambda *shape: torch.zeros(shape),
    "all-equal": lambda *shape: torch.full(shape, 0.3),
    "huge": lambda *shape: torch.full(shape, 1e30),
    "huge-of-both-signs": lambda *shape: 1e30 * torch.sign(torch.randn(shape)),
    "tiny": lambda *shape: torch.full(shape, 1e-30),
    "ordinary": lambda *shape: torch.randn(shape),
}


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("slots", [1, SLOTS])
@pytest.mark.parametrize("strength", [0.0, 1.0, 1e4, 1e30])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_looking_up_is_finite_for_finite_inputs(similarity, strength, slots, dtype):
    for memory_kind in EXTREMES.values():
        for key_kind in EXTREMES.values():
            memory = memory_kind(1, slots, WIDTH).to(dtype).requires_grad_()
            keys = key_kind(1, 2, WIDTH).to(dtype).requires_grad_()
            strengths = torch.full((1, 2), strength, dtype=dtype, requires_grad=True)
            weights = content_weights(memory, keys, strengths, similarity=similarity)
            torch.testing.assert_close(weights.sum(-1), torch.ones(1, 2, dtype=dtype))
            if strength > 1e4:
                continue  # the derivative itself overflows float32
            (weights * torch.arange(slots, dtype=dtype)).sum().backward()
            for leaf in (memory, keys, strengths):
                assert leaf.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("exponent", [1.0, 2.0, 10.0, 50.0])
@pytest.mark.parametrize("kind", ["zeros", "one-hot", "uniform", "tiny", "single slot"])
def test_sharpening_is_finite_and_sums_to_1(kind, exponent, dtype):
    weights = {
        "zeros": torch.zeros(1, 1, 128),
        "one-hot": torch.eye(128)[:1, None],
        "uniform": torch.full((1, 1, 100_000), 1e-5),
        "tiny": torch.full((1, 1, 128), 1e-38),
        "single slot": torch.ones(1, 1, 1),
    }[kind].to(dtype)
    weights.requires_grad_()
    exponents = torch.full((1, 1), exponent, dtype=dtype, requires_grad=True)
    sharpened = sharpen(weights, exponents)
    torch.testing.assert_close(sharpened.sum(-1), torch.ones(1, 1, dtype=dtype), rtol=1e-4, atol=0)
    if kind != "one-hot":
        torch.testing.assert_close(sharpened, torch.full_like(sharpened, 1 / sharpened.shape[-1]), rtol=1e-4, atol=0)
    (sharpened * torch.linspace(0, 1, weights.shape[-1], dtype=dtype)).sum().backward()
    assert weights.grad.isfinite().all()
    assert exponents.grad.isfinite().all()


def test_exponent_1_changes_nothing():
    weights = distribution(BATCH, HEADS, SLOTS)
    torch.testing.assert_close(sharpen(weights, torch.ones(BATCH, HEADS, dtype=F64)), weights, rtol=1e-9, atol=1e-11)


def test_sharpening_normalises_weights_that_do_not_sum_to_1():
    weights = distribution(BATCH, HEADS, SLOTS)
    exponents = torch.full((BATCH, HEADS), 2, dtype=F64)
    torch.testing.assert_close(sharpen(0.3 * weights, exponents), sharpen(weights, exponents), rtol=1e-8, atol=1e-10)


numbers = st.floats(-3, 3, width=32)


@given(st.lists(numbers, min_size=3, max_size=9), st.integers(-4, 4))
def test_a_one_hot_kernel_rotates_the_weights(scores, step):
    weights = torch.softmax(torch.tensor([[scores]], dtype=F64), dim=-1)
    kernel = torch.zeros(1, 1, 9, dtype=F64)
    kernel[..., 4 + step] = 1
    torch.testing.assert_close(shift(weights, kernel), weights.roll(step, dims=-1))


@given(st.lists(numbers, min_size=1, max_size=9), st.lists(numbers, min_size=3, max_size=3))
def test_shifting_keeps_the_sum(scores, kernel_scores):
    weights = torch.softmax(torch.tensor([[scores]], dtype=F64), dim=-1)
    kernel = torch.softmax(torch.tensor([[kernel_scores]], dtype=F64), dim=-1)
    shifted = shift(weights, kernel)
    assert (shifted >= 0).all()
    torch.testing.assert_close(shifted.sum(), torch.ones((), dtype=F64))


@given(st.lists(numbers, min_size=2, max_size=9), st.floats(1, 50), st.floats(1, 3))
def test_sharpening_keeps_the_order_and_raises_the_peak(scores, exponent, more):
    weights = torch.softmax(torch.tensor([[scores]], dtype=F64), dim=-1)
    once = sharpen(weights, torch.tensor([[exponent]], dtype=F64))
    again = sharpen(weights, torch.tensor([[exponent * more]], dtype=F64))
    assert (once.diff() * weights.diff() >= 0).all()
    assert again.max() >= once.max() - 1e-12


@given(st.permutations(list(range(SLOTS))), st.floats(0, 20))
def test_a_look_up_follows_a_permutation_of_the_slots(order, strength):
    generator = torch.Generator().manual_seed(0)
    memory = torch.randn(1, SLOTS, WIDTH, generator=generator, dtype=F64)
    keys = torch.randn(1, 2, WIDTH, generator=generator, dtype=F64)
    strengths = torch.full((1, 2), strength, dtype=F64)
    weights = content_weights(memory, keys, strengths)
    assert (weights >= 0).all()
    torch.testing.assert_close(content_weights(memory[:, order], keys, strengths), weights[:, :, order])


@given(st.floats(0, 1))
def test_a_blend_lies_between_its_two_ends(gate):
    generator = torch.Generator().manual_seed(0)
    content = torch.rand(1, 1, SLOTS, generator=generator, dtype=F64)
    previous = torch.rand(1, 1, SLOTS, generator=generator, dtype=F64)
    blended = interpolate(content, previous, torch.tensor([[gate]], dtype=F64))
    assert (blended <= torch.maximum(content, previous) + 1e-15).all()
    assert (blended >= torch.minimum(content, previous) - 1e-15).all()


@pytest.mark.parametrize(("gate", "chosen"), [(0.0, 1), (1.0, 0)])
def test_a_gate_of_0_or_1_selects_one_side(gate, chosen):
    sides = distribution(1, 1, SLOTS), distribution(1, 1, SLOTS)
    assert torch.equal(interpolate(*sides, torch.tensor([[gate]], dtype=F64)), sides[chosen])
