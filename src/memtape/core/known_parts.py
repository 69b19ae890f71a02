"""Known parts: whether a fused kernel computes what the modules that it replaces compute now.

A user can replace a layer of a network, patch its `forward`, or derive a class from it. A kernel reads the parameters of
layers instead of calling them, so it may only run if every layer is exactly of the class that it knows.
"""

from typing import Any

from torch import nn

KNOWN = (nn.Linear, nn.LayerNorm, nn.Dropout, nn.Tanh, nn.Sequential)
FORWARDS: dict[type[nn.Module], Any] = {kind: kind.forward for kind in KNOWN}
"""The layers of torch that kernels replace, with their steps as torch defines them."""


class KeepsForward(nn.Module):
    """Remember, for each class derived from this one, the `forward` of its definition, to notice if it is patched."""

    defined_forward: Any = nn.Module.forward
    forward_beside_fused: Any = None
    """The `forward` of the class that defines `fused`; a class derived from it with another step has no kernel."""

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        if getattr(cls.forward, "__isabstractmethod__", False):
            return
        if "forward" in cls.__dict__:
            cls.defined_forward = cls.forward
        if "fused" in cls.__dict__:
            cls.forward_beside_fused = cls.forward


def unchanged(*modules: nn.Module) -> bool:
    """Return whether each module runs the `forward` with which its class was defined.

    True only for layers of torch in `FORWARDS` and for classes derived from `KeepsForward`.
    """
    for module in modules:
        kind: Any = type(module)
        defined = kind.defined_forward if isinstance(module, KeepsForward) else FORWARDS.get(kind)
        if defined is None or kind.forward is not defined or "forward" in module.__dict__:
            return False
    return True


def are_linear(*modules: Any, bias: bool = True) -> bool:
    """Return whether each module is exactly an `nn.Linear` of torch with a plain weight, and with or without a bias."""
    return all(
        type(module) is nn.Linear
        and unchanged(module)
        and (module.bias is not None) == bias
        and _is_plain(module.weight)
        for module in modules
    )


def are_norms(*modules: Any, bias: bool = True) -> bool:
    """Return whether each module is exactly an `nn.LayerNorm` of torch over one axis with a plain scale.

    All have the same `eps`, and all have a shift, or none of them has.
    """
    return all(
        type(module) is nn.LayerNorm
        and unchanged(module)
        and len(module.normalized_shape) == 1
        and _is_plain(module.weight)
        and (module.bias is not None) == bias
        and module.eps == modules[0].eps
        for module in modules
    )


def _is_plain(weight: Any) -> bool:
    """Return whether a weight is a tensor of torch, not a quantised one or one of another library."""
    return weight is not None and not hasattr(type(weight), "__tensor_flatten__")
