"""The table of one comparison in the in-memory twin.

Owns: rows by key, handed out once.
Never does: keeping anything beyond the comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from connector.mapping.values import Image


class MemoryScratch:
    """See `connector.store.base.Scratch`."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[int, str, Image]]] = {}
        self._taken: set[str] = set()
        self._count = 0

    def put(self, rows: Iterable[tuple[str, str, Image]]) -> None:
        """Add rows; several rows may share one key."""
        for key, id, image in rows:
            self._rows.setdefault(key, []).append((self._count, id, image))
            self._count += 1

    def take(self, keys: Sequence[str]) -> Mapping[str, Sequence[tuple[str, Image]]]:
        """The (id, image) rows under these keys; they count as taken from then on."""
        found = {
            key: [(id, image) for _, id, image in self._rows[key]]
            for key in keys
            if key in self._rows
        }
        self._taken.update(found)
        return found

    def rest(self) -> Iterator[tuple[str, str, Image]]:
        """The rows never taken, in the order they were put."""
        left = [
            (place, key, id, image)
            for key, rows in self._rows.items()
            if key not in self._taken
            for place, id, image in rows
        ]
        return ((key, id, image) for _, key, id, image in sorted(left, key=lambda row: row[0]))

    def __len__(self) -> int:
        return self._count
