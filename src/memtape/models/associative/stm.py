"""STM: the self-attentive associative memory with two memories, one of items and one of relations."""

from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import Cell
from memtape.core.recurrent import Recurrent, runs
from memtape.core.state import state
from memtape.core.view import HEAD, View, Views
from memtape.ops import feature_similarities, outer_product_attention
from memtape.sharing.shareable import Shareable

GATE_BIASES = {"input": 0.0, "forget": 1.0}
"""The initial biases of the gates of the item memory."""


@state
class STMState:
    """The item memory, a matrix, and the relational memory, a matrix for each query."""

    items: Float[Tensor, "*batch width width"]
    relations: Float[Tensor, "*batch queries width width"]


class STMCell(Cell[STMState]):
    r"""Compute one step of a network with a memory of items and a memory of relations between items.

    The input is mapped linearly to an item $f_1$, a key $f_2$ and, by a softmax, weights $f_3$ of the queries. The item is
    written to the item memory with an input gate and a forget gate. A reading $v$ of the relational memory, bound to its
    key, is added to a copy of the item memory. Self-attention relates the rows of this copy in $n$ matrices, which are
    added to the relational memory and, through a linear map $T$, to the item memory.

    $$M^i \leftarrow F \odot M^i + I \odot \tanh(f_1 \otimes f_1), \qquad
    [I, F] = \sigma\bigl(U f_1 + V \tanh(M^i) + b\bigr)$$

    $$v = \sum_s f_{3s} f_2^\top M^r_s, \qquad [q, k, u] = \operatorname{LN}\bigl((M^i + \alpha_2 v \otimes f_2) W\bigr)^\top,
    \qquad Y_s = \sum_{j=1}^n \tanh(q_s \odot k_j) \otimes u_j$$

    $$M^r \leftarrow \alpha_1 M^r + Y, \qquad M^i \leftarrow M^i + \alpha_3 T(Y)$$

    The layer normalisation is over all entries of the matrix of a sequence. The map $T$ takes the columns of all $Y_s$,
    concatenated, to the rows of the item memory. The scalars $\alpha$ are learned and initialised to 0, so at first the
    relational memory has the relations of the current step alone. Both initial memories are learned, and initialised
    uniformly. The output is computed from the relational memory: a linear map, the same for each $M^r_s$, a linear map of
    the results, two layers of rectified units, and a linear map.

    The largest tensors are the relational memories of all steps of the batch. $T$ is applied to the similarities before they
    are multiplied by the values, which gives the same result with $n$ vectors for each sequence instead of $d$.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        queries: number $n$ of queries, of keys and of values, and of matrices of the relational memory.
        width: number $d$ of rows and of columns of each matrix.
        item_write: "gated" as above, or "sum" without gates and tanh, $M^i \leftarrow M^i + f_1 \otimes f_1$, which the
            authors use for the task of the Nth farthest vector.
        relation_size: size of the vector to which each matrix of the relational memory is mapped for the output.
        summary_size: size of the vector to which these vectors together are mapped.
        mlp_size: number of units of each of the two layers of the output.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or `item_write` is unknown.

    References:
        Le, Tran & Venkatesh (2020), "Self-attentive associative memory", arXiv:2002.03519, section 3, and the authors' code.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        queries: int = 8,
        width: int = 96,
        item_write: Literal["gated", "sum"] = "gated",
        relation_size: int = 96,
        summary_size: int = 64,
        mlp_size: int = 128,
    ):
        super().__init__()
        checks.module_sizes(self, input_size=input_size, output_size=output_size, queries=queries, width=width)
        checks.module_sizes(self, relation_size=relation_size, summary_size=summary_size, mlp_size=mlp_size)
        checks.one_of(("gated", "sum"), item_write=item_write)
        self.input_size, self.output_size = input_size, output_size
        self.queries = queries
        self.to_item = nn.Linear(input_size, width)
        self.to_key = nn.Linear(input_size, width)
        self.to_weights = nn.Linear(input_size, queries)
        self.gates = ItemGates(width) if item_write == "gated" else None
        self.to_attention = nn.Linear(width, 3 * queries)
        self.norm = nn.LayerNorm([width, 3 * queries])
        self.transfer = nn.Linear(queries * width, width, bias=False)
        self.transfer_bias = nn.Parameter(torch.zeros(width))
        self.retention = nn.Parameter(torch.zeros(()))
        self.recall_strength = nn.Parameter(torch.zeros(()))
        self.transfer_strength = nn.Parameter(torch.zeros(()))
        self.initial_items = nn.Parameter(_uniform((2 * width) ** -0.5, width, width))
        self.initial_relations = nn.Parameter(_uniform((2 * width + queries) ** -0.5, queries, width, width))
        self.to_relation = nn.Linear(width * width, relation_size)
        self.to_output = nn.Sequential(
            nn.Linear(queries * relation_size, summary_size),
            nn.Linear(summary_size, mlp_size),
            nn.ReLU(),
            nn.Linear(mlp_size, mlp_size),
            nn.ReLU(),
            nn.Linear(mlp_size, output_size),
        )

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> STMState:
        """Return the learned initial memories, expanded to the batch."""
        items, relations = (
            memory.to(device=device, dtype=dtype).expand(batch_size, *memory.shape)
            for memory in (self.initial_items, self.initial_relations)
        )
        return STMState(items=items, relations=relations)

    def forward(
        self, x: Float[Tensor, "batch input"], state: STMState
    ) -> tuple[Float[Tensor, "batch output"], STMState]:
        """Take one step."""
        key = self.to_key(x)
        items = self._written(self.to_item(x), state.items)
        recalled = self._reading(key, self.query_weights(x), state.relations)
        bound = torch.einsum("bi,bj->bij", recalled, key)
        attention = self.norm(self.to_attention(items + self.recall_strength * bound))
        queries, keys, values = attention.mT.chunk(3, dim=1)
        similarities = feature_similarities(queries, keys)
        related = outer_product_attention(similarities, values)
        relations = torch.addcmul(related, self.retention, state.relations)
        items = items + self.transfer_strength * self._transferred(similarities, values)
        return self._output(relations), STMState(items=items, relations=relations)

    def query_weights(self, x: Float[Tensor, "batch input"]) -> Float[Tensor, "batch queries"]:
        """Return the weights $f_3$ with which the matrices of the relational memory are read."""
        return self.to_weights(x).softmax(-1)

    def views(self, x: Float[Tensor, "batch input"], state: STMState) -> Views:
        """Return the weights of the queries, and both memories after the step."""
        _, after = self(x, state)
        return (
            View(
                name="query_weights",
                title="Weights of the queries",
                values=self.query_weights(x),
                axes=("query",),
                scale="share",
                measure="weight",
            ),
            View(
                name="items",
                title="Item memory",
                values=after.items,
                axes=("row", "column"),
                scale="signed",
                measure="value",
            ),
            View(
                name="relations",
                title="Relational memory",
                values=after.relations,
                axes=(HEAD, "feature", "value"),
                scale="signed",
                measure="value",
            ),
        )

    def _written(self, item: Float[Tensor, "batch width"], items: Tensor) -> Float[Tensor, "batch width width"]:
        """Return the item memory after the item is written."""
        added = torch.einsum("bi,bj->bij", item, item)
        if self.gates is None:
            return items + added
        write, keep = self.gates(item, items)
        return keep * items + write * added.tanh()

    def _reading(self, key: Tensor, weights: Tensor, relations: Tensor) -> Float[Tensor, "batch width"]:
        """Return the reading $v$ of the relational memory."""
        by_feature = torch.einsum("bs,bi->bsi", weights, key)
        return torch.einsum("br,brf->bf", by_feature.flatten(1), relations.flatten(1, 2))

    def _transferred(self, similarities: Tensor, values: Tensor) -> Float[Tensor, "batch width width"]:
        """Return $T(Y)$, with the linear map applied before the product with the values."""
        mapped = self.transfer(similarities.transpose(1, 2).flatten(2))
        return torch.einsum("bjf,bje->bfe", values, mapped) + self.transfer_bias

    def _output(self, relations: Float[Tensor, "batch queries width width"]) -> Float[Tensor, "batch output"]:
        return self.to_output(self.to_relation(relations.flatten(2)).flatten(1))


class ItemGates(nn.Module):
    r"""Compute the input gate and the forget gate of an item memory, one value for each entry of the memory.

    $$[I, F] = \sigma\bigl(U f + V \tanh(M) + b\bigr)$$

    Args:
        width: number of rows and of columns of the memory.
    """

    def __init__(self, width: int):
        super().__init__()
        self.from_item = nn.Linear(width, 2 * width)
        self.from_memory = nn.Linear(width, 2 * width, bias=False)
        with torch.no_grad():
            for bias, value in zip(self.from_item.bias.chunk(2), GATE_BIASES.values(), strict=True):
                bias.fill_(value)

    def forward(
        self, item: Float[Tensor, "batch width"], items: Float[Tensor, "batch width width"]
    ) -> tuple[Float[Tensor, "batch width width"], Float[Tensor, "batch width width"]]:
        """Return the input gate and the forget gate."""
        write, keep = (self.from_item(item)[:, None] + self.from_memory(items.tanh())).sigmoid().chunk(2, dim=-1)
        return write, keep


def _uniform(bound: float, *shape: int) -> Tensor:
    return torch.empty(shape).uniform_(-bound, bound)


class STM(Recurrent[STMState], Shareable):
    """Run a self-attentive associative memory over sequences; the arguments are those of `STMCell`.

    Example:
        >>> import torch
        >>> from memtape import STM
        >>> ys, state = STM(input_size=3, output_size=2, queries=4, width=10)(torch.zeros(2, 5, 3))
        >>> ys.shape, state.items.shape, state.relations.shape
        (torch.Size([2, 5, 2]), torch.Size([2, 10, 10]), torch.Size([2, 4, 10, 10]))
    """

    __init__ = runs(STMCell)


CARD = ModelCard(
    name="stm",
    summary="Two memories, of items and of relations between them, related by outer-product attention.",
    paper=("le2020",),
    inputs=("sequences",),
    small={"queries": 2, "width": 3, "relation_size": 2, "summary_size": 3, "mlp_size": 4},
)
