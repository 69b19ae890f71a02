"""Data folder: the files of public data sets, in the folder that their user names."""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from memtape.core.errors import RequestError

LARGEST = 2**28
"""Bytes of a file, unpacked; the largest one that is read has a fifth of it."""


class DataError(RequestError):
    """A file of a data set that is missing, or is not what it should be; the sentence says which and what to do."""


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A public data set: what its files are called, how much they hold, and where they come from."""

    name: str
    folder: str
    """Where its files lie in the folder of data."""
    source: str
    """The public repository, for the sentence of a refusal."""
    counts: Mapping[str, int]
    """How many examples each file holds."""

    def content(self, data_dir: str, file: str) -> bytes:
        """Return the bytes of a file, unpacked if its name ends in ".gz".

        Raises:
            DataError: it is missing, cannot be read, is empty, or is no whole gzip file.
        """
        path = self.path(data_dir, file)
        try:
            with path.open("rb") as opened:
                packed = opened.read(LARGEST + 1)
            content = self._unpacked(packed) if path.suffix == ".gz" else packed
        except (FileNotFoundError, NotADirectoryError):
            raise DataError(
                f"there is no {path}, which {self.name} needs; get it from {self.source}, "
                "or leave data_dir out to use generated examples"
            ) from None
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise self.damaged(path, f"cannot be read ({getattr(error, 'strerror', None) or error})") from None
        if not content:
            raise self.damaged(path, "is empty")
        if len(content) > LARGEST:
            raise self.damaged(path, f"holds more than {LARGEST} bytes")
        return content

    def text(self, data_dir: str, file: str) -> str:
        """Return the text of a file.

        Raises:
            DataError: what `content` raises, or it is not UTF-8.
        """
        content = self.content(data_dir, file)
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise self.damaged(self.path(data_dir, file), f"is no UTF-8 at byte {error.start}") from None

    def path(self, data_dir: str, file: str) -> Path:
        """Return where a file lies."""
        return Path(data_dir, self.folder, file)

    def check_count(self, path: Path, count: int, things: str) -> None:
        """Raise unless a file holds as many examples as it should.

        Raises:
            DataError: it does not.
        """
        wanted = self.counts[path.name]
        if count != wanted:
            raise self.damaged(path, f"holds {count} {things}, but that of {self.name} has {wanted}")

    def damaged(self, path: Path, reason: str) -> DataError:
        """Return the error of a file that is not what it should be."""
        return DataError(f"{path} {reason}; get it again from {self.source}")

    @staticmethod
    def _unpacked(packed: bytes) -> bytes:
        with gzip.GzipFile(fileobj=BytesIO(packed)) as unpacked:
            return unpacked.read(LARGEST + 1)
