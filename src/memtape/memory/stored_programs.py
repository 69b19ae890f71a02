"""Stored programs: for each head a memory of linear maps, of which the controller chooses a mixture in every step."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from memtape import ops
from memtape.core import checks
from memtape.core.known_parts import KeepsForward
from memtape.core.view import HEAD, View
from memtape.memory.program_options import ProgramOptions
from memtape.ops.stored_programs import unit

GAIN = 1.4
"""Gain of the Xavier initialisation of programs and queries (the authors' code)."""
BIAS_DEVIATION = 0.01
"""Standard deviation of the initial biases of queries and strengths (the authors' code)."""


class StoredPrograms(KeepsForward):
    r"""Compute the interface vector by a mixture of linear maps, for each head its own, instead of one linear layer.

    $$q = W_q h + b_q, \quad \beta = \log(1 + e^{w_\beta h + b_\beta}), \quad
    w = \operatorname{softmax}_i(\beta \cos(\tanh k_i, \tanh q)), \quad \xi = \sum_i w_i (V_i h + b_i)$$

    for each head. All $P$ products are computed and then mixed, which is equal to the product with the mixed weights. With
    direct addressing the scores are $\beta q$. Programs and keys are parameters; they do not change within a sequence. The
    initial values of the keys and the programs of a head are Xavier uniform as one matrix of $P$ rows, with gain 1.4.

    Hard programs take the best program; in training, of scores with noise, $(s_i + g_i) / \tau$ with
    $g_i \sim \text{Gumbel}$, drawn anew in each step from the generator of torch. The forward pass then has a one-hot $w$,
    the backward pass the gradient of the softmax.

    Args:
        hidden_size: size of the hidden vector $h$.
        sizes: size of each block of the interface vector.
        heads: for each block, the heads to which it belongs, each of which has an equal part of it.
        options: number and addressing of the programs.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or a block cannot be divided among its heads.

    References:
        Le, Tran & Venkatesh (2020), "Neural stored-program memory", arXiv:1906.08862, section 3.1.
    """

    def __init__(self, hidden_size: int, sizes: Sequence[int], heads: Sequence[range], options: ProgramOptions):
        super().__init__()
        checks.module_sizes(self, hidden_size=hidden_size)
        for size, owners in zip(sizes, heads, strict=True):
            if size % len(owners):
                raise ValueError(
                    f"a block has {size} numbers, which cannot be divided among {len(owners)} heads; give a multiple"
                )
        self.sizes, self.owners, self.options = list(sizes), list(heads), options
        self.heads = max(owners.stop for owners in heads)
        programs, size = options.programs, options.query_size
        self.weights = nn.Parameter(torch.zeros(programs, sum(sizes), hidden_size))
        self.biases = nn.Parameter(torch.zeros(programs, sum(sizes)))
        direct = options.addressing == "direct"
        self.keys = None if direct else nn.Parameter(torch.zeros(self.heads, programs, size))
        self.query = nn.Linear(hidden_size, self.heads * (size + 1))
        self._initialise()

    def chosen(self, hidden: Float[Tensor, "batch hidden"]) -> Float[Tensor, "batch heads programs"]:
        """Return the weights of the programs of each head."""
        size = self.options.query_size
        queries, raw = self.query(hidden).split([self.heads * size, self.heads], dim=-1)
        queries, strengths = queries.unflatten(-1, (self.heads, size)), functional.softplus(raw)
        keys = self.keys
        if keys is None:
            scores = queries * strengths[:, :, None]
        elif self.options.addressing == "cosine":
            scores = ops.program_scores(keys, queries, strengths)
        else:
            scores = ops.program_scores(torch.tanh(keys), torch.tanh(queries), strengths)
        if not self.options.hard:
            return torch.softmax(scores, dim=-1)
        if self.training:
            noise = -torch.empty_like(scores).exponential_().log()
            scores = (scores + noise) / self.options.temperature
        soft = torch.softmax(scores, dim=-1)
        return soft + (ops.one_hot_of_largest(soft) - soft).detach()

    def forward(self, hidden: Float[Tensor, "batch hidden"]) -> Float[Tensor, "batch interface"]:
        """Compute the interface vector from the hidden vector."""
        chosen = self.chosen(hidden)
        products = functional.linear(hidden, self.weights.flatten(0, 1), self.biases.flatten())
        blocks = products.unflatten(-1, (self.options.programs, -1)).split(self.sizes, dim=-1)
        mixed = [
            ops.mix_programs(block.unflatten(-1, (len(heads), -1)), chosen[:, heads.start : heads.stop]).flatten(1)
            for block, heads in zip(blocks, self.owners, strict=True)
        ]
        return torch.cat(mixed, dim=-1)

    def rows(self) -> tuple[Float[Tensor, "rows hidden"], Float[Tensor, " rows"]]:
        """Return weight and bias of one layer that computes the vectors of all programs, the queries and the strengths."""
        weight = torch.cat([self.weights.flatten(0, 1), self.query.weight])
        return weight, torch.cat([self.biases.flatten(), self.query.bias])

    def directions(self) -> Float[Tensor, "heads programs key"]:
        """Return the keys as queries are compared with them, of norm 1; of size 0 without keys."""
        keys = self.keys
        if keys is None:
            return self.weights.new_empty(self.heads, self.options.programs, 0)
        return unit(torch.tanh(keys) if self.options.addressing == "cosine-of-tanh" else keys)

    def view(self, hidden: Float[Tensor, "batch hidden"]) -> View:
        """Return the view of the weights of the programs."""
        return View(
            name="programs",
            title="Programs",
            values=self.chosen(hidden),
            axes=(HEAD, "program"),
            scale="level",
            measure="weight",
            entries=tuple(str(number) for number in range(1, self.options.programs + 1)),
        )

    @torch.no_grad()
    def _initialise(self) -> None:
        hidden, programs = self.weights.shape[2], self.options.programs
        keys = self.keys
        for head in range(self.heads):
            of_head = [self._part(block, head) for block, owners in enumerate(self.owners) if head in owners]
            length = sum(part.stop - part.start for part in of_head) * (hidden + 1)
            bound = _xavier(programs, length + (0 if keys is None else keys.shape[2]))
            drawn = [tensor[:, part] for part in of_head for tensor in (self.weights, self.biases)]
            for tensor in [*drawn, *([] if keys is None else [keys[head]])]:
                tensor.uniform_(-bound, bound)
        queries = self.heads * self.options.query_size
        self.query.weight[:queries].uniform_(*_both(_xavier(hidden, self.options.query_size)))
        self.query.weight[queries:].uniform_(*_both(_xavier(hidden, 1)))
        nn.init.normal_(self.query.bias, std=BIAS_DEVIATION)

    def _part(self, block: int, head: int) -> slice:
        """Return the entries of a block that belong to a head."""
        owners = self.owners[block]
        size = self.sizes[block] // len(owners)
        begin = sum(self.sizes[:block]) + (head - owners.start) * size
        return slice(begin, begin + size)


def _xavier(rows: int, columns: int) -> float:
    """Return the bound of the Xavier uniform initialisation of a matrix."""
    return GAIN * math.sqrt(6 / (rows + columns))


def _both(bound: float) -> tuple[float, float]:
    return -bound, bound
