"""Data folder: read and check the files of public data sets in a user's folder."""

import gzip
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal, TypeVar

from memtape.core.data_record import DataFile, DataRecord
from memtape.core.errors import RequestError
from memtape.core.given_path import given_path, read_given
from memtape.core.text_file import decoded

LARGEST = 2**28
"""Largest size of an uncompressed file in bytes, about five times the largest file of the data sets."""

_READ: ContextVar[dict[str, DataFile] | None] = ContextVar("_READ", default=None)
"""The files that were read by the current call of `examples_of`."""

T = TypeVar("T")


class DataError(RequestError):
    """A file of a data set is missing or invalid; the message names the file, the problem and the cure."""


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A public data set: its name, folder, source, and the number of examples in each file."""

    name: str
    folder: str
    """The subfolder of the data folder that contains its files."""
    source: str
    """The public repository, named in error messages."""
    counts: Mapping[str, int]
    """The number of examples in each file."""

    def content(self, data_dir: str, file: str) -> bytes:
        """Return the bytes of a file, decompressed if its name ends in ".gz".

        A file that was unpacked, and has its name without ".gz", is read where the packed one is missing.

        Raises:
            DataError: the file is missing, unreadable, empty, too large, or a damaged gzip file.
        """
        content = self._bytes(data_dir, file)
        self._record(file, content)
        return content

    def text(self, data_dir: str, file: str) -> str:
        """Return the text of a file, without a byte order mark and blank lines at its end, and each line with the end of Unix.

        Files with the same text count as the same data.

        Raises:
            DataError: as in `content`, or the file is not UTF-8, or has no text.
        """
        text = self._text(data_dir, file)
        self._record(file, text.encode())
        return text

    def texts(self, data_dir: str, files: Sequence[str], name: str) -> list[str]:
        """Return the texts of several files, which count as one file with all their names and texts.

        Args:
            data_dir: the data folder.
            files: the files.
            name: the name of the one file in the record of the data.

        Raises:
            DataError: as in `text`.
        """
        found = [self._text(data_dir, file) for file in files]
        self._record(name, "\0".join(part for pair in zip(files, found, strict=True) for part in pair).encode())
        return found

    def contents(self, data_dir: str, files: Sequence[str], name: str) -> list[bytes]:
        """Return the bytes of several files, which count as one file with all their names and bytes.

        Args:
            data_dir: the data folder.
            files: the files.
            name: the name of the one file in the record of the data.

        Raises:
            DataError: as in `content`.
        """
        found = [self._bytes(data_dir, file) for file in files]
        self._record(
            name,
            b"".join(b"%s\0%d\0%s" % (file.encode(), len(one), one) for file, one in zip(files, found, strict=True)),
        )
        return found

    def path(self, data_dir: str, file: str) -> Path:
        """Return the path of a file of the data set; that of the unpacked file if only this exists."""
        path = given_path(data_dir) / self.folder / file
        unpacked = path.with_suffix("")
        return unpacked if path.suffix == ".gz" and not path.exists() and unpacked.is_file() else path

    def check_count(self, path: Path, count: int, things: str) -> None:
        """Raise unless a file has the expected number of examples.

        Raises:
            DataError: the number is different.
        """
        wanted = self.counts.get(path.name) or self.counts[f"{path.name}.gz"]
        if count != wanted:
            raise self.damaged(path, f"has {count} {things}, but that of {self.name} has {wanted}")

    def damaged(self, path: Path, reason: str) -> DataError:
        """Return the error for an invalid file."""
        return DataError(f"{path} {reason}; get it again from {self.source}")

    def _text(self, data_dir: str, file: str) -> str:
        content = self._bytes(data_dir, file)
        try:
            text = decoded(content)
        except ValueError as error:
            raise self.damaged(self.path(data_dir, file), str(error)) from None
        if not text.strip():
            raise self.damaged(self.path(data_dir, file), "is empty")
        return text

    def _bytes(self, data_dir: str, file: str) -> bytes:
        path = self.path(data_dir, file)
        try:
            packed = read_given(path, most=LARGEST + 1)
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
            raise self.damaged(path, f"has more than {LARGEST} bytes")
        return content

    def _record(self, file: str, content: bytes) -> None:
        """Record what was read, for the digests of a run."""
        if (read := _READ.get()) is not None:
            name = (Path(self.folder) / file).as_posix().removesuffix(".gz")
            read[name] = DataFile.of(name, content)

    @staticmethod
    def _unpacked(packed: bytes) -> bytes:
        with gzip.GzipFile(fileobj=BytesIO(packed)) as unpacked:
            return unpacked.read(LARGEST + 1)


def examples_of(
    data_dir: str | None,
    data_set: DataSet,
    *,
    read: Callable[[str], T],
    otherwise: Callable[[], T],
    name: str,
    kind: Literal["synthetic", "shipped"] = "synthetic",
) -> tuple[T, DataRecord]:
    """Return the examples of a task and the record of its data: read from files, or without a data folder others.

    Args:
        data_dir: the data folder; None for none.
        data_set: the data set in the data folder.
        read: reads the examples from the data folder, by `DataSet.content`.
        otherwise: returns the examples without a data folder.
        name: what these examples are.
        kind: where they come from.

    Raises:
        DataError: a file is missing or invalid.
    """
    if data_dir is None:
        return otherwise(), DataRecord(kind=kind, name=name)
    files: dict[str, DataFile] = {}
    token = _READ.set(files)
    try:
        found = read(data_dir)
    finally:
        _READ.reset(token)
    own = data_set.name if data_set.folder else "a file of the user"
    return found, DataRecord(kind="files", name=own, files=tuple(files.values()))
