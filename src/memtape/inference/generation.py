"""Generation: a network of symbols that runs freely, its own output being its next input."""

from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memtape import ops
from memtape.core import checks


@runtime_checkable
class SymbolNetwork(Protocol):
    """What can run freely, such as a `Recurrent`: it reads symbols and returns logits over the same symbols."""

    input_size: int
    output_size: int

    def __call__(
        self, symbols: Int[Tensor, "batch time"], state: Any = None, *, lengths: Int[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch time output"], Any]:
        """Return the logits after each symbol, and the state after the last."""
        ...


@torch.no_grad()
def generate(
    network: SymbolNetwork,
    prompt: Int[Tensor, "batch time"],
    state: Any = None,
    *,
    steps: int,
    lengths: Int[Tensor, " batch"] | None = None,
    temperature: float = 1.0,
    stop: int | None = None,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "batch steps"]:
    r"""Let a network go on from a prompt: each symbol is drawn from its outputs and fed back.

    $$y_t \sim \operatorname{softmax}(o_t / \tau), \qquad x_{t+1} = y_t$$

    Args:
        network: reads symbols, and returns logits over the same symbols; call its `eval()` first if it has dropout.
        prompt: what it reads before it says anything, at least one symbol in each row.
        state: the state to begin from; None means the network's initial state. A context vector is one of a network over a
            `Conditioned` cell: `conditioned.begin(context)`.
        steps: number of symbols to say at most.
        lengths: how many symbols of each prompt count; None means all.
        temperature: $\tau$; below 1 likely symbols become likelier, 0 takes the most likely one.
        stop: the symbol after which a row says no more and is filled with it; None lets all rows speak to the end.
        generator: source of the randomness; None for torch's own.

    Returns:
        What was said, without the prompt; fewer steps than asked for if all rows stopped before.

    Raises:
        TypeError: `steps` is no whole number.
        ValueError: fewer than 1 step, a temperature below 0, an empty prompt, or a network of other outputs than inputs.
    """
    checks.at_least(1, steps=steps)
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature is {temperature}, but it divides logits; give a number of at least 0")
    if network.input_size != network.output_size:
        raise ValueError(
            f"the network reads {network.input_size} symbols and says {network.output_size}, but what it says is read again; "
            "use one that was trained to predict its own inputs"
        )
    if prompt.shape[1] == 0 or (lengths is not None and bool((lengths < 1).any())):
        raise ValueError(
            "a prompt is empty, but a network speaks after what it has read; give each row at least one symbol"
        )
    logits, state = network(prompt, state, lengths=lengths)
    logits = ops.last_step(logits, lengths)
    ended = torch.zeros(len(prompt), dtype=torch.bool, device=prompt.device)
    said: list[Tensor] = []
    while True:
        symbols = _drawn(logits, temperature, generator)
        if stop is not None:
            symbols = torch.where(ended, stop, symbols)
            ended = ended | (symbols == stop)
        said.append(symbols)
        if len(said) == steps or bool(ended.all()):
            return torch.stack(said, dim=1)
        logits, state = network(symbols[:, None], state)
        logits = logits[:, 0]


def _drawn(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    if temperature == 0:
        return logits.argmax(dim=-1)
    # Divided after the largest is taken off, so that a small temperature makes no infinities of both signs.
    spread = (logits - logits.amax(dim=-1, keepdim=True)) / temperature
    weights = torch.softmax(spread, dim=-1)
    device = weights.device if generator is None else generator.device
    return torch.multinomial(weights.to(device), 1, generator=generator)[:, 0].to(logits.device)
