"""Episode attention: the gates with which a dynamic memory network chooses the sentences of an episode."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from memtape import ops
from memtape.core import checks


class EpisodeAttention(nn.Module):
    r"""Score every sentence by its likeness to the question $q$ and the memory $m$, and turn scores into gates.

    $$g = \operatorname{softmax}(e), \qquad e_t = w^\top \tanh(W z_t + b) + b', \qquad
    z_t = [f_t \circ q;\ f_t \circ m;\ |f_t - q|;\ |f_t - m|]$$

    With sigmoid gates, as of 2015, every sentence is chosen by itself, from more features:

    $$g_t = \sigma(e_t), \qquad z_t = [f_t;\ m;\ q;\ f_t \circ q;\ f_t \circ m;\ |f_t - q|;\ |f_t - m|;\
    f_t^\top W_b q;\ f_t^\top W_b m]$$

    Args:
        size: size of $f_t$, $q$ and $m$, and number of tanh units.
        gates: how scores become gates.

    Raises:
        ValueError: the size is below 1, or the kind of gates is unknown.

    References:
        Xiong, Merity & Socher (2016), "Dynamic memory networks for visual and textual question answering", arXiv:1603.01417,
        section 3.3; Kumar et al. (2016), "Ask me anything: dynamic memory networks for natural language processing",
        arXiv:1506.07285, section 2.3.
    """

    def __init__(self, size: int, *, gates: Literal["softmax", "sigmoid"]):
        super().__init__()
        checks.module_sizes(self, size=size)
        checks.one_of(("softmax", "sigmoid"), gates=gates)
        self.gates = gates
        self.hidden = nn.Linear(4 * size if gates == "softmax" else 7 * size + 2, size)
        self.score = nn.Linear(size, 1)
        if gates == "sigmoid":
            self.bilinear = nn.Linear(size, size, bias=False)

    def forward(
        self,
        facts: Float[Tensor, "batch sentences size"],
        present: Bool[Tensor, "batch sentences"],
        question: Float[Tensor, "batch size"],
        memory: Float[Tensor, "batch size"],
    ) -> Float[Tensor, "batch sentences"]:
        """Return the gate of each sentence, 0 where it is absent.

        Args:
            facts: $f$.
            present: which sentences there are.
            question: $q$.
            memory: $m$.
        """
        compared = question[:, None], memory[:, None]
        features = [facts * one for one in compared] + [(facts - one).abs() for one in compared]
        if self.gates == "softmax":
            return ops.attention_weights(self._scores(features)[:, None], present)[:, 0]
        alone = [facts, *(one[:, None].expand_as(facts) for one in (memory, question))]
        products = facts @ self.bilinear(torch.stack([question, memory], dim=1)).mT
        features = [*alone, *features, products]
        return torch.where(present, torch.sigmoid(self._scores(features)), 0)

    def _scores(self, features: list[Tensor]) -> Float[Tensor, "batch sentences"]:
        return self.score(torch.tanh(self.hidden(torch.cat(features, dim=2))))[:, :, 0]
