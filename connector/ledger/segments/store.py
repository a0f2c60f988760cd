"""The segments a ledger keeps: importing, versions, taking away.

Owns: these statements, and whether a document fits the ledger it is imported into.
Never does: asking a segment (`picking.py`), marking cards (`marking.py`).
Tested in: tests/unit/ledger/segments/test_store.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import sqlalchemy as sa

from connector.errors import ConfigError, Subject, UsageError
from connector.ledger.fields import fold
from connector.ledger.ledger import WriteTransaction
from connector.ledger.programs import naming
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.reading import nearest
from connector.ledger.programs.store import kinds
from connector.ledger.programs.store import listed as all_programs
from connector.ledger.segments.document import SegmentDocument
from connector.ledger.segments.tables import SEGMENTS, segment_versions, segments

_VERSION = segment_versions.c


class Kept(NamedTuple):
    """One version of a segment as the ledger has it; times aware."""

    segment: str
    version: int
    at: datetime
    by: str
    marked_at: datetime | None
    """When the marks of the segment were last brought up to date."""
    document: SegmentDocument
    text: str
    """The file as its author wrote it."""


class Imported(NamedTuple):
    """What an import did."""

    segment: str
    version: int
    effect: Literal["created", "updated", "unchanged"]


def keep(
    transaction: WriteTransaction, document: SegmentDocument, text: str, path: str | None = None
) -> Imported:
    """The next version of a segment, where its meaning changed; `path` is named in errors only.

    Raises ConfigError: `segment-program`, `segment-tier`, `segment-kind`, where the ledger has
    nothing of that name.
    """
    name, connection = document.segment, transaction.connection
    _fits(connection, document, path)
    before = next(iter(_kept(connection, segments.c.name == name, newest=True)), None)
    if before is not None and before.document.kept_text() == document.kept_text():
        return Imported(name, before.version, "unchanged")
    version = 1 if before is None else before.version + 1
    if before is None:
        row = {"name": name, "version": version, "marked_at": None}
        connection.execute(sa.insert(segments), [row])
    else:
        newer = sa.update(segments).where(segments.c.name == name)
        connection.execute(newer.values(version=version))
    kept = {
        "segment": name,
        "version": version,
        "document": document.kept_text(),
        "text": text,
        "at": transaction.feed.stored_at,
        "by": transaction.by,
    }
    connection.execute(sa.insert(segment_versions), [kept])
    naming.bind(connection, SEGMENTS + name, version, document.kept_text())
    return Imported(name, version, "created" if before is None else "updated")


def listed(connection: sa.Connection) -> list[Kept]:
    """The newest version of every segment, by name."""
    return list(_kept(connection, newest=True))


def found(connection: sa.Connection, name: str) -> Kept:
    """The newest version of a segment; UsageError `segment-unknown`."""
    for one in _kept(connection, segments.c.name == fold(name), newest=True):
        return one
    names = list(connection.scalars(sa.select(segments.c.name)))
    raise UsageError(
        "segment-unknown",
        f"the ledger has no segment `{name}`",
        remedy=nearest(name, names) + "see `dualwrite ledger segments list`",
        subject=Subject(record=name),
    )


def versions(connection: sa.Connection, name: str) -> list[Kept]:
    """All versions of a segment, the newest first; UsageError `segment-unknown`."""
    found(connection, name)
    return list(_kept(connection, segments.c.name == fold(name)))


def delete(transaction: WriteTransaction, name: str) -> None:
    """Take a segment away with all its versions; UsageError `segment-unknown`.

    Its marks have to be gone already: UsageError `segment-marked`.
    """
    connection = transaction.connection
    kept = found(connection, name)
    if kept.marked_at is not None:
        raise UsageError(
            "segment-marked",
            f"cards are marked by segment `{kept.segment}`",
            remedy=f"`dualwrite ledger segments unmark {kept.segment}` first",
            subject=Subject(record=kept.segment),
        )
    connection.execute(sa.delete(segment_versions).where(_VERSION.segment == kept.segment))
    connection.execute(sa.delete(segments).where(segments.c.name == kept.segment))
    naming.unbind(connection, SEGMENTS + kept.segment)


def _kept(
    connection: sa.Connection, *where: sa.ColumnElement[bool], newest: bool = False
) -> Iterator[Kept]:
    query = (
        sa.select(segment_versions, segments.c.marked_at)
        .join(segments, segments.c.name == _VERSION.segment)
        .where(*where)
        .order_by(_VERSION.segment, _VERSION.version.desc())
    )
    if newest:
        query = query.where(_VERSION.version == segments.c.version)
    renamed = naming.renamed(connection)
    for row in connection.execute(query):
        names = renamed.get((SEGMENTS + row.segment, row.version), naming.NONE)
        yield Kept(
            row.segment,
            row.version,
            row.at.replace(tzinfo=UTC),
            row.by,
            None if row.marked_at is None else row.marked_at.replace(tzinfo=UTC),
            SegmentDocument.parsed(naming.today(row.document, names)),
            naming.text_today(row.text, names),
        )


# ---------------------------------------------------------------------------- fitting


def _fits(connection: sa.Connection, document: SegmentDocument, path: str | None) -> None:
    """Raise ConfigError where the ledger has no program, tier or kind of that name.

    Groups, products, channels and stores need not be there yet: they begin with the first.
    """
    programs = {one.program: one.document for one in all_programs(connection)}
    known = {one.name: key for key, one in kinds(connection).items()}
    for part in document.who.parts():
        for name in part.programs or ():
            _program(programs, name, path)
        if part.tier is not None:
            tiers = {one.tier for one in _program(programs, part.tier.program, path).tiers}
            for tier in part.tier.one_of or ():
                if tier not in tiers:
                    what = f"program `{part.tier.program}` has no tier `{tier}`"
                    raise _unfit("segment-tier", what, tier, tiers, path)
        if part.points is not None and fold(part.points.kind) not in known.values():
            what = f"the ledger has no kind of points `{part.points.kind}`"
            raise _unfit("segment-kind", what, part.points.kind, known, path)


def _program(programs: dict[str, ProgramDocument], name: str, path: str | None) -> ProgramDocument:
    if name not in programs:
        what = f"the ledger has no program `{name}`"
        raise _unfit("segment-program", what, name, programs, path)
    return programs[name]


def _unfit(
    code: str, message: str, name: str, known: Iterable[str], path: str | None
) -> ConfigError:
    names = sorted(known)
    there = f"there are: {', '.join(names)}" if names else "there is none yet: import it first"
    remedy = nearest(name, names) + there
    return ConfigError(code, message, remedy=remedy, subject=Subject(file=path))
