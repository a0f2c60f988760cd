"""The whole state as one file, and back.

Owns: the format of that file: gzip over JSON Lines, independent of the kind of database.
Never does: merging two states; changing a state that holds anything; carrying leases, which mean
processes of the old machine.
Tested in: tests/contract/store/test_transfer.py.

First line: `{"format", "version", "schema", "made", "counts"}`. Then for each table one object
`{"table", "columns"}` and one array per row. Last line: `{"sha256"}` of all lines before it, line
ends included. Every column is text or a number (see `schema.py`), so that JSON keeps it exactly.
The file holds every value and the secret behind the hashes of forgotten keys: it is made readable
by its owner only.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
import sqlalchemy as sa

from connector.errors import StateError, UsageError
from connector.store.database import Database, Params, bound, run
from connector.store.schema import REVISION, leases, metadata, sequences
from connector.store.sql_store import SqlStore

FORMAT = "dualwrite-state"
VERSION = 1
_ROWS = 1_000
"""Rows in memory at a time."""
_LONGEST_LINE = 64 * 1024 * 1024
_TABLES = [table for table in metadata.sorted_tables if table is not leases]

Told = Callable[[str, int], None]


def export_state(store: SqlStore, path: Path, at: float, told: Told) -> Mapping[str, int]:
    """Write the state as it is at one moment into a new file; rows by table.

    Runs may go on meanwhile. The file appears under its name when it is complete. Raises
    `UsageError` (`export-exists`, `export-unwritable`).
    """
    with _new_file(path) as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        return _export(store.database, cast(BinaryIO, packed), at, told)


def import_state(store: SqlStore, path: Path, told: Told) -> Mapping[str, int]:
    """Fill an empty state from a file, in one transaction; rows by table.

    Raises `UsageError` (`export-unreadable`), `StateError` (`export-foreign`, `export-damaged`,
    `export-newer`, `export-older`, `state-not-empty`): nothing was changed then.
    """
    try:
        with path.open("rb") as file, gzip.GzipFile(fileobj=file) as packed:
            return _import(store.database, _Lines(cast(BinaryIO, packed), path), told)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, str(error)) from error
    except OSError as error:
        raise UsageError(
            "export-unreadable",
            f"{path} cannot be read",
            cause=error.strerror or str(error),
            remedy="check its path and permissions",
        ) from error


def _head_of(table: sa.Table) -> dict[str, Any]:
    """What stands before the rows of a table."""
    return {"table": str(table.name), "columns": [str(column.name) for column in table.columns]}


# ---------------------------------------------------------------------------- writing


def _export(db: Database, file: BinaryIO, at: float, told: Told) -> Mapping[str, int]:
    sum = hashlib.sha256()

    def write(value: object) -> None:
        line = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
        sum.update(line)
        file.write(line)

    with db.snapshot() as connection:
        counts: dict[str, int] = {}
        for table in _TABLES:
            query = sa.select(sa.func.count()).select_from(table)
            counts[str(table.name)] = connection.execute(query).scalar_one()
        made = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
        head = {"format": FORMAT, "version": VERSION, "schema": REVISION}
        write({**head, "made": made, "counts": counts})
        for table in _TABLES:
            write(_head_of(table))
            ordered = sa.select(table).order_by(*table.primary_key.columns)
            streamed = ordered.execution_options(stream_results=True)
            for rows in connection.execute(streamed).partitions(_ROWS):
                for row in rows:
                    write(tuple(row))
                told("exported", len(rows))
    file.write(orjson.dumps({"sha256": sum.hexdigest()}, option=orjson.OPT_APPEND_NEWLINE))
    return counts


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file for its owner alone, which takes its name when it is complete and on disk."""
    if path.exists():
        raise UsageError(
            "export-exists", f"{path} is there already", remedy="choose another name, or remove it"
        )
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        "export-unwritable",
        f"{path} cannot be written",
        cause=error.strerror or str(error),
        remedy="choose another folder, or free space",
    )


# ---------------------------------------------------------------------------- reading


class _Lines:
    """The lines of a file, with the sum of those read so far."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self.path = path
        self.sum = hashlib.sha256()

    def next(self) -> Any:
        """The next value; raises StateError `export-damaged` at the end and for no JSON."""
        line = self._file.readline(_LONGEST_LINE)
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise _damaged(self.path, "it ends early, or a line is no JSON") from error
        if isinstance(value, list) or "sha256" not in value:
            self.sum.update(line)
        return value

    def over(self) -> bool:
        """Whether nothing follows."""
        return not self._file.read(1)


def _import(db: Database, lines: _Lines, told: Told) -> Mapping[str, int]:
    counts = _counts(lines)
    with db.transaction() as connection:
        _refuse_filled(connection)
        connection.execute(sa.delete(sequences))
        for table in _TABLES:
            rows = _rows(lines, table, counts[table.name])
            # Values of an INSERT make Core name the columns in the table's order.
            names = [column.name for column in table.columns]
            insert = db.hot(sa.insert(table).values(bound(names)), *names)
            while chunk := list(islice(rows, _ROWS)):
                run(connection, insert, chunk)
                told("imported", len(chunk))
            if table.autoincrement_column is not None:
                db.dialect.count_on(connection, table.autoincrement_column)
        last = lines.next()
        if last != {"sha256": lines.sum.hexdigest()} or not lines.over():
            raise _damaged(lines.path, "its check sum is not that of its lines")
    return counts


def _counts(lines: _Lines) -> Mapping[str, int]:
    """The rows by table that the head of the file promises."""
    head = lines.next()
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise StateError(
            "export-foreign",
            f"{lines.path} is no exported state",
            remedy="name a file that `dualwrite state export` has written",
        )
    schema, version = str(head.get("schema")), head.get("version")
    if version != VERSION or schema != REVISION:
        newer = version != VERSION or schema > REVISION
        raise StateError(
            "export-newer" if newer else "export-older",
            f"{lines.path} was exported by {'a newer' if newer else 'an older'} version (schema "
            f"{schema}, this one has {REVISION})",
            remedy="import it with the version that exported it; the state then brings itself up "
            "to date when a newer one opens it",
        )
    counts = head.get("counts")
    if not isinstance(counts, dict) or set(counts) != {table.name for table in _TABLES}:
        raise _damaged(lines.path, "its head does not count every table")
    return counts


def _rows(lines: _Lines, table: sa.Table, count: int) -> Iterator[Params]:
    if lines.next() != _head_of(table):
        raise _damaged(lines.path, f"the rows of {table.name} are not where they belong")
    for _ in range(count):
        row = lines.next()
        if not isinstance(row, list) or len(row) != len(table.columns):
            raise _damaged(lines.path, f"a row of {table.name} is not whole")
        yield tuple(row)


def _refuse_filled(connection: sa.Connection) -> None:
    for table in _TABLES:
        if table is sequences:
            continue
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
            raise StateError(
                "state-not-empty",
                f"this state holds something already ({table.name}); two states are never mixed",
                remedy="let `store.url` name a new file or database, then import into that",
            )


def _damaged(path: Path, cause: str) -> StateError:
    return StateError(
        "export-damaged",
        f"{path} is damaged or cut off; nothing was imported",
        cause=cause,
        remedy="copy it again, or export again",
    )
