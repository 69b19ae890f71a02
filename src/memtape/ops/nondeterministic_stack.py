"""Nondeterministic stack: the weights of all runs of a weighted pushdown automaton, by Lang's table.

The table has, for each time i and each later time k, the total weight of all runs between them that add one symbol to the
stack and never remove a symbol that was there at time i. With n steps it has about n^2 / 2 such blocks.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def stack_column(
    table: Float[Tensor, "batch symbols sources states symbols_below parts targets states_above"],
    push: Float[Tensor, "batch states symbols states symbols"],
    replace: Float[Tensor, "batch states symbols states symbols"],
    pop: Float[Tensor, "batch states symbols states"],
    pushed: Float[Tensor, "batch parts"],
) -> Float[Tensor, "batch operations symbols sources_and_one states symbols_below parts states_above"]:
    r"""Compute the blocks of the table that end at the next time, separately for the last operation of a run.

    With a run from state q and top symbol x at time i to state r and top symbol y at time t

    $$\gamma_{i \to t}[q, x \to r, y] = \underbrace{[i = t - 1]\, P_t[q, x \to r, y]}_{\text{push}} +
    \underbrace{\textstyle\sum_{s, z} \gamma_{i \to t-1}[q, x \to s, z]\, R_t[s, z \to r, y]}_{\text{replace}} +
    \underbrace{\textstyle\sum_{k, u} \gamma_{i \to k}[q, x \to u, y]\, \gamma'_{k \to t}[u, y \to r]}_{\text{pop}}$$

    $$\gamma'_{k \to t}[u, y \to r] = \textstyle\sum_{s, z} \gamma_{k \to t-1}[u, y \to s, z]\, O_t[s, z \to r]$$

    The sums over pops cost $n^2$ for each step, since $\gamma'$ is summed first.

    Args:
        table: $\gamma$ in the order y, i, q, x, part, k, r, times from the latest to the earliest. Part 0 has the weights;
            further parts have the sums of each entry of the vectors that the runs have in their top cell, times the weights.
        push: $P_t$, the weights of pushes.
        replace: $R_t$, the weights of replacements of the top symbol.
        pop: $O_t$, the weights of pops.
        pushed: 1 and the pushed vector.

    Returns:
        The new blocks after a push, a replacement and a pop; the first source is the time of this step.

    References:
        DuSell & Chiang (2020), "Learning context-free languages with nondeterministic stack RNNs", arXiv:2010.04674; (2022),
        "Learning hierarchical structures with differentiable nondeterministic stacks", arXiv:2109.01982; (2023), "The
        surprising computational power of nondeterministic stack RNNs", arXiv:2210.01343.
    """
    after_push = push.permute(0, 4, 1, 2, 3)[:, :, None, :, :, None, :] * pushed[:, None, None, None, None, :, None]
    last = table[..., 0, :]
    after_replace = torch.einsum("bziqxcs,bszry->byiqxcr", last, replace)
    popped = torch.einsum("bzkuys,bszr->bykur", last[..., 0, :], pop)
    inner = functional.pad(popped, (0, 0, 0, 0, 1, -1))  # the bottom symbol is never popped
    batch, symbols, sources, states, below, parts, targets, _ = table.shape
    rows = table.reshape(batch, symbols, sources * states * below * parts, targets * states)
    after_pop = (rows @ inner.reshape(batch, symbols, targets * states, states)).view(after_replace.shape)
    longer = functional.pad(torch.stack([after_replace, after_pop], dim=1), (0,) * 8 + (1, 0))
    first = functional.pad(after_push[:, None], (0,) * 8 + (0, sources))
    return torch.cat([first, longer], dim=1)


def stack_tops(
    column: Float[Tensor, "batch *operations symbols sources states symbols_below parts states_above"],
    sources: Float[Tensor, "batch sources states symbols_below"],
) -> Float[Tensor, "batch *operations states_above symbols parts"]:
    r"""Return the weights of all runs by their state and top symbol, and the sums of the vectors in their top cells.

    $$\alpha_t[r, y] = \sum_{i, q, x} \alpha_i[q, x]\, \gamma_{i \to t}[q, x \to r, y]$$

    Args:
        column: the blocks of the table that end at time t.
        sources: $\alpha_i$ for all earlier times, from the latest to the earliest.
    """
    return torch.einsum("b...yiqxcr,biqx->b...ryc", column, sources)
