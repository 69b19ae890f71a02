"""Attention GRU: a GRU over the sentences of a story that takes in each of them as far as its gate is open."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from memtape.core import checks


class AttentionGRU(nn.Module):
    r"""Read vectors one after another, each as far as its gate $g_t$ is open, and return the last state.

    $$(r_t, z_t) = \sigma(W_{rz} f_t + U_{rz} h_{t-1} + b_{rz}), \qquad
    n_t = \tanh\bigl(W_n f_t + b_n + r_t \odot (U_n h_{t-1} + b'_n)\bigr)$$

    $$h_t = h_{t-1} + g_t (1 - z_t) \odot (n_t - h_{t-1}), \qquad h_0 = 0$$

    This is $g_t \operatorname{GRU}(f_t, h_{t-1}) + (1 - g_t) h_{t-1}$. Without update gates, $z_t = 0$, the gate $g_t$
    replaces them. A vector whose gate is 0 changes nothing.

    Args:
        size: size of $f_t$ and of $h_t$.
        update_gates: whether there are update gates $z_t$.

    Raises:
        ValueError: the size is below 1.

    References:
        Kumar et al. (2016), "Ask me anything: dynamic memory networks for natural language processing", arXiv:1506.07285,
        section 2.3, with update gates; Xiong, Merity & Socher (2016), "Dynamic memory networks for visual and textual question
        answering", arXiv:1603.01417, section 3.3, without.
    """

    def __init__(self, size: int, *, update_gates: bool):
        super().__init__()
        checks.module_sizes(self, size=size)
        self.size, self.blocks = size, 3 if update_gates else 2
        self.from_fact = nn.Linear(size, self.blocks * size)
        self.from_hidden = nn.Linear(size, self.blocks * size)

    def forward(
        self, facts: Float[Tensor, "batch time size"], gates: Float[Tensor, "batch time"]
    ) -> Float[Tensor, "batch size"]:
        """Return the state after the last vector.

        Args:
            facts: $f$.
            gates: $g$, in 0..1.
        """
        sizes = [(self.blocks - 1) * self.size, self.size]
        for_gates, for_candidate = (part.unbind(1) for part in self.from_fact(facts).split(sizes, dim=2))
        hidden = facts.new_zeros(len(facts), self.size)
        for opened, given_gates, given in zip(gates[:, :, None].unbind(1), for_gates, for_candidate, strict=True):
            own_gates, own = self.from_hidden(hidden).split(sizes, dim=1)
            reset, *update = torch.sigmoid(given_gates + own_gates).split(self.size, dim=1)
            candidate = torch.tanh(torch.addcmul(given, reset, own))
            share = opened * (1 - update[0]) if update else opened
            hidden = torch.addcmul(hidden, share, candidate - hidden)
        return hidden
