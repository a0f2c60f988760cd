"""What remains of a person who asked to be forgotten: a keyed hash, and nothing else.

Owns: the tables `forgotten` and `secrets`; deleting one record with everything told of it, and
taking one text out of everything told of a map's past.
Never does: deciding whether it may; opening a transaction.
Tested in: tests/contract/store/test_forgetting.py.

The hash is HMAC-SHA256 with a random secret of this state. A card number alone has so few
possible values that a plain hash could be undone by trying them all.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets as chance
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import bindparam

from connector.store.database import Database
from connector.store.images import encode
from connector.store.schema import (
    changes,
    conflicts,
    departed,
    forgotten,
    records,
    runs,
    secrets,
    waits,
)

_NAME = "forgotten"
"""Of the secret."""
_NULLED = ("target", "expected", "version", "before", "after", "detail", "agreed")
"""Columns of an audit row that may tell of a person; what remains is that something happened."""


_VALUES = ("before", "after", "agreed")
"""Columns of an audit row that hold values, as JSON."""
_IMAGES = ("commerce_image", "dataverse_image", "commerce_agreed", "dataverse_agreed")


class Forgetting:
    """Deletes records for good, and knows the keys of those it deleted."""

    def __init__(self, db: Database) -> None:
        self._db = db
        c = forgotten.c
        self._secret = sa.select(secrets.c.value).where(secrets.c.name == _NAME)
        self._since = sa.select(sa.func.max(c.at)).where(
            c.map == bindparam("map"), c.hash == bindparam("hash")
        )
        self._remember = db.upsert(forgotten)

    def forgotten(self, map: str, key: str) -> float | None:
        """When the data under this normalised key was forgotten, None if it was not."""
        secret: str | None = self._db.scalar(self._secret)
        if secret is None:
            return None
        hash = _hash(secret, map, key)
        at: float | None = self._db.scalar(self._since, map=map, hash=hash)
        return at

    def forget(
        self, connection: sa.Connection, map: str, record: int, key: str, at: float
    ) -> Mapping[str, int]:
        """Delete or empty every row that tells of the record; rows touched, by table."""
        counts = {
            table.name: connection.execute(
                sa.delete(table).where(table.c.map == map, number == record)
            ).rowcount
            for table, number in (
                (records, records.c.number),
                (waits, waits.c.record),
                (conflicts, conflicts.c.record),
                (departed, departed.c.record),
            )
        }
        counts[changes.name] = connection.execute(
            sa.update(changes)
            .where(changes.c.map == map, changes.c.record == record)
            .values(dict.fromkeys(_NULLED))
        ).rowcount
        counts[runs.name] = self._forget_errors(connection, map, key)
        connection.execute(
            self._db.dialect.insert(secrets)
            .values(name=_NAME, value=chance.token_hex(32))
            .on_conflict_do_nothing()
        )
        secret = connection.execute(self._secret).scalar_one()
        row = {"map": map, "hash": _hash(secret, map, key), "record": record, "at": at}
        connection.execute(self._remember, row)
        return counts

    def redact(self, connection: sa.Connection, map: str, text: str) -> Mapping[str, int]:
        """Take a text out of everything told of the past; rows touched, by table."""
        c = changes.c
        emptied = [
            {"row": number, "detail": None if _names(detail, text) else detail}
            | {name: _without(one, text) for name, one in zip(_VALUES, values, strict=True)}
            for number, detail, *values in _telling(
                connection, changes, map, text, "detail", *_VALUES
            )
            if _names(detail, text) or any(_holds(one, text) for one in values)
        ]
        if emptied:
            columns: dict[str, sa.BindParameter[Any]] = {
                name: bindparam(name) for name in ("detail", *_VALUES)
            }
            update = sa.update(changes).where(c.number == bindparam("row"))
            connection.execute(update.values(columns), emptied)
        closed = [
            {"row": number}
            for number, at, *pair in _telling(
                connection, conflicts, map, text, "closed_at", "base", "seen"
            )
            if at is not None and any(_holds(one, text) for one in pair)
        ]
        if closed:
            gone = sa.delete(conflicts).where(conflicts.c.number == bindparam("row"))
            connection.execute(gone, closed)
        held = [
            any(_holds(image, text) for image in images)
            for _, *images in _telling(connection, records, map, text, *_IMAGES)
        ]
        return {
            changes.name: len(emptied),
            conflicts.name: len(closed),
            runs.name: self._forget_errors(connection, map, text.casefold()),
            records.name: sum(held),
        }

    def _forget_errors(self, connection: sa.Connection, map: str, key: str) -> int:
        """Empty the errors of runs that name the key; their outcome keeps the code."""
        c = runs.c
        query = sa.select(c.number, c.error).where(c.map == map, c.error.is_not(None))
        spelled = encode(key)[1:-1]  # as JSON spells it
        named = re.compile(rf"(?<!\w){re.escape(spelled)}(?!\w)")
        telling = [n for n, error in connection.execute(query) if named.search(error.casefold())]
        if telling:
            emptied = sa.update(runs).where(self._db.dialect.among(c.number, "numbers"))
            numbers = self._db.dialect.listed(telling)
            connection.execute(emptied.values(error=None), {"numbers": numbers})
        return len(telling)


def _telling(
    connection: sa.Connection, table: sa.Table, map: str, text: str, *columns: str
) -> Sequence[Sequence[Any]]:
    """Number and columns of the rows that may hold a text."""
    c = table.c
    query = sa.select(c.number, *(c[name] for name in columns)).where(c.map == map)
    if text.isascii():  # beyond that databases fold letters each in their own way
        word = encode(text.lower())[1:-1]
        texts = [c[name] for name in columns if isinstance(c[name].type, sa.Text)]
        found = (sa.func.lower(one).contains(word, autoescape=True) for one in texts)
        query = query.where(sa.or_(*found))
    return connection.execute(query).all()


def _names(detail: str | None, text: str) -> bool:
    return detail is not None and text.casefold() in detail.casefold()


def _holds(kept: str | None, text: str) -> bool:
    """Whether one of the values is the text."""
    return _without(kept, text) != kept


def _without(kept: str | None, text: str) -> str | None:
    """JSON with null in place of every value that is the text."""
    if kept is None:
        return None
    values = orjson.loads(kept)
    emptied = _emptied(values, text.casefold())
    return kept if emptied == values else encode(emptied)


def _emptied(value: Any, text: str) -> Any:
    match value:
        case dict():
            return {name: _emptied(one, text) for name, one in value.items()}
        case list():
            return [_emptied(one, text) for one in value]
        case str() if value.rstrip(" ").casefold() == text:
            return None
    return value


def _hash(secret: str, map: str, key: str) -> str:
    """The same key in two maps has two hashes: nobody can tie them together."""
    told = f"{map}\n{key}".encode()
    return hmac.new(bytes.fromhex(secret), told, hashlib.sha256).hexdigest()
