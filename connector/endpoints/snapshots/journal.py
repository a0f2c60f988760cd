"""Rows in the order in which they were read, as an append-only file.

Owns: the file's form, frames of `count, bytes of text, CRC-32` and the arrays of an `Entries`;
reading it back up to a length that was noted, and refusing what was torn or changed before it.
Never does: sorting, or deciding when a file may go (`folder.py`).
Tested in: tests/unit/endpoints/snapshots/test_journal.py.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from connector.endpoints.snapshots.entries import WORD, Entries

_HEAD = struct.Struct("<III")
_ROW = 4 * WORD.itemsize


class Torn(ValueError):
    """A file does not hold what it held when it was noted."""


class Journal:
    """One file that grows; used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO = path.open("x+b")
        self.length = 0
        """Bytes written so far; what `copy_from` takes."""
        self.count = 0

    def append(self, entries: Entries) -> None:
        """Add rows; durable only after `sync`."""
        if not len(entries):
            return
        columns = (entries.high, entries.low, entries.version, entries.lengths, entries.text)
        payload = b"".join([column.tobytes() for column in columns])
        self._file.write(_HEAD.pack(len(entries), len(entries.text), zlib.crc32(payload)))
        self._file.write(payload)
        self.length += _HEAD.size + len(payload)
        self.count += len(entries)

    def sync(self) -> None:
        """Make everything durable."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def copy_from(self, path: Path, length: int) -> None:
        """Begin with the first `length` bytes of another journal; raises `Torn`, `OSError`."""
        with path.open("rb") as other:
            for entries in _frames(other, length):
                self.append(entries)
        if self.length != length:
            raise Torn(f"{path.name} has no frame that ends at {length}")

    def frames(self) -> Iterator[Entries]:
        """Everything appended so far, frame by frame; nothing may be appended meanwhile."""
        self._file.flush()
        self._file.seek(0)
        yield from _frames(self._file, self.length)
        self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Close the file and leave it where it is."""
        self._file.close()

    def discard(self) -> None:
        """Close the file and delete it."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def _frames(file: BinaryIO, length: int) -> Iterator[Entries]:
    at = 0
    while at < length:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise Torn("a frame has no head")
        count, text, check = _HEAD.unpack(head)
        payload = file.read(count * _ROW + text)
        if len(payload) != count * _ROW + text or zlib.crc32(payload) != check:
            raise Torn("a frame is not as it was written")
        at += _HEAD.size + len(payload)
        words = np.frombuffer(payload, WORD, 4 * count)
        high, low, version, lengths = (words[n * count : (n + 1) * count] for n in range(4))
        yield Entries(
            high, low, version, lengths, np.frombuffer(payload, np.uint8, text, count * _ROW)
        )
