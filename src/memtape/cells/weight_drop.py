"""Weight drop: DropConnect on recurrent weights."""

from typing import Any

from torch import nn
from torch.func import functional_call
from torch.nn import functional

from memtape.core import checks


class WeightDrop(nn.Module):
    r"""Drop entries of the recurrent matrices of a network in training, with one mask per call.

    $$\tilde U = U \odot m, \qquad m \sim \text{Bernoulli}(1 - p) / (1 - p)$$

    The masks are drawn once per call, for all rows and steps, so fused kernels stay in use.

    Args:
        network: a network that is called like `Recurrent`.
        rate: the probability $p$ that an entry is dropped.
        weights: suffix of the names of the parameters to drop.

    Raises:
        ValueError: the rate is outside 0..1, or no parameter has such a name.

    References:
        Wan, Zeiler, Zhang, Le Cun & Fergus (2013), "Regularization of neural networks using DropConnect", ICML; Merity,
        Keskar & Socher (2018), "Regularizing and optimizing LSTM language models", arXiv:1708.02182.
    """

    def __init__(self, network: nn.Module, rate: float, *, weights: str = "from_hidden.weight"):
        super().__init__()
        checks.probabilities(rate=rate)
        self.network = network
        self.rate = rate
        self.names = [name for name, _ in network.named_parameters() if name.endswith(weights)]
        if not self.names:
            raise ValueError(
                f"no parameter of {type(network).__name__} has a name that ends with {weights!r}; give the suffix of one"
            )
        self.input_size: Any = network.input_size
        self.output_size: Any = network.output_size

    def init_state(self, batch_size: int, *, device: Any = None, dtype: Any = None) -> Any:
        """Return the initial state of the network."""
        return self.network.init_state(batch_size, device=device, dtype=dtype)  # type: ignore[operator]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the network with dropped weights; arguments and results are those of the network."""
        if not self.training or not self.rate:
            return self.network(*args, **kwargs)
        parameters = dict(self.network.named_parameters())
        dropped = {name: functional.dropout(parameters[name], self.rate) for name in self.names}
        return functional_call(self.network, dropped, args, kwargs)
