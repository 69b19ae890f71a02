"""Sentence facts: the vector of each sentence of a story, which knows of the sentences around it."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from memtape.cells import Bidirectional, GRUCell
from memtape.core.unroll import unroll
from memtape.ops.sentence import NIL, position_encoded


class FusedSentences(nn.Module):
    r"""Encode each sentence by the positions of its words, and let a GRU in each direction pass over the sentences.

    $$s_t = \sum_j l_j \circ A x_{tj}, \qquad
    f_t = \overrightarrow{\operatorname{GRU}}(s)_t + \overleftarrow{\operatorname{GRU}}(s)_t$$

    Args:
        embedding_size: size of $s_t$.
        size: size of $f_t$.

    References:
        Xiong, Merity & Socher (2016), "Dynamic memory networks for visual and textual question answering", arXiv:1603.01417,
        section 3.1.
    """

    def __init__(self, embedding_size: int, size: int):
        super().__init__()
        self.size = size
        self.fusion = Bidirectional(GRUCell(embedding_size, size), GRUCell(embedding_size, size))

    def forward(
        self,
        sentences: Int[Tensor, "batch sentences words"],
        present: Bool[Tensor, "batch sentences"],
        table: Float[Tensor, "symbols embedding"],
    ) -> Float[Tensor, "batch sentences size"]:
        r"""Return $f$, zero for absent sentences.

        Args:
            sentences: the words.
            present: which sentences there are; they come first in their row.
            table: $A^\top$, the embedding of each symbol.
        """
        if not sentences.shape[1]:
            return table.new_zeros(len(sentences), 0, self.size)
        both, _ = self.fusion(position_encoded(sentences, table), lengths=present.sum(1))
        return both[:, :, : self.size] + both[:, :, self.size :]


class WordsInOrder(nn.Module):
    r"""Let a GRU pass over all words of the story; the vector of a sentence is the state after its last word.

    Args:
        embedding_size: size of the embedding of a word.
        size: size of the vectors.

    References:
        Kumar et al. (2016), "Ask me anything: dynamic memory networks for natural language processing", arXiv:1506.07285,
        section 2.1.
    """

    def __init__(self, embedding_size: int, size: int):
        super().__init__()
        self.size = size
        self.gru = GRUCell(embedding_size, size)

    def forward(
        self,
        sentences: Int[Tensor, "batch sentences words"],
        present: Bool[Tensor, "batch sentences"],
        table: Float[Tensor, "symbols embedding"],
    ) -> Float[Tensor, "batch sentences size"]:
        """Return the vectors, zero for absent sentences.

        Args:
            sentences: the words.
            present: which sentences there are; they come first in their row.
            table: the embedding of each symbol.
        """
        words = sentences.flatten(1)
        # The sort is stable: words keep their order, and absent words follow all of them.
        packed = words.gather(1, (words == NIL).to(torch.uint8).argsort(dim=1, stable=True))
        states = states_over_words(self.gru, packed, table)
        last = (sentences != NIL).sum(2).cumsum(1) - 1
        if not states.shape[1]:
            return table.new_zeros(*sentences.shape[:2], self.size)
        found = states.gather(1, last.clamp(min=0)[:, :, None].expand(-1, -1, self.size))
        return torch.where(present[:, :, None], found, 0)


def states_over_words(
    cell: GRUCell, words: Int[Tensor, "batch words"], table: Float[Tensor, "symbols embedding"]
) -> Float[Tensor, "batch longest size"]:
    """Return the states of a GRU over the embeddings of words, zero after the last word of a row.

    Args:
        cell: the GRU.
        words: the words; absent ones follow the others.
        table: the embedding of each symbol.
    """
    lengths = (words != NIL).sum(1)
    longest = int(lengths.max()) if len(words) else 0
    if not longest:
        return table.new_zeros(len(words), 0, cell.output_size)
    states, _, _ = unroll(cell, table[words[:, :longest]], lengths=lengths)
    return states
