"""Decoding: the most likely output sequence of a network that generates one symbol after another."""

from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils import _pytree as pytree

from memtape.core import checks, state_tree
from memtape.core.inputs.pairs import BOUNDARY
from memtape.core.state import state
from memtape.core.symbols import in_vocabulary


@runtime_checkable
class Speaker(Protocol):
    """A network that can be decoded, such as `Seq2Seq`: it returns the logits of the next symbol after the last one."""

    output_size: int

    def step(self, symbols: Int[Tensor, " batch"], state: Any) -> tuple[Float[Tensor, "batch output"], Any]:
        """Return the logits of the next symbol, and the next state."""
        ...


@state
class Decoded:
    """Decoded sequences and their log-likelihoods."""

    symbols: Int[Tensor, "*batch time"]
    """The generated symbols, including the stop symbol, which also pads rows that end early."""
    lengths: Int[Tensor, "*batch"]
    """Number of symbols of each row, including the stop symbol."""
    log_likelihood: Float[Tensor, "*batch"]
    """Sum of the log-probabilities of these symbols."""


@torch.no_grad()
def greedy(
    network: Speaker, begin: Any, *, longest: int = 100, start: int = BOUNDARY, stop: int | None = BOUNDARY
) -> Decoded:
    r"""Generate the most likely symbol at every step, until each row stops (greedy decoding).

    $$y_t = \arg\max_y p(y \mid y_1 \dots y_{t-1})$$

    Args:
        network: the network that generates; call its `eval()` first if it has dropout.
        begin: the state before the first step, such as `Seq2Seq.begin(source, lengths)`.
        longest: maximal number of symbols of a row.
        start: the symbol that is fed in at the first step.
        stop: the symbol that ends a row; None generates `longest` symbols.

    Returns:
        One sequence for each row.

    Raises:
        TypeError: `longest` or a symbol is not an integer.
        ValueError: `longest` is below 1, or `start` or `stop` is outside the vocabulary of the network.
    """
    checks.at_least(1, longest=longest)
    in_vocabulary(network.output_size, start=start, **({} if stop is None else {"stop": stop}))
    batch, device = _rows_and_device(begin)
    symbols = torch.full((batch,), int(start), device=device)
    ended = torch.zeros(batch, dtype=torch.bool, device=device)
    lengths = torch.zeros(batch, dtype=torch.long, device=device)
    total, now = torch.zeros(batch, device=device), begin
    predicted: list[Tensor] = []
    while len(predicted) < longest and not ended.all():
        logits, now = network.step(symbols, now)
        gain, symbols = torch.log_softmax(logits, dim=-1).max(dim=-1)
        total = total + torch.where(ended, 0, gain)
        lengths = lengths + ~ended
        if stop is not None:
            symbols = torch.where(ended, int(stop), symbols)
            ended = ended | (symbols == stop)
        predicted.append(symbols)
    return Decoded(symbols=torch.stack(predicted, dim=1), lengths=lengths, log_likelihood=total)


@torch.no_grad()
def beam_search(
    network: Speaker,
    begin: Any,
    *,
    width: int = 5,
    length_penalty: float = 1.0,
    longest: int = 100,
    start: int = BOUNDARY,
    stop: int | None = BOUNDARY,
) -> Decoded:
    r"""Keep the best few partial sequences of every row, and return the best sequences (beam search).

    $$\text{score}(y) = \frac{\log p(y)}{|y|^a}$$

    A sequence that has stopped stays in the beam while its score is among the best. A width of 1 is `greedy`; a width
    of the number of all sequences finds the best of all.

    Args:
        network: the network that generates; call its `eval()` first if it has dropout.
        begin: the state before the first step, such as `Seq2Seq.begin(source, lengths)`.
        width: number of partial sequences that are kept for each row.
        length_penalty: $a$; 0 takes the most likely sequence, which favours short ones, 1 the best mean log-probability
            of a symbol.
        longest: maximal number of symbols of a sequence.
        start: the symbol that is fed in at the first step.
        stop: the symbol that ends a sequence; None generates `longest` symbols.

    Returns:
        `width` sequences for each row, the best first, tensors of shape (batch, width, ...). If there are fewer, the
        rest have a likelihood of 0.

    Raises:
        TypeError: `width`, `longest` or a symbol is not an integer.
        ValueError: a number below 1, a penalty below 0, or a symbol outside the vocabulary of the network.

    References:
        Graves (2012), "Sequence transduction with recurrent neural networks", arXiv:1211.3711; normalisation by length: Cho et
        al. (2014), "On the properties of neural machine translation", arXiv:1409.1259.
    """
    checks.at_least(1, width=width, longest=longest)
    in_vocabulary(network.output_size, start=start, **({} if stop is None else {"stop": stop}))
    if not 0 <= length_penalty < float("inf"):
        raise ValueError(
            f"length_penalty is {length_penalty}, but it is a power of the length; give a number of at least 0"
        )
    batch, device = _rows_and_device(begin)
    first_of_row = torch.arange(batch, device=device)[:, None] * width
    now = _rows(begin, torch.arange(batch, device=device).repeat_interleave(width))
    total = torch.full((batch, width), -torch.inf, device=device)
    total[:, 0] = 0  # all partial sequences are still equal
    ended = torch.zeros(batch, width, dtype=torch.bool, device=device)
    lengths = torch.zeros(batch, width, dtype=torch.long, device=device)
    predicted = torch.full((batch, width, 1), int(start), device=device)
    for _ in range(longest):
        logits, now = network.step(predicted[:, :, -1].flatten(), now)
        gains = torch.log_softmax(logits, dim=-1).unflatten(0, (batch, width))
        silence = torch.full_like(gains, -torch.inf)
        silence[:, :, BOUNDARY if stop is None else stop] = 0  # without a stop symbol no sequence has ended
        totals = total[:, :, None] + torch.where(ended[:, :, None], silence, gains)
        lengths = lengths + ~ended
        scores = totals / (lengths[:, :, None] ** length_penalty)
        best = scores.flatten(1).topk(width).indices
        parent, symbol = best // gains.shape[2], best % gains.shape[2]
        total = totals.flatten(1).gather(1, best)
        lengths, ended = lengths.gather(1, parent), ended.gather(1, parent)
        if stop is not None:
            ended = ended | (symbol == stop)
        predicted = torch.cat([predicted.gather(1, parent[:, :, None].expand_as(predicted)), symbol[:, :, None]], dim=2)
        if bool((ended | total.isinf()).all()):
            break
        now = _rows(now, (first_of_row + parent).flatten())
    return Decoded(symbols=predicted[:, :, 1:], lengths=lengths, log_likelihood=total)


def _rows(state: Any, chosen: Tensor) -> Any:
    return pytree.tree_map(lambda leaf: leaf[chosen], state)


def _rows_and_device(state: Any) -> tuple[int, torch.device]:
    leaf = state_tree.leaves(state)[0]
    return len(leaf), leaf.device
