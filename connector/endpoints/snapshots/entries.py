"""Rows as a snapshot knows them: the hash of an id, the hash of a version, and the id itself.

Owns: the arrays that hold them, 24 bytes a row and the text of the id; sorting and picking.
Never does: files (`journal.py`, `generation.py`), comparing with what a system tells.
Tested in: tests/unit/endpoints/snapshots/test_entries.py.

An id is known by 128 bits of BLAKE2b: among a thousand million rows the chance that any two share
them is below 10^-20. A version is compared with one other only, for which 64 bits do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from connector.endpoints.snapshots.source import Sight

U64: TypeAlias = npt.NDArray[np.uint64]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

WORD = np.dtype("<u8")


@dataclass(frozen=True, slots=True)
class Entries:
    """Rows in columns: both halves of the hash of the id, that of the version, ids end to end."""

    high: U64
    low: U64
    version: U64
    lengths: U64
    """Bytes of each id."""
    text: Bytes
    """All ids in UTF-8."""

    def __len__(self) -> int:
        return len(self.high)

    @classmethod
    def of(cls, sights: Sequence[Sight]) -> Entries:
        """The entries of rows by id and version, in their order."""
        blake = hashlib.blake2b
        ids = [id.encode("utf-8", "surrogatepass") for id, _ in sights]
        hashes = b"".join([blake(id, digest_size=16).digest() for id in ids])
        versions = b"".join(
            [blake(v.encode("utf-8", "surrogatepass"), digest_size=8).digest() for _, v in sights]
        )
        halves = np.frombuffer(hashes, WORD)
        return cls(
            halves[0::2],
            halves[1::2],
            np.frombuffer(versions, WORD),
            np.fromiter(map(len, ids), WORD, len(ids)),
            np.frombuffer(b"".join(ids), np.uint8),
        )

    @classmethod
    def joined(cls, parts: Sequence[Entries]) -> Entries:
        """Several in one, in their order."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts] or [np.empty(0, kind)])
                for name, kind in _COLUMNS
            )
        )

    def take(self, places: Places | Flags) -> Entries:
        """The entries at these places, or where a flag is set, in that order."""
        if places.dtype == np.bool_:
            places = np.flatnonzero(places)
        ends = np.cumsum(self.lengths, dtype=np.int64)
        lengths = self.lengths[places]
        starts = ends[places] - lengths.astype(np.int64)
        return Entries(
            self.high[places],
            self.low[places],
            self.version[places],
            lengths,
            self.text[_spans(starts, lengths.astype(np.int64))],
        )

    def latest(self) -> Entries:
        """Sorted by the hash of the id; of rows with one id, the last."""
        order = np.lexsort((self.low, self.high))
        high, low = self.high[order], self.low[order]
        last = np.ones(len(order), np.bool_)
        last[:-1] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        return self.take(order[last])

    def places_of(self, wanted: Entries) -> Places:
        """Where each of the wanted rows is in these, which are sorted; -1 for one that is not."""
        return search(self.high, self.low, wanted)

    def ids(self) -> list[str]:
        """The ids as text."""
        text, at, found = self.text.tobytes(), 0, []
        for length in self.lengths.tolist():
            found.append(text[at : at + length].decode("utf-8", "surrogatepass"))
            at += length
        return found


def search(high: U64, low: U64, wanted: Entries) -> Places:
    """Where each of the wanted rows is among sorted hashes of ids; -1 for one that is not."""
    count = len(high)
    places = np.searchsorted(high, wanted.high).astype(np.int64)
    found = np.full(len(wanted), -1, np.int64)
    left = np.flatnonzero(places < count)
    # One half of the hash alone may be shared, if hardly ever: look on while it is.
    while len(left):
        here = places[left]
        same = high[here] == wanted.high[left]
        whole = same & (low[here] == wanted.low[left])
        found[left[whole]] = here[whole]
        left = left[same & ~whole]
        places[left] += 1
        left = left[places[left] < count]
    return found


_COLUMNS = (
    ("high", WORD),
    ("low", WORD),
    ("version", WORD),
    ("lengths", WORD),
    ("text", np.dtype(np.uint8)),
)


def _spans(starts: Places, lengths: Places) -> Places:
    """Places of all elements of spans laid end to end."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))
