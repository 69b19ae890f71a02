"""Data record: which data a task uses, so that runs, reports and results name it and a changed file is noticed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

Kind = Literal["synthetic", "shipped", "files"]

NAMED = 6
"""The largest number of files that a record names in its line of text."""

KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """A file that a task has read.

    Attributes:
        name: its path in the data folder.
        size: its size in bytes, unpacked.
        sha256: SHA-256 of its unpacked contents.
    """

    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, name: str, content: bytes) -> "DataFile":
        """Return the record of a file.

        Args:
            name: its path in the data folder.
            content: its unpacked contents.
        """
        return cls(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, kw_only=True)
class DataRecord:
    """The data of a task: generated in place of real data, shipped with memtape, or read from files.

    Attributes:
        kind: "synthetic", "shipped" or "files".
        name: what the data is, such as "MNIST" or "digits drawn with strokes".
        files: the files that were read.
        examples: number of examples of each split; empty for an unlimited number.

    Example:
        >>> str(DataRecord(kind="synthetic", name="digits drawn with strokes", examples={"train": 2200, "test": 400}))
        'synthetic data: digits drawn with strokes; 2,200 train, 400 test examples'
    """

    kind: Kind
    name: str
    files: tuple[DataFile, ...] = ()
    examples: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the record in one line, with the counts and, of up to six files, the first digits of each digest."""
        files = ", ".join(f"{file.name} ({file.size:,} bytes, SHA-256 {file.sha256[:12]})" for file in self.files)
        if len(self.files) > NAMED:
            files = f"{len(self.files)} files of {sum(file.size for file in self.files):,} bytes"
        counts = ", ".join(f"{count:,} {split}" for split, count in self.examples.items())
        parts = [self.badge, files, f"{counts} examples" if counts else ""]
        return "; ".join(part for part in parts if part)

    @property
    def badge(self) -> str:
        """The kind and the name in a few words."""
        return f"data: {self.name}" if self.kind == "files" else f"{self.kind} data: {self.name}"

    def counted(self, examples: Mapping[str, int | None]) -> "DataRecord":
        """Return the record with the numbers of examples; None means an unlimited number, which is left out."""
        return replace(self, examples={split: count for split, count in examples.items() if count is not None})

    def difference(self, now: "DataRecord") -> str | None:
        """Return in words how the data of now differs from this record; None if it is the same.

        Args:
            now: the record of the data now.
        """
        if (self.kind, self.name) != (now.kind, now.name):
            return f"it was {self.badge!r}, and is {now.badge!r}"
        before, after = ({file.name: file for file in one.files} for one in (self, now))
        for name in (*before, *after):
            if name not in after:
                return f"{name} was read, and is not read now"
            if name not in before:
                return f"{name} is read, and was not read then"
            if before[name] != after[name]:
                old, new = before[name], after[name]
                digests = f"SHA-256 was {old.sha256[:12]}, and is {new.sha256[:12]}"
                return f"{name} had {old.size:,} bytes, and has {new.size:,}; its {digests}"
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain values for a JSON file."""
        return {**asdict(self), "files": [asdict(file) for file in self.files], "examples": dict(self.examples)}

    @classmethod
    def from_json(cls, values: Any) -> "DataRecord":
        """Return the record that `to_json` wrote.

        Raises:
            ValueError: the values are not those of a record.
        """
        try:
            files = tuple(DataFile(**file) for file in values["files"])
            record = cls(**{**values, "files": files})
            texts = [record.name, *(text for file in files for text in (file.name, file.sha256))]
            numbers = [*record.examples.values(), *(file.size for file in files)]
            valid = record.kind in KINDS and all(isinstance(text, str) for text in texts)
            if not valid or not all(isinstance(number, int) for number in numbers):
                raise TypeError("a value has the wrong type")
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"its data is not that of a task ({error})") from None
        return record


def joined_records(records: Sequence[DataRecord]) -> DataRecord:
    """Return the record of several parts of the same data: every file once, and the sums of the numbers of examples.

    Args:
        records: the records of the parts, at least one.
    """
    files = {file.name: file for record in records for file in record.files}
    splits = dict.fromkeys(split for record in records for split in record.examples)
    counts = {split: sum(record.examples.get(split, 0) for record in records) for split in splits}
    return replace(records[0], files=tuple(files.values()), examples=counts)
