"""Tensor file: the tensors of a safetensors file that anyone could have made."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from memtape.core.manifest import DamagedError

LARGEST_HEADER = 2**20
"""Bytes; tens of thousands of tensors, so that a header full of empty ones stays small."""


def tensors_of(path: Path, content: bytes) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file.

    Args:
        path: the file's name, for the sentence of a refusal.
        content: its bytes.

    Raises:
        DamagedError: it is no such file, or its header is out of all proportion.
    """
    header = int.from_bytes(content[:8], "little")
    if header > LARGEST_HEADER:
        raise DamagedError(
            f"{path} has a header of {header} bytes, but at most {LARGEST_HEADER} are allowed; restore the file"
        )
    try:
        return load(content)
    except (SafetensorError, ValueError, RuntimeError, KeyError, OverflowError) as error:
        reason = " ".join(str(error)[:100].split())  # a name in the file could be long
        raise DamagedError(f"{path} is no whole safetensors file ({reason}); restore the file") from None
