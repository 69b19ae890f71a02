"""Tensor file: read the tensors of an untrusted safetensors file."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from memtape.core.manifest import DamagedError

LARGEST_HEADER = 2**20
"""Largest header in bytes, enough for tens of thousands of tensors; it bounds the cost of a malicious header."""


def tensors_of(path: Path, content: bytes) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file.

    Args:
        path: the file's name, for error messages.
        content: the bytes of the file.

    Raises:
        DamagedError: the content is not a valid safetensors file, or its header is too large.
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
        raise DamagedError(f"{path} is not a valid safetensors file ({reason}); restore the file") from None
