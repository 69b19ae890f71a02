"""Generation: sample symbols from a network that reads its own outputs."""

from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor

from memtape import ops
from memtape.core import checks
from memtape.core.integers import Lengths
from memtape.core.symbols import are_symbols, in_vocabulary
from memtape.core.type_name import a_type


@runtime_checkable
class SymbolNetwork(Protocol):
    """A network that can generate, such as a `Recurrent`: it reads symbols and returns logits over the same symbols."""

    input_size: int
    output_size: int

    def __call__(
        self, symbols: Int[Tensor, "batch time"], state: Any = None, *, lengths: Lengths | None = None
    ) -> tuple[Float[Tensor, "batch time output"], Any]:
        """Return the logits after each symbol, and the state after the last."""
        ...


@torch.no_grad()
def generate(
    network: SymbolNetwork,
    prompt: Integer[Tensor, "batch time"],
    state: Any = None,
    *,
    steps: int,
    lengths: Lengths | None = None,
    temperature: float = 1.0,
    stop: int | None = None,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "batch steps"]:
    r"""Continue a prompt: draw each symbol from the network's output and feed it back.

    $$y_t \sim \operatorname{softmax}(o_t / \tau), \qquad x_{t+1} = y_t$$

    Args:
        network: reads symbols, and returns logits over the same symbols; call its `eval()` first if it has dropout.
        prompt: the symbols that it reads first, at least one in each row.
        state: the state to start from; None means the initial state. A network over a `Conditioned` cell receives its
            context vector in this state: `conditioned.begin(context)`.
        steps: maximal number of symbols to generate.
        lengths: number of symbols of each prompt; None means all.
        temperature: $\tau$; below 1 likely symbols become more likely, 0 takes the most likely one.
        stop: the symbol after which a row ends and is padded with it; None generates all steps.
        generator: random generator; None for torch's default.

    Returns:
        The generated symbols, without the prompt; fewer steps than requested if all rows stopped earlier.

    Raises:
        TypeError: `steps` or `stop` is not an integer, or the prompt has no symbols.
        ValueError: fewer than 1 step, a temperature below 0, an empty prompt, an unknown symbol, or a network whose
            outputs differ from its inputs.
    """
    checks.at_least(1, steps=steps)
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}, but it divides logits; give a number of at least 0")
    if network.input_size != network.output_size:
        raise ValueError(
            f"the network reads {network.input_size} symbols and returns {network.output_size}, but outputs become inputs; "
            "use one that was trained to predict its own inputs"
        )
    if not are_symbols(prompt):
        found = f"{prompt.dtype} of shape {tuple(prompt.shape)}" if isinstance(prompt, Tensor) else a_type(prompt)
        raise TypeError(
            f"the prompt is {found}, but a network generates after symbols; pass integers of shape (batch, time)"
        )
    if stop is not None:
        in_vocabulary(network.output_size, stop=stop)
        stop = int(stop)
    lengths = None if lengths is None else checks.lengths_of(prompt, lengths)
    if prompt.shape[1] == 0 or (lengths is not None and bool((lengths < 1).any())):
        raise ValueError(
            "a prompt is empty, but a network generates after what it has read; give each row at least one symbol"
        )
    logits, state = network(prompt.long(), state, lengths=lengths)
    logits = ops.last_step(logits, lengths)
    ended = torch.zeros(len(prompt), dtype=torch.bool, device=prompt.device)
    predicted: list[Tensor] = []
    while True:
        symbols = _drawn(logits, temperature, generator)
        if stop is not None:
            symbols = torch.where(ended, stop, symbols)
            ended = ended | (symbols == stop)
        predicted.append(symbols)
        if len(predicted) == steps or bool(ended.all()):
            return torch.stack(predicted, dim=1)
        logits, state = network(symbols[:, None], state)
        logits = logits[:, 0]


def _drawn(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    if temperature == 0:
        return logits.argmax(dim=-1)
    # The largest is subtracted before the division, so that a small temperature gives no infinities of both signs.
    # Doubles hold every temperature above 0, and the largest logit remains 0.
    spread = (logits - logits.amax(dim=-1, keepdim=True)).double() / temperature
    weights = torch.softmax(spread, dim=-1)
    device = weights.device if generator is None else generator.device
    return torch.multinomial(weights.to(device), 1, generator=generator)[:, 0].to(logits.device)
