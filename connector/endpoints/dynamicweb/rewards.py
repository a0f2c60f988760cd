"""Point kinds: the rewards of the shop, with their names in its languages.

Owns: the table `EcomLoyaltyReward` as an entity, compare-and-set writes to it, and its translations
as columns that are only read.
Never does: deciding what is written.
Tested in: tests/contract/, tests/unit/endpoints/dynamicweb/test_rewards.py.

There is no column that tells versions. A version is the digest of all the row holds, translations
included; a write reads the row, compares that, and changes it in one UPDATE that names every old
value, so that whatever came between makes it change nothing.

The shop never removes a reward, it archives it: transactions refer to it. A delete does the same
here, and archived rewards are none to us.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError

from connector.endpoints.base import (
    Applied,
    Capabilities,
    Create,
    Delete,
    Entity,
    Exists,
    Key,
    Missing,
    Operation,
    Outcome,
    Rejected,
    Row,
    Stale,
)
from connector.endpoints.dynamicweb.database import cause_of
from connector.endpoints.dynamicweb.fields import Field, boolean, decimal, integer, text
from connector.endpoints.dynamicweb.schema import REWARD, Tables
from connector.endpoints.dynamicweb.shelves import (
    IN_CHUNK,
    checked,
    highest,
    id_of,
    matching,
    picked,
)
from connector.endpoints.snapshots import image_version
from connector.errors import RecordError
from connector.mapping.values import Image, Value

BATCH = 100
NAME = "LoyaltyRewardName"
TRANSLATED = "LoyaltyRewardTranslationName_"
"""Begins the names of columns that hold a name in a language, which ends them."""

_FIELDS = {
    field.name: field
    for field in (
        integer("LoyaltyRewardId", writable=False),
        text(NAME, 50),
        integer("LoyaltyRewardType"),
        boolean("LoyaltyRewardActive"),
        decimal("LoyaltyRewardPoints"),
        text("LoyaltyRewardCurrencyCode", 3),
        text("LoyaltyRewardRoundingId", 50),
        decimal("LoyaltyRewardPercentage"),
    )
}
_ARCHIVED = "LoyaltyRewardArchived"


class Rewards:
    """The rewards of one shop."""

    def __init__(self, tables: Tables) -> None:
        self._table = tables.reward
        self._translations = tables.translation
        self._id = self._table.c.LoyaltyRewardId
        archived = self._table.c[_ARCHIVED]
        self._live = sa.or_(archived.is_(None), archived == sa.false())

    def describe(self, connection: sa.Connection) -> Entity:
        """Columns, one more for each language in use; `once` where the database keeps names unique.

        Raises `MapError` (`entity-unknown`).
        """
        checked(connection, self._table, self._table.c.keys())
        checked(connection, self._translations, self._translations.c.keys())
        unique = self._has_unique_names(connection)
        return Entity(
            name=REWARD,
            title="Loyalty reward",
            id_column="LoyaltyRewardId",
            columns={name: field.column for name, field in self._fields(connection).items()},
            keys=(Key(NAME, (NAME,)),) if unique else (),
            capabilities=Capabilities(
                preconditions="compare",
                create="once" if unique else "at-least-once",
                modified_time=False,
                ordered_versions=False,
                change_feed=True,
                batch=BATCH,
                ids="allotted",
            ),
        )

    # ------------------------------------------------------------------ reading

    def page(
        self, connection: sa.Connection, columns: Sequence[str], after: int | None, limit: int
    ) -> Sequence[Row]:
        """Live rewards above an id."""
        query = self._select().order_by(self._id).limit(limit)
        if after is not None:
            query = query.where(self._id > after)
        return self._rows(connection, columns, query)

    def read(
        self, connection: sa.Connection, columns: Sequence[str], ids: Sequence[int]
    ) -> Sequence[Row]:
        """Live rewards by id."""
        return self._rows(connection, columns, self._select().where(self._id.in_(ids)))

    def find(
        self, connection: sa.Connection, columns: Sequence[str], by: str, wanted: Sequence[str]
    ) -> Iterable[tuple[str, Row]]:
        """Live rewards by a text; a shop has some dozens, so that all are read and compared."""
        rows = self._rows(connection, [by, *columns], self._select())
        told = [(row.image[0], row._replace(image=row.image[1:])) for row in rows]
        return matching(told, wanted)

    def highest(self, connection: sa.Connection) -> int | None:
        """The highest id, of archived ones too."""
        return highest(connection, self._id)

    def _select(self) -> sa.Select[Any]:
        return sa.select(self._table).where(self._live)

    def _rows(
        self, connection: sa.Connection, columns: Sequence[str], query: sa.Select[Any]
    ) -> list[Row]:
        raws: list[dict[Any, Any]] = [dict(raw) for raw in connection.execute(query).mappings()]
        names = self._names(connection, [raw["LoyaltyRewardId"] for raw in raws])
        fields = picked(REWARD, self._fields(connection), columns)
        return [_row(raw, names.get(raw["LoyaltyRewardId"], {}), fields) for raw in raws]

    def _fields(self, connection: sa.Connection) -> dict[str, Field]:
        language = self._translations.c.LoyaltyRewardTranslationLanguageId
        used = connection.scalars(sa.select(language).distinct().order_by(language))
        named = [text(f"{TRANSLATED}{one}", 255, writable=False) for one in used if one]
        return {**_FIELDS, **{field.name: field for field in named}}

    def _names(self, connection: sa.Connection, ids: Sequence[int]) -> dict[int, dict[str, str]]:
        """Names by reward and language; of two in one language the later one."""
        c = self._translations.c
        query = sa.select(
            c.LoyaltyRewardTranslationRewardId,
            c.LoyaltyRewardTranslationLanguageId,
            c.LoyaltyRewardTranslationName,
        ).order_by(c.LoyaltyRewardTranslationAutoId)
        if len(ids) <= IN_CHUNK:
            query = query.where(c.LoyaltyRewardTranslationRewardId.in_(ids))
        names: dict[int, dict[str, str]] = {}
        for reward, language, name in connection.execute(query):
            if language and name:
                names.setdefault(reward, {})[language] = name
        return names

    def _has_unique_names(self, connection: sa.Connection) -> bool:
        inspector, table = sa.inspect(connection), self._table
        indexes = inspector.get_indexes(table.name, table.schema)
        keys = inspector.get_unique_constraints(table.name, table.schema)
        return any(one["unique"] and one["column_names"] == [NAME] for one in indexes) or any(
            one["column_names"] == [NAME] for one in keys
        )

    # ------------------------------------------------------------------ writing

    def apply(
        self, connection: sa.Connection, columns: Sequence[str], operations: Sequence[Operation]
    ) -> list[Outcome]:
        """Each operation for itself, all in the caller's transaction."""
        return [self._one(connection, columns, operation) for operation in operations]

    def _one(
        self, connection: sa.Connection, columns: Sequence[str], operation: Operation
    ) -> Outcome:
        try:
            raws = {} if isinstance(operation, Delete) else _raws(operation.values)
        except RecordError as error:
            told = f"{error.message}; {error.remedy}"
            return Rejected(error.code, told, error.subject.field)
        try:
            with connection.begin_nested():
                if isinstance(operation, Create):
                    return self._insert(connection, columns, raws)
                if isinstance(operation, Delete):
                    raws = {_ARCHIVED: True}
                return self._change(connection, columns, operation.id, operation.version, raws)
        except IntegrityError as error:
            return self._in_the_way(connection, raws, cause_of(error))
        except DataError as error:
            return Rejected("value-refused", cause_of(error))

    def _insert(
        self, connection: sa.Connection, columns: Sequence[str], raws: Mapping[str, Any]
    ) -> Outcome:
        result = connection.execute(self._table.insert().values(**{_ARCHIVED: False, **raws}))
        assert result.inserted_primary_key is not None
        number = int(result.inserted_primary_key[0])
        (row,) = self.read(connection, columns, [number])
        return Applied(row.id, row)

    def _change(
        self,
        connection: sa.Connection,
        columns: Sequence[str],
        id: str,
        version: str | None,
        raws: Mapping[str, Any],
    ) -> Outcome:
        number = id_of(id)
        raw = self._raw(connection, number) if number is not None else None
        if raw is None:
            return Missing()
        names = self._names(connection, [raw["LoyaltyRewardId"]])
        if version is not None and version != _version(raw, names.get(raw["LoyaltyRewardId"], {})):
            return Stale()
        update = self.compare_and_set(raw, raws, connection.dialect.name)
        if not connection.execute(update).rowcount:
            return Stale()
        if raws.get(_ARCHIVED):
            return Applied(id)
        (row,) = self.read(connection, columns, [raw["LoyaltyRewardId"]])
        return Applied(id, row)

    def compare_and_set(
        self, old: Mapping[str, Any], new: Mapping[str, Any], dialect: str
    ) -> sa.Update:
        """The UPDATE that changes a row only if it still holds every old value."""
        same = [_same(column, old[column.name], dialect) for column in self._table.c]
        return self._table.update().where(*same).values(**new)

    def _raw(self, connection: sa.Connection, number: int) -> Mapping[str, Any] | None:
        found = connection.execute(self._select().where(self._id == number)).mappings().first()
        return None if found is None else dict(found)

    def _in_the_way(
        self, connection: sa.Connection, raws: Mapping[str, Any], cause: str
    ) -> Outcome:
        """What a violated constraint means: another reward of this name, mostly."""
        name = raws.get(NAME)
        if name is None:
            return Rejected("value-refused", cause)
        query = sa.select(self._id, self._live.label("live")).where(self._table.c[NAME] == name)
        others = connection.execute(query.order_by(self._id)).all()
        for number, live in others:
            if live:
                return Exists(str(number), "a reward has this name")
        if others:
            told = f"the archived reward {others[0][0]} has this name; bring it back in the shop"
            return Rejected("key-archived", told, NAME)
        return Exists(None, cause)


def _raws(values: Mapping[str, Value]) -> dict[str, Any]:
    """What the database is given; raises `RecordError`."""
    raws: dict[str, Any] = {}
    for field, value in zip(picked(REWARD, _FIELDS, list(values)), values.values(), strict=True):
        raws[field.name] = field.accept(value)
    return raws


def _image(raw: Mapping[str, Any], names: Mapping[str, str], fields: Iterable[Field]) -> Image:
    values: Iterator[Value] = (
        names.get(field.name.removeprefix(TRANSLATED))
        if field.name.startswith(TRANSLATED)
        else field.read(raw[field.name])
        for field in fields
    )
    return tuple(values)


def _version(raw: Mapping[str, Any], names: Mapping[str, str]) -> str:
    told = [part for pair in sorted(names.items()) for part in pair]
    return image_version((*_image(raw, {}, _FIELDS.values()), *told))


def _row(raw: Mapping[str, Any], names: Mapping[str, str], fields: Sequence[Field]) -> Row:
    return Row(str(raw["LoyaltyRewardId"]), _version(raw, names), _image(raw, names, fields))


def _same(column: sa.ColumnElement[Any], value: Any, dialect: str) -> sa.ColumnElement[bool]:
    """The column holds exactly this, capital letters and small ones told apart."""
    if value is None:
        return column.is_(None)
    if dialect == "mssql" and isinstance(column.type, sa.Unicode):
        column = column.collate("Latin1_General_BIN2")
    same: sa.ColumnElement[bool] = column == value
    return same
