"""Back-propagation through time for the plain recurrent network, written out equation by equation."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils import _pytree as pytree

from memtape.core.state import state


@state
class ElmanParameters:
    """The weights of a plain recurrent network with a linear readout, or their gradients."""

    from_input: Float[Tensor, "hidden input"]
    from_hidden: Float[Tensor, "hidden hidden"]
    bias: Float[Tensor, " hidden"]
    to_output: Float[Tensor, "output hidden"]
    output_bias: Float[Tensor, " output"]


@state
class ElmanGradients:
    """The gradients of a loss with respect to the parameters, inputs and hidden vectors of a plain recurrent network."""

    parameters: ElmanParameters
    inputs: Float[Tensor, "batch time input"]
    hidden: Float[Tensor, "batch time hidden"]
    """With respect to each hidden vector, including its effect through later steps."""
    initial: Float[Tensor, "batch hidden"]


def elman_forward(
    parameters: ElmanParameters, xs: Float[Tensor, "batch time input"], initial: Float[Tensor, "batch hidden"]
) -> tuple[Float[Tensor, "batch time hidden"], Float[Tensor, "batch time output"]]:
    r"""Run a plain recurrent network over sequences.

    $$h_t = \tanh(U x_t + W h_{t-1} + b), \qquad o_t = V h_t + c$$

    Args:
        parameters: $U$, $W$, $b$, $V$ and $c$.
        xs: $x_t$.
        initial: $h_0$.

    Returns:
        $h_t$ and $o_t$.

    References:
        Goodfellow, Bengio & Courville (2016), "Deep Learning", MIT Press, eqs. 10.8-10.10.
    """
    driven = xs @ parameters.from_input.mT + parameters.bias
    hidden, steps = initial, []
    for drive in driven.unbind(dim=1):
        hidden = torch.tanh(torch.addmm(drive, hidden, parameters.from_hidden.mT))
        steps.append(hidden)
    hiddens = torch.stack(steps, dim=1)
    return hiddens, hiddens @ parameters.to_output.mT + parameters.output_bias


def cross_entropy_gradient(
    logits: Float[Tensor, "batch time output"], targets: Int[Tensor, "batch time"]
) -> Float[Tensor, "batch time output"]:
    r"""Return the gradient of the cross-entropy, summed over steps and rows, with respect to the logits.

    $$\nabla_{o_t} L = \operatorname{softmax}(o_t) - \operatorname{onehot}(y_t)$$

    Args:
        logits: $o_t$.
        targets: $y_t$, the index of the target class.

    References:
        Goodfellow, Bengio & Courville (2016), "Deep Learning", MIT Press, eq. 10.18.
    """
    certain = torch.nn.functional.one_hot(targets, logits.shape[-1])
    return torch.softmax(logits, dim=-1) - certain


def elman_backward(
    parameters: ElmanParameters,
    xs: Float[Tensor, "batch time input"],
    initial: Float[Tensor, "batch hidden"],
    hidden: Float[Tensor, "batch time hidden"],
    by_logits: Float[Tensor, "batch time output"],
) -> ElmanGradients:
    r"""Propagate the gradient of a loss from the logits back through time.

    From the last step backwards, with $D_t = \operatorname{diag}(1 - h_t^2)$ and $\nabla_{h_{T+1}} L = 0$,

    $$\nabla_{h_t} L = W^\top D_{t+1} \nabla_{h_{t+1}} L + V^\top \nabla_{o_t} L.$$

    Since all steps share the parameters, their gradients are sums over the steps (and the rows):

    $$\nabla_c L = \sum_t \nabla_{o_t} L, \quad \nabla_V L = \sum_t (\nabla_{o_t} L)\, h_t^\top, \quad
    \nabla_b L = \sum_t D_t \nabla_{h_t} L,$$
    $$\nabla_W L = \sum_t D_t (\nabla_{h_t} L)\, h_{t-1}^\top, \quad
    \nabla_U L = \sum_t D_t (\nabla_{h_t} L)\, x_t^\top, \quad
    \nabla_{x_t} L = U^\top D_t \nabla_{h_t} L, \quad \nabla_{h_0} L = W^\top D_1 \nabla_{h_1} L$$

    Args:
        parameters: the parameters of the forward pass.
        xs: $x_t$.
        initial: $h_0$.
        hidden: $h_t$, from `elman_forward`.
        by_logits: $\nabla_{o_t} L$, for example from `cross_entropy_gradient`.

    References:
        Goodfellow, Bengio & Courville (2016), "Deep Learning", MIT Press, eqs. 10.18-10.28.
    """
    direct = by_logits @ parameters.to_output
    slopes = 1 - hidden * hidden
    arriving, by_hidden, by_sum = torch.zeros_like(initial), [], []
    for straight, slope in zip(direct.unbind(1)[::-1], slopes.unbind(1)[::-1], strict=True):
        whole = straight + arriving
        inside = slope * whole
        arriving = inside @ parameters.from_hidden
        by_hidden.append(whole)
        by_sum.append(inside)
    inner = torch.stack(by_sum[::-1], dim=1)
    before = torch.cat([initial[:, None], hidden[:, :-1]], dim=1)
    return ElmanGradients(
        parameters=ElmanParameters(
            from_input=_outer(inner, xs),
            from_hidden=_outer(inner, before),
            bias=inner.sum((0, 1)),
            to_output=_outer(by_logits, hidden),
            output_bias=by_logits.sum((0, 1)),
        ),
        inputs=inner @ parameters.from_input,
        hidden=torch.stack(by_hidden[::-1], dim=1),
        initial=arriving,
    )


def elman(
    parameters: ElmanParameters, xs: Float[Tensor, "batch time input"], initial: Float[Tensor, "batch hidden"]
) -> Float[Tensor, "batch time output"]:
    """Return the logits of `elman_forward` as a differentiable operation whose backward pass is `elman_backward`.

    Args:
        parameters: as in `elman_forward`; each may require a gradient.
        xs: the inputs.
        initial: the hidden vector before the first step.
    """
    return _Elman.apply(xs, initial, *pytree.tree_leaves(parameters))


def _outer(first: Tensor, second: Tensor) -> Tensor:
    """Return the sum over rows and steps of the outer products of two vectors."""
    return first.flatten(0, 1).mT @ second.flatten(0, 1)


class _Elman(torch.autograd.Function):
    """Compute the logits of a plain recurrent network, and their gradients by the equations."""

    @staticmethod
    def forward(ctx: Any, xs: Tensor, initial: Tensor, *weights: Tensor) -> Tensor:
        hidden, logits = elman_forward(_parameters(weights), xs, initial)
        ctx.save_for_backward(xs, initial, hidden, *weights)
        return logits

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_logits: Tensor) -> tuple[Tensor, ...]:
        xs, initial, hidden, *weights = ctx.saved_tensors
        found = elman_backward(_parameters(weights), xs, initial, hidden, by_logits)
        return found.inputs, found.initial, *pytree.tree_leaves(found.parameters)


def _parameters(weights: Any) -> ElmanParameters:
    from_input, from_hidden, bias, to_output, output_bias = weights
    return ElmanParameters(
        from_input=from_input, from_hidden=from_hidden, bias=bias, to_output=to_output, output_bias=output_bias
    )
