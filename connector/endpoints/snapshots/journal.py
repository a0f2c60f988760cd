"""Rows in the order in which they were read, as an append-only file.

Owns: the file's form, frames of `count, bytes of text, CRC-32` and the arrays of an `Entries`;
reading it back up to a length that was noted, and refusing what was torn or changed before it.
Never does: sorting, or deciding when a file may go (`folder.py`).
Tested in: tests/unit/endpoints/snapshots/test_snapshots.py, test_notes.py.
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
        self._is_named = False

    def append(self, entries: Entries) -> None:
        """Add rows; durable only after `sync`."""
        if not len(entries):
            return
        frame = _frame(entries)
        self._file.write(frame)
        self.length += len(frame)
        self.count += len(entries)

    def sync(self) -> None:
        """Make everything durable."""
        self._file.flush()
        os.fsync(self._file.fileno())
        if not self._is_named:
            sync_folder(self.path.parent)
            self._is_named = True

    def copy_from(self, path: Path, length: int) -> None:
        """Begin with the first `length` bytes of another journal; raises `Torn`, `OSError`."""
        with path.open("rb") as other:
            for entries, _ in _frames(other, length):
                self.append(entries)
        if self.length != length:
            raise Torn(f"{path.name} has no frame that ends at {length}")

    def frames(self) -> Iterator[Entries]:
        """Everything appended so far, frame by frame; nothing may be appended meanwhile."""
        self._file.flush()
        for entries, _ in _frames(self._file, self.length):
            yield entries
        self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Close the file and leave it where it is."""
        self._file.close()

    def discard(self) -> None:
        """Close the file and delete it."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def add_to(path: Path, entries: Entries) -> None:
    """Add rows to a file, durably, and leave it closed."""
    is_new = not path.exists()
    with path.open("ab") as file:
        file.write(_frame(entries))
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def whole_frames(path: Path, begin: int) -> Iterator[tuple[Entries, int]]:
    """The frames from `begin` on, each with where it ends, up to one that is not whole yet."""
    try:
        with path.open("rb") as file:
            yield from _frames(file, file.seek(0, os.SEEK_END), begin)
    except (Torn, FileNotFoundError):
        return


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable, where the system knows how."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _frame(entries: Entries) -> bytes:
    columns = (entries.high, entries.low, entries.version, entries.lengths, entries.text)
    payload = b"".join([column.tobytes() for column in columns])
    return _HEAD.pack(len(entries), len(entries.text), zlib.crc32(payload)) + payload


def _frames(file: BinaryIO, length: int, begin: int = 0) -> Iterator[tuple[Entries, int]]:
    file.seek(begin)
    at = begin
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
        told = np.frombuffer(payload, np.uint8, text, count * _ROW)
        yield Entries(high, low, version, lengths, told), at
