"""Free running: outputs are drawn and fed back, with a temperature, a stop symbol and a context."""

import pytest
import torch
from torch.nn import functional

from memtape import Recurrent
from memtape.cells import Conditioned, GRUCell, Readout
from memtape.inference.generation import generate

SYMBOLS, CONTEXT = 5, 3


class OneHot(torch.nn.Module):
    """A network that reads symbols as one-hot vectors."""

    def __init__(self, cell):
        super().__init__()
        self.network = Recurrent(cell)
        self.input_size = self.output_size = SYMBOLS

    def forward(self, symbols, state=None, *, lengths=None):
        return self.network(functional.one_hot(symbols, SYMBOLS).float(), state, lengths=lengths)


@pytest.fixture
def network():
    network = OneHot(Readout(GRUCell(SYMBOLS, 6), SYMBOLS))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    return network


PROMPT = torch.tensor([[1, 2, 3], [4, 0, 0], [2, 2, 0]])
LENGTHS = torch.tensor([3, 1, 2])


def test_with_temperature_0_the_most_likely_symbol_given_all_before_is_generated(network):
    generated = generate(network, PROMPT, steps=6, lengths=LENGTHS, temperature=0.0)
    assert generated.shape == (3, 6)
    for row, length in enumerate(LENGTHS.tolist()):
        context = PROMPT[row, :length].tolist()
        for symbol in generated[row].tolist():
            logits, _ = network(torch.tensor([context]))
            assert symbol == int(logits[0, -1].argmax())
            context.append(symbol)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_symbols_are_drawn_with_the_probabilities_at_the_temperature(network, temperature):
    prompt = torch.tensor([[1, 2]]).expand(20_000, 2)
    generated = generate(network, prompt, steps=1, temperature=temperature)
    logits = network(prompt[:1])[0][0, -1]
    expected = torch.softmax(logits / temperature, dim=0)
    found = torch.bincount(generated[:, 0], minlength=SYMBOLS) / len(generated)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.015)


def test_the_drawn_symbol_is_the_next_input(network):
    prompt = torch.tensor([[1, 2]]).expand(20_000, 2)
    generated = generate(network, prompt, steps=2)
    for first in generated[:, 0].unique().tolist():
        after = generated[generated[:, 0] == first, 1]
        if len(after) > 1000:
            expected = torch.softmax(network(torch.tensor([[1, 2, first]]))[0][0, -1], dim=0)
            torch.testing.assert_close(
                torch.bincount(after, minlength=SYMBOLS) / len(after), expected, rtol=0, atol=0.05
            )


def test_rows_stop_independently(network):
    free = generate(network, PROMPT.repeat(20, 1), steps=30, generator=torch.Generator().manual_seed(1))
    generated = generate(network, PROMPT.repeat(20, 1), steps=30, stop=3, generator=torch.Generator().manual_seed(1))
    time = generated.shape[1]
    assert time <= 30
    stops = []
    for row, symbols in enumerate(generated.tolist()):
        end = symbols.index(3) if 3 in symbols else time
        assert all(symbol == 3 for symbol in symbols[end:])
        assert symbols[:end] == free[row, :end].tolist()
        stops.append(end)
    assert len(set(stops)) > 2


def test_generation_ends_when_all_rows_have_stopped(network):
    likeliest = generate(network, PROMPT[:1], steps=8, temperature=0.0)
    stop = int(likeliest[0, 2])
    first = likeliest[0].tolist().index(stop)
    assert generate(network, PROMPT[:1], steps=8, temperature=0.0, stop=stop).shape == (1, first + 1)


def test_the_same_generator_generates_the_same_symbols(network):
    one, two, other = (
        generate(network, PROMPT, steps=20, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_generation_continues_from_a_state(network):
    generated = generate(network, PROMPT, steps=5, temperature=0.0)
    _, state = network(PROMPT[:, :2])
    assert torch.equal(generate(network, PROMPT[:, 2:], state, steps=5, temperature=0.0), generated)


@pytest.mark.parametrize("into", ["input", "state", "both"])
def test_a_context_is_passed_to_the_network(into):
    conditioned = Conditioned(GRUCell(SYMBOLS + CONTEXT * (into != "state"), 6), CONTEXT, into=into)
    network = OneHot(Readout(conditioned, SYMBOLS))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    contexts = torch.randn(4, CONTEXT)
    prompt = torch.ones(4, 1, dtype=torch.long)
    together = generate(network, prompt, conditioned.begin(contexts), steps=8, temperature=0.0)
    assert len(set(map(tuple, together.tolist()))) > 1
    for row in range(4):
        alone = generate(network, prompt[:1], conditioned.begin(contexts[row : row + 1]), steps=8, temperature=0.0)
        assert torch.equal(alone[0], together[row])


def test_a_tiny_temperature_generates_the_most_likely_symbol(network):
    likeliest = generate(network, PROMPT, steps=6, temperature=0.0)
    assert torch.equal(generate(network, PROMPT, steps=6, temperature=1e-30), likeliest)


def test_wrong_arguments_are_refused(network):
    with pytest.raises(ValueError, match=r"steps is 0, but it must be at least 1; give a larger steps"):
        generate(network, PROMPT, steps=0)
    with pytest.raises(ValueError, match=r"temperature is -1\.0, but it divides logits; give a number of at least 0"):
        generate(network, PROMPT, steps=1, temperature=-1.0)
    sentence = "a prompt is empty, but a network generates after what it has read; give each row at least one symbol"
    with pytest.raises(ValueError, match=sentence):
        generate(network, PROMPT[:, :0], steps=1)
    with pytest.raises(ValueError, match=sentence):
        generate(network, PROMPT, steps=1, lengths=torch.tensor([1, 0, 2]))
    network.output_size = 7
    with pytest.raises(
        ValueError, match="the network reads 5 symbols and returns 7, but outputs become inputs; use one"
    ):
        generate(network, PROMPT, steps=1)


def test_prompts_of_any_integer_type_and_lists_of_lengths_are_taken(network):
    expected = generate(network, PROMPT, steps=4, temperature=0.0, lengths=torch.tensor([1, 2, 2]))
    small = generate(network, PROMPT.to(torch.uint8), steps=4, temperature=0.0, lengths=[1, 2, 2])
    assert torch.equal(small, expected)


@pytest.mark.parametrize("prompt", [[[1, 2]], torch.ones(3, 2), torch.ones(3, dtype=torch.long)])
def test_a_prompt_without_symbols_is_refused(network, prompt, shapes_unchecked):
    with pytest.raises(
        TypeError, match=r"the prompt is .*, but a network generates after symbols; pass integers of shape"
    ):
        generate(network, prompt, steps=1)


@pytest.mark.parametrize("stop", [-1, SYMBOLS])
def test_a_stop_symbol_outside_the_vocabulary_is_refused(network, stop):
    with pytest.raises(
        ValueError, match=f"stop is {stop}, but the network writes the symbols 0..{SYMBOLS - 1}; give one"
    ):
        generate(network, PROMPT, steps=1, stop=stop)
