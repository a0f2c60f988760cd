"""The programs a ledger keeps: importing, switching on and off, loading.

Owns: these statements; versions; the compiled programs kept in memory.
Never does: judging a document (`checks.py`), evaluating one (`book.py`).
Tested in: tests/unit/ledger/programs/test_store.py, tests/integration/test_programs_stores.py.

A version is never changed or removed: what was earned under it can be explained and taken back by
it. The newest version of each active program is in force.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from uuid import uuid4

import sqlalchemy as sa

from connector.errors import Subject, UsageError
from connector.ledger.currencies import CODES
from connector.ledger.fields import fold
from connector.ledger.programs import naming
from connector.ledger.programs.book import Program, Programs
from connector.ledger.programs.cache import Cache
from connector.ledger.programs.checks import Known
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.reading import nearest
from connector.ledger.programs.rounding import PointKind
from connector.ledger.programs.tables import program_stamp, program_versions, programs
from connector.ledger.schema import REFERENCES, REWARD_POINTS

if TYPE_CHECKING:
    from connector.ledger.ledger import WriteTransaction

_VERSION = program_versions.c
_KIND = REWARD_POINTS.table.c
_KINDS = sa.select(
    *(_KIND.key, _KIND.reward_point_id, _KIND.reward_point_type),
    *(_KIND.currency, _KIND.redeemable, _KIND.redeem_ranking),
)


class Kept(NamedTuple):
    """One version of a program as the ledger has it."""

    program: str
    version: int
    title: str
    active: bool
    """Whether the program is; only its newest version is in force."""
    at: datetime
    """When it was imported, aware."""
    by: str
    document: ProgramDocument
    text: str
    """The file as its author wrote it, with kinds of points as they are called by now."""


class Imported(NamedTuple):
    """What an import did."""

    program: str
    version: int
    effect: Literal["created", "updated", "unchanged"]


# ---------------------------------------------------------------------------- loading


_cache: Cache[Programs] = Cache()


def stamp(connection: sa.Connection) -> Hashable:
    """What the programs in force are made of: the same stamp, the same programs.

    Kinds of points count, for they say how points are rounded.
    """
    return with_kinds(connection, program_stamp.c.stamp)


def with_kinds(connection: sa.Connection, written: sa.Column[str]) -> Hashable:
    """The one value of a column, None where there is none, and all kinds of points.

    One small query, as it is asked with every sale.
    """
    rows = connection.execute(_with_kinds(written)).all()
    value = rows[0][0] if rows else connection.scalar(sa.select(written))
    return value, frozenset(tuple(row[1:]) for row in rows)


@cache
def _with_kinds(written: sa.Column[str]) -> sa.Select[Any]:
    return _KINDS.with_only_columns(sa.select(written).scalar_subquery(), *_KINDS.selected_columns)


def load(connection: sa.Connection) -> Programs:
    """The programs in force; the same object while nothing about them changes."""
    return _cache.get(stamp(connection), lambda: _compiled(connection, _active(connection)))


def load_versions(connection: sa.Connection, versions: Mapping[str, int]) -> Programs:
    """Exactly these versions, active or not; UsageError `program-version-unknown`."""
    # A version never changes, but two ledgers may each have one of the same name: the stamp is
    # another in every ledger.
    key = stamp(connection), frozenset(versions.items())
    return _cache.get(key, lambda: _compiled(connection, versions))


def _active(connection: sa.Connection) -> Mapping[str, int]:
    """The versions in force."""
    query = sa.select(programs.c.name, programs.c.version).where(programs.c.active)
    return {row.name: row.version for row in connection.execute(query)}


def _compiled(connection: sa.Connection, versions: Mapping[str, int]) -> Programs:
    query = sa.select(_VERSION.program, _VERSION.version, _VERSION.document)
    wanted = sa.tuple_(_VERSION.program, _VERSION.version).in_(list(versions.items()))
    renamed = naming.renamed(connection)
    found = [
        Program(_today(document, renamed.get((name, version), naming.NONE)), version)
        for name, version, document in connection.execute(query.where(wanted))
    ]
    for name in versions.keys() - {one.document.program for one in found}:
        raise _no_version(name, versions[name])
    return Programs(found, kinds(connection))


def _today(kept: str, names: naming.Names) -> ProgramDocument:
    return ProgramDocument.parsed(naming.today(kept, names))


def kinds(connection: sa.Connection) -> Mapping[str, PointKind]:
    """The kinds of points of the ledger by folded RewardPointId."""
    found = {
        key: PointKind(name, type_ == "Quantity", currency, redeemable != "No", ranking)
        for key, name, type_, currency, redeemable, ranking in connection.execute(_KINDS)
    }
    return MappingProxyType(found)


def known(connection: sa.Connection) -> Known:
    """What documents are checked against."""
    names = {
        table: frozenset(connection.scalars(sa.select(REFERENCES[table].c.key)))
        for table in ("currencies", "operating_units")
    }
    currencies = names["currencies"].union(map(fold, CODES))
    former = {
        name: today
        for renamed in naming.renamed(connection).values()
        for name, today in renamed.items()
    }
    return Known(kinds(connection), currencies, names["operating_units"], former)


# ---------------------------------------------------------------------------- writing


def keep(transaction: WriteTransaction, document: ProgramDocument, text: str) -> Imported:
    """The next version of a program, where its meaning changed; its first one is switched on."""
    name, connection = document.program, transaction.connection
    row = _row(connection, name)
    if row is not None and _document(connection, name, row.version).kept() == document.kept():
        return Imported(name, row.version, "unchanged")
    version = 1 if row is None else row.version + 1
    if row is None:
        connection.execute(
            sa.insert(programs), [{"name": name, "version": version, "active": True}]
        )
    else:
        connection.execute(
            sa.update(programs).where(programs.c.name == name).values(version=version)
        )
    kept = {
        "program": name,
        "version": version,
        "document": document.kept(),
        "text": text,
        "at": transaction.feed.stored_at,
        "by": transaction.by,
    }
    connection.execute(sa.insert(program_versions), [kept])
    naming.bind(connection, name, version, document.kept())
    _stamped(connection)
    return Imported(name, version, "created" if row is None else "updated")


def switch(transaction: WriteTransaction, name: str, *, active: bool) -> bool:
    """Switch a program on or off; whether it changed. Raises UsageError `program-unknown`."""
    connection = transaction.connection
    row = _row(connection, name)
    if row is None:
        raise unknown(connection, name)
    if row.active == active:
        return False
    connection.execute(sa.update(programs).where(programs.c.name == name).values(active=active))
    _stamped(connection)
    return True


def _stamped(connection: sa.Connection) -> None:
    new = str(uuid4())
    if not connection.execute(sa.update(program_stamp).values(stamp=new)).rowcount:
        connection.execute(sa.insert(program_stamp), [{"singleton": 1, "stamp": new}])


# ---------------------------------------------------------------------------- for people


def listed(connection: sa.Connection) -> list[Kept]:
    """The newest version of every program, by name."""
    return list(_kept(connection, _VERSION.version == programs.c.version))


def versions(connection: sa.Connection, name: str) -> list[Kept]:
    """All versions of a program, the newest first; UsageError `program-unknown`."""
    found = list(_kept(connection, _VERSION.program == name))
    if not found:
        raise unknown(connection, name)
    return found


def version(connection: sa.Connection, name: str, number: int | None = None) -> Kept:
    """One version of a program, the newest if none is named.

    Raises UsageError `program-unknown`, UsageError `program-version-unknown`.
    """
    found = versions(connection, name)
    for one in found:
        if number in {None, one.version}:
            return one
    raise _no_version(name, number)


def unknown(connection: sa.Connection, name: str) -> UsageError:
    """There is no program of that name."""
    names = list(connection.scalars(sa.select(programs.c.name)))
    return UsageError(
        "program-unknown",
        f"the ledger has no program `{name}`",
        remedy=nearest(fold(name), names) + "see `dualwrite ledger programs list`",
        subject=Subject(record=name),
    )


def _no_version(name: str, number: int | None) -> UsageError:
    return UsageError(
        "program-version-unknown",
        f"the ledger has no version {number} of program `{name}`",
        subject=Subject(record=name),
        remedy=f"`dualwrite ledger programs show {name} --json` lists them",
    )


def _kept(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> Iterable[Kept]:
    query = (
        sa.select(program_versions, programs.c.active)
        .join(programs, programs.c.name == _VERSION.program)
        .where(*where)
        .order_by(_VERSION.program, _VERSION.version.desc())
    )
    renamed = naming.renamed(connection)
    for row in connection.execute(query):
        names = renamed.get((row.program, row.version), naming.NONE)
        document = _today(row.document, names)
        yield Kept(
            row.program,
            row.version,
            document.title,
            row.active,
            row.at.replace(tzinfo=UTC),
            row.by,
            document,
            naming.text_today(row.text, names),
        )


def _row(connection: sa.Connection, name: str) -> sa.Row[Any, Any, Any] | None:
    query = sa.select(programs.c.name, programs.c.version, programs.c.active)
    return connection.execute(query.where(programs.c.name == name)).one_or_none()


def _document(connection: sa.Connection, name: str, version: int) -> ProgramDocument:
    """A version under the names that kinds have today."""
    at = (_VERSION.program == name, _VERSION.version == version)
    kept = connection.execute(sa.select(_VERSION.document).where(*at)).scalar_one()
    return _today(kept, naming.renamed(connection).get((name, version), naming.NONE))
