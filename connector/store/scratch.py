"""A table on disk for one comparison, so that memory stays flat however large a side is.

Owns: a private SQLite database in a temporary file, whatever database the store itself is.
Never does: touching the sync state.
Tested in: tests/contract/store/.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson

from connector.errors import StateError
from connector.mapping.values import Image
from connector.store.images import SideCodec

_CHUNK = 1_000
"""Rows in memory at a time."""

_INDEX = "CREATE INDEX IF NOT EXISTS rows_key ON rows (key)"
_ASKED = "key IN (SELECT value FROM json_each(?))"


class SqlScratch:
    """Rows of one side by key; see `connector.store.base.Scratch`.

    The database has no name: SQLite deletes its file when it is opened, so that nothing stays
    behind whatever happens to the process.
    """

    def __init__(self, codec: SideCodec) -> None:
        self._codec = codec
        self._connection = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16384"):
            self._run(f"PRAGMA {pragma}")
        self._run(
            "CREATE TABLE rows (number INTEGER PRIMARY KEY, key TEXT NOT NULL, "
            "id TEXT NOT NULL, image TEXT NOT NULL, taken INTEGER NOT NULL)"
        )

    def put(self, rows: Iterable[tuple[str, str, Image]]) -> None:
        """Add rows; several rows may share one key."""
        encode, source = self._codec.encode, iter(rows)
        while chunk := [(key, id, encode(image)) for key, id, image in islice(source, _CHUNK)]:
            try:
                self._connection.execute("BEGIN")
                self._connection.executemany(
                    "INSERT INTO rows (key, id, image, taken) VALUES (?, ?, ?, 0)", chunk
                )
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise _unusable(error) from error

    def take(self, keys: Sequence[str]) -> Mapping[str, Sequence[tuple[str, Image]]]:
        """The (id, image) rows under these keys; they count as taken from then on."""
        self._run(_INDEX)  # after the bulk of rows: sorting them once is cheaper
        asked = (orjson.dumps(list(keys)).decode(),)
        found: dict[str, list[tuple[str, Image]]] = {}
        decode = self._codec.decode
        for key, id, image in self._run(
            f"SELECT key, id, image FROM rows WHERE {_ASKED} ORDER BY number", asked
        ):
            found.setdefault(key, []).append((id, decode(image)))
        self._run(f"UPDATE rows SET taken = 1 WHERE {_ASKED}", asked)
        return found

    def rest(self) -> Iterator[tuple[str, str, Image]]:
        """The rows never taken, in the order they were put, streamed."""
        decode, after = self._codec.decode, 0
        query = (
            "SELECT number, key, id, image FROM rows WHERE number > ? AND taken = 0 "
            f"ORDER BY number LIMIT {_CHUNK}"
        )
        while rows := self._run(query, (after,)):
            for number, key, id, image in rows:
                yield key, id, decode(image)
                after = number

    def __len__(self) -> int:
        count: int = self._run("SELECT count(*) FROM rows")[0][0]
        return count

    def close(self) -> None:
        """Throw the table away."""
        self._connection.close()

    def _run(self, sql: str, params: tuple[object, ...] = ()) -> list[Any]:
        try:
            return self._connection.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise _unusable(error) from error


def _unusable(error: sqlite3.Error) -> StateError:
    return StateError(
        "scratch-unusable",
        "the temporary table of the comparison cannot be used",
        cause=str(error),
        remedy="free space in the temporary folder, or set SQLITE_TMPDIR to a larger one",
    )
