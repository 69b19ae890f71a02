"""Stored programs: the letter of their equations, their choices, their initial values, and their place in an interface."""

import math

import pytest
import torch

from memtape.memory import DNCInterface, Normalised, ProgramOptions, StoredPrograms, TuringInterface

F64 = torch.float64
HIDDEN, BATCH = 5, 3
SIZES = (4, 2, 6, 3)
OWNERS = (range(2), range(2), range(1, 2), range(1))
"""Two heads: the first two blocks belong to both, the third to head 1, the last to head 0."""
HEAD_OF_ENTRY = [0, 0, 1, 1] + [0, 1] + [1] * 6 + [0] * 3


def stored(**options):
    return StoredPrograms(HIDDEN, SIZES, OWNERS, ProgramOptions(**options)).double()


def softplus(z):
    return math.log(1 + math.exp(z))


def softmax(values):
    powers = [math.exp(value) for value in values]
    return [power / sum(powers) for power in powers]


def dot(u, v):
    return sum(a * b for a, b in zip(u, v, strict=True))


def cosine(u, v):
    return dot(u, v) / math.sqrt(dot(u, u)) / math.sqrt(dot(v, v))


def score(addressing, key, query, place):
    if addressing == "direct":
        return query[place]
    if addressing == "cosine":
        return cosine(key, query)
    return cosine([math.tanh(entry) for entry in key], [math.tanh(entry) for entry in query])


@pytest.mark.parametrize("addressing", ["cosine-of-tanh", "cosine", "direct"])
@pytest.mark.parametrize("programs", [1, 3])
def test_a_step_is_that_of_the_paper(addressing, programs):
    size = programs if addressing == "direct" else 4
    part = stored(programs=programs, key_size=size, addressing=addressing)
    hidden = torch.randn(BATCH, HIDDEN, dtype=F64)
    found, chosen = part(hidden), part.chosen(hidden)
    query, bias = part.query.weight.tolist(), part.query.bias.tolist()
    for row in range(BATCH):
        h = hidden[row].tolist()
        weights = []
        for head in range(2):
            places = range(head * size, (head + 1) * size)
            q = [dot(query[place], h) + bias[place] for place in places]
            strength = softplus(dot(query[2 * size + head], h) + bias[2 * size + head])
            keys = [None] * programs if part.keys is None else part.keys[head].tolist()
            weights.append(softmax([strength * score(addressing, keys[i], q, i) for i in range(programs)]))
        assert chosen[row].tolist() == [pytest.approx(of_head, rel=1e-8) for of_head in weights]
        for entry, head in enumerate(HEAD_OF_ENTRY):
            total = 0.0
            for program, share in enumerate(weights[head]):
                product = dot(part.weights[program, entry].tolist(), h) + part.biases[program, entry].item()
                total += share * product
            assert found[row, entry].item() == pytest.approx(total, rel=1e-8)


def test_hard_programs_are_the_best_program_in_evaluation():
    soft, hard = stored(programs=3).eval(), stored(programs=3, hard=True).eval()
    hard.load_state_dict(soft.state_dict())
    hidden = torch.randn(BATCH, HIDDEN, dtype=F64)
    best = soft.chosen(hidden).argmax(-1)
    torch.testing.assert_close(hard.chosen(hidden), torch.nn.functional.one_hot(best, 3).double(), rtol=0, atol=1e-12)


def test_hard_programs_have_the_gradient_of_the_mixture():
    soft, hard = stored(programs=3).eval(), stored(programs=3, hard=True).eval()
    hard.load_state_dict(soft.state_dict())
    hidden, direction = torch.randn(BATCH, HIDDEN, dtype=F64), torch.randn(BATCH, 2, 3, dtype=F64)
    gradients = []
    for part in (soft, hard):
        (part.chosen(hidden) * direction).sum().backward()
        gradients.append(part.query.weight.grad)
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-12)


@pytest.mark.parametrize("temperature", [0.5, 10.0])
def test_hard_programs_are_drawn_in_training_with_the_probabilities_of_the_mixture(temperature):
    """The argmax of scores with Gumbel noise is a draw from their softmax, whatever the temperature."""
    part = stored(programs=3, hard=True, temperature=temperature)
    with torch.no_grad():
        part.query.weight.mul_(3)
    hidden = torch.randn(1, HIDDEN, dtype=F64)
    soft = stored(programs=3)
    soft.load_state_dict(part.state_dict())
    draws = part.chosen(hidden.expand(4000, -1)).detach()
    torch.testing.assert_close(draws.sum(-1), torch.ones(4000, 2, dtype=F64))
    torch.testing.assert_close(draws.mean(0), soft.chosen(hidden)[0].detach(), rtol=0, atol=0.04)


def test_the_noise_of_training_is_that_of_the_seed():
    part, hidden = stored(programs=3, hard=True), torch.randn(9, HIDDEN, dtype=F64)
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(part.chosen(hidden))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_keys_and_programs_of_a_head_have_the_bound_of_one_matrix():
    part = StoredPrograms(50, (40, 40), (range(1), range(1, 2)), ProgramOptions(programs=3, key_size=9))
    bound = 1.4 * math.sqrt(6 / (3 + 9 + 40 * 51))
    for tensor in (part.weights, part.biases, part.keys):
        assert bound / 2 < tensor.abs().max().item() <= bound
    assert part.weights.abs().max().item() > 0.99 * bound
    queries, strengths = part.query.weight.split([18, 2])
    assert 0.95 < queries.abs().max().item() / (1.4 * math.sqrt(6 / (50 + 9))) <= 1
    assert 0.9 < strengths.abs().max().item() / (1.4 * math.sqrt(6 / (50 + 1))) <= 1
    assert 0.005 < part.query.bias.std().item() < 0.02


@pytest.mark.parametrize("interface", [TuringInterface, DNCInterface])
def test_one_program_with_the_weights_of_the_layer_is_the_plain_interface(interface):
    heads = {"read_heads": 2, "write_heads": 3}
    plain = interface(HIDDEN, 4, **heads).double()
    one = interface(HIDDEN, 4, **heads, programs=ProgramOptions(programs=1)).double()
    layer, part = plain.head_parameters.linear, one.head_parameters.linear
    with torch.no_grad():
        part.weights.copy_(layer.weight[None])
        part.biases.copy_(layer.bias[None])
    hidden = torch.randn(BATCH, HIDDEN, dtype=F64)
    expected, found = plain(hidden), one(hidden)
    for name, value in vars(expected).items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(getattr(found, name), value, rtol=0, atol=1e-12)


@pytest.mark.parametrize("interface", [TuringInterface, DNCInterface])
def test_the_programs_of_a_head_change_the_control_of_this_head_alone(interface):
    heads = {"read_heads": 2, "write_heads": 2}
    part = interface(HIDDEN, 4, **heads, programs=ProgramOptions(programs=2)).double()
    hidden = torch.randn(BATCH, HIDDEN, dtype=F64)
    before = vars(part(hidden))
    for head in range(4):
        keys = part.head_parameters.linear.keys
        saved = keys.detach().clone()
        with torch.no_grad():
            keys[head] += torch.randn(2, 2, dtype=F64)
        after = vars(part(hidden))
        changed = set()
        for name, value in before.items():
            if isinstance(value, torch.Tensor):
                for place in range(value.shape[1]):
                    if not torch.equal(value[:, place], after[name][:, place]):
                        of_write_heads = name in ("erase", "add", "allocation_gates", "write_gates")
                        of_write_heads |= name in ("write_keys", "write_strengths")
                        changed.add(place + 2 if of_write_heads else place)
        assert changed == {head}
        with torch.no_grad():
            keys.copy_(saved)


def test_initial_biases_of_blocks_are_added_to_those_of_every_program():
    torch.manual_seed(3)
    plain = TuringInterface(HIDDEN, 4, programs=ProgramOptions(programs=2))
    torch.manual_seed(3)
    biased = TuringInterface(HIDDEN, 4, programs=ProgramOptions(programs=2), gate_bias=-3.0)
    difference = biased.head_parameters.linear.biases - plain.head_parameters.linear.biases
    expected = torch.zeros_like(difference)
    expected[:, 10:12] = -3
    torch.testing.assert_close(difference, expected, rtol=0, atol=1e-6)


def test_an_interface_shows_the_weights_of_its_programs():
    interface = TuringInterface(HIDDEN, 4, programs=ProgramOptions(programs=3))
    hidden = torch.randn(BATCH, HIDDEN)
    (view,) = interface.views(hidden)
    assert (view.name, view.axes, view.heads, view.entries) == ("programs", ("head", "program"), 2, ("1", "2", "3"))
    assert torch.equal(view.values, interface.head_parameters.linear.chosen(hidden))
    normalised = Normalised(interface, HIDDEN)
    assert torch.equal(normalised.views(hidden)[0].values, interface.views(normalised.norm(hidden))[0].values)
    assert TuringInterface(HIDDEN, 4).views(hidden) == ()


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"programs": 0}, ValueError, "programs is 0"),
        ({"programs": 2.5}, TypeError, "programs is 2.5"),
        ({"key_size": 0}, ValueError, "program_key_size is 0"),
        ({"addressing": "keys"}, ValueError, "program_addressing is 'keys', but it must be one of"),
        ({"temperature": 0.0}, ValueError, "program_temperature is 0.0"),
        (
            {"addressing": "direct", "key_size": 3},
            ValueError,
            "program_key_size is 3, but with direct addressing the query has a score for each of the 2 programs; leave it out",
        ),
    ],
)
def test_invalid_options_are_refused(options, error, sentence):
    with pytest.raises(error, match=sentence):
        ProgramOptions(**options)


def test_a_block_that_cannot_be_divided_is_refused():
    with pytest.raises(
        ValueError, match="a block has 3 numbers, which cannot be divided among 2 heads; give a multiple"
    ):
        StoredPrograms(HIDDEN, (3,), (range(2),), ProgramOptions())
