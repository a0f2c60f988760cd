"""The store in a SQLite file.

Owns: SQLite's clock, upserts, value lists, pragmas and errors; where such a file may lie.
Never does: knowing a table.
Tested in: tests/contract/store/, tests/unit/store/test_opening.py.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError

from connector.errors import DualWriteError, StateError
from connector.store.dialect import LOCK_WAIT_MS, busy, contradiction

CACHE_KIB = 16_384
"""Page cache per connection. No memory mapping: it is no faster, and grows with the file."""

WAL_BYTES = 64 * 1024 * 1024
"""The write-ahead log is cut back to this size after a checkpoint."""

_NETWORK = ("nfs", "cifs", "smb", "fuse.sshfs")
_MOUNTS = Path("/proc/mounts")


class Sqlite:
    """SQLite 3.35 or newer, in a local file with a write-ahead log."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        """None for a state that no file keeps."""
        self._file: tuple[int, int] | None = None
        """Device and inode of the file that is open."""

    def prepare(self, engine: sa.Engine) -> None:
        """Set the pragmas of every connection; the driver begins no transactions of its own."""
        sa.event.listen(engine, "connect", _prepare)

    def begin(self, connection: sa.Connection) -> None:
        """Take the lock at once: a writer that reads first would be refused instead of waiting.

        Raises `StateError` (`state-replaced`) where the path names another file by now: what is
        written to the old one nobody would find.
        """
        self._refuse_replaced()
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _refuse_replaced(self) -> None:
        if self._path is None:
            return
        try:
            stat = self._path.stat()
            file = (stat.st_dev, stat.st_ino)
        except FileNotFoundError:
            file = None
        if self._file is None:
            self._file = file
        if file is None or file != self._file:
            raise StateError(
                "state-replaced",
                f"{self._path} was {'removed' if file is None else 'replaced'} while it was in use",
                cause="the file that is open is another one than the path names",
                remedy="nothing more is written to the old one; start the command again, and stop "
                "`dualwrite serve` before you restore a backup",
            )

    def alone(self, connection: sa.Connection) -> None:
        """Every transaction of a writer is alone from its first statement on."""
        self.begin(connection)

    def suits(self, connection: sa.Connection, name: str) -> None:
        """Every SQLite file does."""

    def still(self, connection: sa.Connection) -> None:
        """A deferred transaction: its first read fixes what it sees in the write-ahead log."""
        connection.exec_driver_sql("BEGIN DEFERRED")

    def count_on(self, connection: sa.Connection, column: sa.Column[Any]) -> None:
        """SQLite counts on from the highest number by itself."""

    def now(self) -> sa.ColumnElement[float]:
        """Julian days turned into seconds; `unixepoch('subsec')` needs SQLite 3.42."""
        return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Double())

    def insert(self, table: sa.Table) -> sqlite.Insert:
        """SQLite's own INSERT."""
        return sqlite.insert(table)

    def among(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """One JSON array instead of n parameters: the statement is the same for every n."""
        bound = sa.bindparam(name, type_=sa.Text())
        return column.in_(sa.select(sa.func.json_each(bound).table_valued("value").c.value))

    def listed(self, values: Sequence[str] | Sequence[int]) -> str:
        """The values as a JSON array."""
        return orjson.dumps(values if isinstance(values, (list, tuple)) else list(values)).decode()

    def explained(self, error: DBAPIError) -> DualWriteError:
        """By SQLite's words: the driver has no codes for what matters here."""
        cause = str(error.orig)
        if isinstance(error, IntegrityError):
            return contradiction(cause)
        if "locked" in cause:
            return busy(cause)
        return StateError(
            "state-unusable",
            "the sync state cannot be read or written",
            cause=cause,
            remedy="check the disk and the permissions of the store's file, or restore its backup",
        )


def _prepare(connection: Any, _record: object) -> None:
    # The driver's own BEGIN is switched off: it would come before the first write, not before
    # the first look. A listener of SQLAlchemy's would slow every statement down, not only BEGIN.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # A commit survives a power cut; the flush costs about 5 % of a page of a thousand records.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    cursor.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
    # What is forgotten or purged is overwritten, not only unlinked; it costs nothing measurable.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def network_filesystem(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """The kind of network file system `path` lies on; None for a local one or if unknown.

    Locks and shared memory of a write-ahead log do not work across a network.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None  # only Linux lists its mounts there
    target = os.path.realpath(path)
    best, kind = "", None
    for line in lines:
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind if kind is not None and kind.startswith(_NETWORK) else None
