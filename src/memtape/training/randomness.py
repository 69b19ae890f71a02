"""Randomness: the states of all random generators of a process, as values for a file."""

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor

MT19937_WORDS = 624
"""Number of words in the state of NumPy's generator."""


def seed_generators(seed: int) -> None:
    """Seed all generators of this process with the same number."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def random_states() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the states of the generators of torch as tensors, and those of Python and NumPy as plain values."""
    tensors = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors["cuda"] = torch.cuda.get_rng_state()
    version, words, gauss = random.getstate()
    state: Any = np.random.get_state(legacy=False)
    numpy = {**state, "state": {**state["state"], "key": state["state"]["key"].tolist()}}
    return tensors, {"python": [version, list(words), gauss], "numpy": numpy}


def restore_random_states(tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
    """Restore the states that `random_states` returned.

    Raises:
        KeyError, TypeError, ValueError, RuntimeError: the values are not such states.
    """
    torch.set_rng_state(tensors["torch"])
    if "cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["cuda"])
    version, words, gauss = plain["python"]
    random.setstate((version, tuple(words), gauss))
    numpy = plain["numpy"]
    key = np.array(numpy["state"]["key"], dtype=np.uint32)
    if not (key.shape == (MT19937_WORDS,) and 0 <= numpy["state"]["pos"] <= MT19937_WORDS):
        raise ValueError("the state of numpy's generator has another size")  # numpy would read past its end
    np.random.set_state({**numpy, "state": {**numpy["state"], "key": key}})
