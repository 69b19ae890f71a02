"""The kernel of the recurrent entity network, against the network's equations, and what it refuses."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memtape.core.compiled_library import kernels
from memtape.kernels.entity import EntitySteps, entities_on_cpu

pytestmark = pytest.mark.skipif(kernels().absent is not None, reason=f"the kernels are absent: {kernels().absent}")

F64 = torch.float64


def drawn(lengths, slots=3, size=5, dtype=F64, seed=0):
    """Return steps of stories of the given lengths."""
    torch.manual_seed(seed)
    count = sum(lengths)
    shapes = {
        "vectors": (count, size),
        "by_key": (count, slots),
        "by_sentence": (count, size),
        "constant": (slots, size),
        "first": (slots, size),
        "weights": (size, size),
        "slopes": (size,),
    }
    tensors = {name: (0.7 * torch.randn(shape, dtype=dtype)).requires_grad_() for name, shape in shapes.items()}
    return EntitySteps(**tensors), torch.tensor(lengths)


def by_the_equations(steps, lengths):
    """Return the last contents and all gates, story by story."""
    contents, gates, number = [], [], 0
    for length in lengths.tolist():
        h = steps.first
        for sentence in range(number, number + length):
            g = torch.sigmoid(h @ steps.vectors[sentence] + steps.by_key[sentence])
            a = h @ steps.weights.T + steps.constant + steps.by_sentence[sentence]
            grown = h + g[:, None] * torch.where(a > 0, a, steps.slopes * a)
            h = grown / grown.norm(dim=1, keepdim=True).clamp(min=1e-12)
            gates.append(g)
        number += length
        contents.append(h)
    return torch.stack(contents), torch.stack(gates) if gates else steps.by_key


def values_and_gradients(engine, steps, lengths):
    found = engine(steps, lengths)
    weights = [torch.linspace(1, 2, part.numel(), dtype=part.dtype).reshape(part.shape) for part in found]
    total = sum((part * weight).sum() for part, weight in zip(found, weights, strict=True))
    return *found, *torch.autograd.grad(total, list(vars(steps).values()), materialize_grads=True)


def same(steps, lengths, tolerance):
    found = values_and_gradients(entities_on_cpu, steps, lengths)
    expected = values_and_gradients(by_the_equations, steps, lengths)
    for mine, other in zip(found, expected, strict=True):
        assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
        assert torch.all((mine - other).abs() <= tolerance * (other.abs().amax() + 0.1)) if other.numel() else True


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (F64, 1e-12)], ids=["float32", "float64"])
def test_the_kernel_equals_the_equations(dtype, tolerance):
    same(*drawn([4, 0, 1, 7], slots=20, size=100, dtype=dtype), tolerance)


@given(
    lengths=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    slots=st.integers(1, 21),
    size=st.integers(1, 50),
    threads=st.sampled_from([1, 2, 5]),
    seed=st.integers(0, 1000),
)
def test_the_kernel_of_any_size_equals_the_equations(lengths, slots, size, threads, seed):
    torch.set_num_threads(threads)
    same(*drawn(lengths, slots, size, seed=seed), 1e-10)


def test_the_kernel_passes_the_check_of_gradients():
    steps, lengths = drawn([3, 0, 2])

    def run(*tensors):
        return entities_on_cpu(EntitySteps(**dict(zip(vars(steps), tensors, strict=True))), lengths)

    assert torch.autograd.gradcheck(run, tuple(vars(steps).values()))


def test_without_gradients_the_results_have_the_same_bits():
    steps, lengths = drawn([3, 0, 2])
    expected = entities_on_cpu(steps, lengths)
    with torch.no_grad():
        assert all(map(torch.equal, entities_on_cpu(steps, lengths), expected))


def test_contents_of_zero_stay_zero_and_have_finite_gradients():
    steps, lengths = drawn([2], size=3)
    with torch.no_grad():
        for tensor in (steps.first, steps.constant, steps.by_sentence):
            tensor.zero_()
    last, _, *gradients = values_and_gradients(entities_on_cpu, steps, lengths)
    assert last.abs().sum() == 0
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_a_gradient_of_a_gradient_is_refused():
    steps, lengths = drawn([2])
    gradient = torch.autograd.grad(entities_on_cpu(steps, lengths)[0].sum(), steps.weights, create_graph=True)[0]
    with pytest.raises(RuntimeError, match="the fused entity network, which has none"):
        gradient.sum().backward()


def test_the_operator_fits_torch():
    steps, lengths = drawn([3, 1])
    given = (*vars(steps).values(), lengths, True)
    torch.library.opcheck(torch.ops.memtape.entity, given, test_utils=("test_schema", "test_faketensor"))


@pytest.mark.parametrize("name", [*EntitySteps.__dataclass_fields__])
@pytest.mark.parametrize("fault", ["wider", "flat", "float32"])
def test_every_tensor_is_checked(name, fault):
    steps, lengths = drawn([2, 1])
    tensors = vars(steps)
    right = tensors[name]
    tensors[name] = {"wider": torch.cat([right, right]), "flat": right[None], "float32": right.float()}[fault]
    if (name, fault) == ("vectors", "float32"):  # the first tensor decides
        tensors["slopes"] = tensors["slopes"].half()
    with pytest.raises(ValueError, match="the fused entity got"):
        torch.ops.memtape.entity(*tensors.values(), lengths, False)


@pytest.mark.parametrize("lengths", [[2, 2], [1, 1], [4, -1], [2.0, 1.0]])
def test_lengths_that_do_not_fit_are_refused(lengths):
    steps, _ = drawn([2, 1])
    with pytest.raises(ValueError, match="the fused entity got"):
        torch.ops.memtape.entity(*vars(steps).values(), torch.tensor(lengths), False)
