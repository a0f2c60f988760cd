"""One whole table as it was read once: ids and versions, sorted, in a folder that never changes.

Owns: the form of that folder, its checksums, finding rows in it, and making one out of an older
one and a journal.
Never does: reading a system; deciding when a folder may go (`folder.py`).
Tested in: tests/unit/endpoints/snapshots/test_generation.py.

The arrays are memory-mapped and nothing of them is copied: the system may drop their pages at any
time. A folder is complete when it has its name: it is written under another one, made durable, and
renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from connector.endpoints.snapshots.entries import U64, WORD, Entries, Flags, Places, search
from connector.endpoints.snapshots.journal import Journal, Torn, sync_folder

FORMAT = 1
MANIFEST = "manifest.json"
MAKING = ".making"
"""Ends the name of a folder that is being written."""

_FILES = ("high", "low", "version", "ends", "text")
_PART_ROWS = 32_768
_MOST_PARTS = 256
_CHUNK = 1 << 20


class Generation:
    """A complete generation, opened for reading."""

    def __init__(self, path: Path) -> None:
        """Open it and verify all of it; raises `Torn`, `FileNotFoundError`."""
        manifest = _manifest(path)
        for name in _FILES:
            if _digest(path / name) != manifest["digests"].get(name):
                raise Torn(f"{path.name}: {name} is not as it was written")
        self.count: int = manifest["count"]
        self.noted: dict[str, int] = manifest["noted"]
        """How far each file of notes was read by then."""
        self._high, self._low, self._version, self._ends = (
            _mapped(path / name, WORD) for name in _FILES[:4]
        )
        self._text = _mapped(path / "text", np.dtype(np.uint8))

    def find(self, entries: Entries) -> Places:
        """Where each of these rows is, by id; -1 for one that is not here."""
        return search(self._high, self._low, entries)

    def versions(self, places: Places) -> U64:
        """The hashes of the versions at these places."""
        versions: U64 = self._version[places]
        return versions

    def ids(self, places: Places) -> list[str]:
        """The ids at these places."""
        ends = self._ends
        return [
            self._text[int(ends[at - 1]) if at else 0 : int(ends[at])]
            .tobytes()
            .decode("utf-8", "surrogatepass")
            for at in places.tolist()
        ]

    def parts(self, kept: Flags, bits: int) -> Iterator[Entries]:
        """The rows whose flag is set, in 2**bits parts by the first bits of the hash."""
        starts = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits if bits else 0)
        bounds = [*np.searchsorted(self._high, starts).tolist(), self.count]
        bounds[0] = 0
        for begin, end in pairwise(bounds):
            yield self._slice(begin, end).take(kept[begin:end])

    def _slice(self, begin: int, end: int) -> Entries:
        first = int(self._ends[begin - 1]) if begin else 0
        ends = self._ends[begin:end]
        last = int(ends[-1]) if len(ends) else first
        return Entries(
            self._high[begin:end],
            self._low[begin:end],
            self._version[begin:end],
            np.diff(ends, prepend=np.uint64(first)),
            self._text[first:last],
        )


def make(
    path: Path,
    journal: Journal,
    base: Generation | None = None,
    kept: Flags | None = None,
    noted: Mapping[str, int] = MappingProxyType({}),
) -> int:
    """Write a generation: the rows of `base` whose flag is set, then the journal's over them.

    It is durable when this returns; how many rows it has. Memory: a part of the rows, whatever
    their number. `noted` is kept with it. Raises `OSError`.
    """
    unfinished = path.with_name(path.name + MAKING)
    unfinished.mkdir(parents=True)
    try:
        rows = journal.count + (base.count if base is not None else 0)
        bits = min(rows // _PART_ROWS, _MOST_PARTS - 1).bit_length()
        new = _spread(unfinished, journal, bits)
        old = base.parts(kept, bits) if base is not None and kept is not None else None
        with _Writer(unfinished, noted) as writer:
            for part in new:
                parts = [part] if old is None else [next(old), part]
                writer.write(Entries.joined(parts).latest())
        unfinished.rename(path)
        sync_folder(path.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return writer.count


class _Writer:
    """The files of a generation while it is written."""

    def __init__(self, path: Path, noted: Mapping[str, int]) -> None:
        self._path = path
        self._noted = dict(noted)
        self._files: dict[str, BinaryIO] = {name: (path / name).open("wb") for name in _FILES}
        self._digests = {name: hashlib.blake2b() for name in _FILES}
        self._end = 0
        self.count = 0

    def __enter__(self) -> _Writer:
        return self

    def write(self, entries: Entries) -> None:
        """Add rows; each call's hashes come after those of the call before."""
        ends = np.cumsum(entries.lengths, dtype=np.uint64) + np.uint64(self._end)
        columns: tuple[npt.NDArray[Any], ...] = (
            entries.high,
            entries.low,
            entries.version,
            ends,
            entries.text,
        )
        for name, column in zip(_FILES, columns, strict=True):
            content = column.tobytes()
            self._files[name].write(content)
            self._digests[name].update(content)
        self._end += len(entries.text)
        self.count += len(entries)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for file in self._files.values():
            if kind is None:
                file.flush()
                os.fsync(file.fileno())
            file.close()
        if kind is None:
            self._finish()

    def _finish(self) -> None:
        digests = {name: digest.hexdigest() for name, digest in self._digests.items()}
        told = {
            "format": FORMAT,
            "count": self.count,
            "digests": digests,
            "noted": self._noted,
        }
        with (self._path / MANIFEST).open("w", encoding="utf-8") as file:
            json.dump(told, file)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._path)


def _spread(folder: Path, journal: Journal, bits: int) -> Iterator[Entries]:
    """The journal in 2**bits parts by the first bits of the hash, each in the order it was read."""
    if not bits:
        yield Entries.joined(list(journal.frames()))
        return
    buckets = [Journal(folder / f"part-{number}") for number in range(1 << bits)]
    try:
        for entries in journal.frames():
            numbers = entries.high >> np.uint64(64 - bits)
            for number in np.unique(numbers).tolist():
                buckets[number].append(entries.take(numbers == number))
        for bucket in buckets:
            yield Entries.joined(list(bucket.frames()))
            bucket.discard()
    finally:
        for bucket in buckets:
            bucket.discard()


def _manifest(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((path / MANIFEST).read_text("utf-8"))
        fits = told["format"] == FORMAT and isinstance(told["count"], int)
        fits = fits and all(isinstance(told[name], dict) for name in ("digests", "noted"))
    except (ValueError, KeyError, TypeError) as error:
        raise Torn(f"{path.name}: the manifest cannot be read") from error
    if not fits:
        raise Torn(f"{path.name}: the manifest is of another format")
    return told


def _digest(path: Path) -> str:
    digest = hashlib.blake2b()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _mapped(path: Path, kind: np.dtype[Any]) -> Any:
    # An empty file cannot be mapped.
    if not path.stat().st_size:
        return np.empty(0, kind)
    return np.asarray(np.memmap(path, kind, "r"))
