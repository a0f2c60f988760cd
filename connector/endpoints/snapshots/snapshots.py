"""Changes found by reading a whole table again and comparing it with the last time.

Owns: what a compare tells: rows that differ, read by id, and deletes, which are read by id as
well before they count; the generation that goes with each position.
Never does: keeping a position; knowing a system.
Tested in: tests/unit/endpoints/snapshots/test_snapshots.py, tests/contract/.

A position is `snapshot.TIE.NAME`: the generation to compare with. It is durable before the position
is handed out, and comparing with it changes nothing, so that a position may be used as often as one
likes, by several processes at once. An idle look moves ids and versions, writes nothing, and ends
with the position it began with.

Absence is a suspicion: a row that moved between pages while they were read is missing in none or
in two of them. So each row that was not seen is read by id. A read in which nothing is left of
several rows is no reason for deletes at all: it asks for a full scan, where the engine has its own
guard (`scan-empty`). Rows that were told of and deleted between two reads are in neither of them:
what was noted (`notes.py`) makes them suspects as well.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from connector.endpoints.base import Page, Row
from connector.endpoints.snapshots.entries import Entries, Places
from connector.endpoints.snapshots.folder import Folder, is_name, tie_of
from connector.endpoints.snapshots.generation import Generation, make
from connector.endpoints.snapshots.journal import Journal, Torn
from connector.endpoints.snapshots.notes import Notes, noted_since
from connector.endpoints.snapshots.source import Sight, Source, Table, version_of
from connector.errors import PositionExpiredError, StateError, Subject

READ_ROWS = 1000
"""Rows read by id at a time, and most rows of a page of changes."""
MANY = 16
"""Files of notes that are read again each time before they are taken into a generation."""
BREATH = 5.0
"""Seconds without a page after which an empty one lets whoever follows see to other things."""
FEW = 2
"""Rows that may all be gone at once without a question."""


class Snapshots:
    """Change feeds of the tables of one system, kept in a folder of this machine.

    `system` names the system in the same words each time, such as its address.
    """

    def __init__(
        self, folder: Path, system: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._monotonic = monotonic
        self._system = system
        self._notes: dict[str, Notes] = {}
        self._lock = threading.Lock()

    def scan(self, table: Table[Source], resume: str | None) -> Iterator[Page]:
        """Pages of the whole table; see `Endpoint.scan`.

        Raises `PositionExpiredError` for a `resume` that is of no use any more, and `StateError`
        (`snapshot-unwritable`).
        """
        folder = self._of(table)
        with writing(folder.path):
            journal, mark = _begun(folder, table, resume)
        try:
            yield from self._scan(folder, table, journal, mark)
        finally:
            journal.close()

    def _scan(
        self, folder: Folder, table: Table[Source], journal: Journal, mark: str | None
    ) -> Iterator[Page]:
        for batch in table.source.rows(mark):
            read = Entries.of([(row.id, version_of(row)) for row in batch.rows])
            if batch.mark is None:
                with writing(folder.path):
                    journal.append(read)
                    name = folder.next(journal.path.stem)
                    make(folder.generation(name), journal)
                    folder.tidy()
                yield Page(batch.rows, position=_position(folder, name), last=True)
                return
            with writing(folder.path):
                journal.append(read)
                journal.sync()
            yield Page(batch.rows, resume=_resume(folder, journal, batch.mark))

    def changes(self, table: Table[Source], position: str) -> Iterator[Page]:
        """Pages of what differs from the read that `position` stands for; deletes come last.

        `Page.resume` is `position` itself: all is compared again. Raises `PositionExpiredError`
        (`position-expired`, `position-emptied`) and `StateError` (`snapshot-unwritable`).
        """
        folder = self._of(table)
        name = _named(folder, table, position)
        with writing(folder.path):
            base = _opened(folder, table, name)
            folder.claim(name, base.noted)
            fresh, noted = noted_since(folder.path, name.partition("-")[0], base.noted)
            new = folder.next(name)
            journal = Journal(folder.told(new))
        try:
            compare = _Compare(table, base, journal, fresh)
            told = self._monotonic()
            for news in compare.news():
                if not news.rows and not news.deleted and self._monotonic() - told < BREATH:
                    continue
                with writing(folder.path):
                    journal.sync()  # whoever keeps this page may die before the last one
                yield Page(news.rows, news.deleted, resume=position)
                told = self._monotonic()
            if compare.differs or len(noted) > len(base.noted) + MANY:
                with writing(folder.path):
                    noted[journal.path.name] = journal.length
                    make(folder.generation(new), journal, base, compare.kept, noted)
                position = _position(folder, new)
            yield Page([], position=position, last=True)
        finally:
            if journal.count:
                journal.close()
            else:
                journal.discard()

    def note(self, entity: str, columns: Sequence[str], ids: Sequence[str]) -> None:
        """Remember rows that somebody is told of otherwise, so that their deletes are found.

        To be called before they are told of, or before a create leaves whose id is known. A table
        that was never read whole needs none. Raises `StateError` (`snapshot-unwritable`).
        """
        tie = tie_of(self._system, entity, tuple(columns))
        if not ids or not (self._folder / tie).is_dir():
            return
        with self._lock:
            notes = self._notes.setdefault(tie, Notes(self._folder / tie))
        with writing(self._folder / tie):
            notes.add(ids)

    def named(self, table: Table[Source], ids: Sequence[str]) -> tuple[list[Row], list[str]]:
        """Rows that somebody named, and the ids of those that are not there; they are noted first.

        Where keys are compared without case, a row may come back in another spelling.
        """
        asked = dict.fromkeys(ids)
        self.note(table.entity, table.columns, list(asked))
        rows = list(table.source.read(list(asked)))
        self.note(table.entity, table.columns, [row.id for row in rows if row.id not in asked])
        there = {row.id.casefold() for row in rows}
        return rows, [id for id in asked if id.casefold() not in there]

    def hold(self, table: Table[Source], position: str) -> None:
        """Keep what `position` names for later, without a look at it; raises as `changes` does."""
        folder = self._of(table)
        name = _named(folder, table, position)
        with writing(folder.path):
            try:
                folder.touch(name)
            except FileNotFoundError as error:
                raise _lost(folder, table, error) from error
            folder.claim(name)

    def _of(self, table: Table[Source]) -> Folder:
        return Folder(self._folder, tie_of(self._system, table.entity, table.columns))


class _News(NamedTuple):
    """Rows that differ, and ids of rows that are gone."""

    rows: Sequence[Row]
    deleted: Sequence[str] = ()


class _Compare:
    """One read of a table against a generation; what differs goes into a journal."""

    def __init__(
        self, table: Table[Source], base: Generation, journal: Journal, noted: Entries
    ) -> None:
        self._table = table
        self._base = base
        self._journal = journal
        self._noted = noted.take(base.find(noted) < 0)
        self._unseen = np.ones(len(self._noted), np.bool_)
        self._seen = np.zeros(base.count, np.bool_)
        self.kept = np.ones(base.count, np.bool_)
        """Rows of the generation that hold as they are."""

    @property
    def differs(self) -> bool:
        """Whether anything is not as it was."""
        return bool(self._journal.count or len(self._noted)) or not self.kept.all()

    def news(self) -> Iterator[_News]:
        """What differs, also where it is nothing, step by step.

        After the last of it, `kept` and the journal make the new generation.
        """
        listed = 0
        for sights in self._table.source.versions():
            listed += len(sights)
            yield from self._differing(sights)
            yield _News(())
        if not listed and self._base.count > FEW:
            raise _emptied(self._table, self._base.count)
        absent = np.flatnonzero(~self._seen)
        for start in range(0, len(absent), READ_ROWS):
            places = absent[start : start + READ_ROWS]
            yield from self._absent(self._base.ids(places), places)
        noted = self._noted.take(self._unseen).ids()
        for start in range(0, len(noted), READ_ROWS):
            yield from self._absent(noted[start : start + READ_ROWS], None)

    def _differing(self, sights: Sequence[Sight]) -> Iterator[_News]:
        if not sights:
            return
        entries = Entries.of(sights)
        places = self._base.find(entries)
        known = places >= 0
        self._seen[places[known]] = True
        differs = ~known
        differs[known] = self._base.versions(places[known]) != entries.version[known]
        ids = [sights[at][0] for at in np.flatnonzero(differs).tolist()]
        for start in range(0, len(ids), READ_ROWS):
            rows = self._news_of(self._table.source.read(ids[start : start + READ_ROWS]))
            yield _News(rows)
        # Listed, but not there any more when it was read: it is looked for again at the end.
        self._seen[places[known & differs]] = ~self.kept[places[known & differs]]

    def _absent(self, ids: Sequence[str], places: Places | None) -> Iterator[_News]:
        """Rows that were not listed, with their places if they are in the generation."""
        found = {row.id: row for row in self._table.source.read(ids)}
        deleted = [id for id in ids if id not in found]
        if places is not None:
            self.kept[places[np.array([id not in found for id in ids], np.bool_)]] = False
        yield _News(self._news_of(found.values()), deleted)

    def _news_of(self, found: Iterable[Row]) -> list[Row]:
        """Those of the rows that differ from the generation; they are in the new one as read."""
        rows = list(found)
        if not rows:
            return []
        entries = Entries.of([(row.id, version_of(row)) for row in rows])
        places = self._base.find(entries)
        known = places >= 0
        news = ~known
        news[known] = self._base.versions(places[known]) != entries.version[known]
        self.kept[places[known & news]] = False
        noted = self._noted.places_of(entries)
        self._unseen[noted[noted >= 0]] = False
        with writing(self._journal.path.parent):
            self._journal.append(entries.take(news))
        return [rows[at] for at in np.flatnonzero(news).tolist()]


# ---------------------------------------------------------------------------- positions


def _position(folder: Folder, name: str) -> str:
    return f"snapshot.{folder.tie}.{name}"


def _named(folder: Folder, table: Table[Source], position: str) -> str:
    """The generation a position names; raises `PositionExpiredError`."""
    kind, _, rest = position.partition(".")
    tie, _, name = rest.partition(".")
    if kind != "snapshot" or not is_name(name):
        raise expired(table.entity, "the position cannot be read")
    if tie != folder.tie:
        raise expired(table.entity, "it was taken for another system, entity or column list")
    return name


def _opened(folder: Folder, table: Table[Source], name: str) -> Generation:
    try:
        generation = Generation(folder.generation(name))
        folder.touch(name)
    except FileNotFoundError as error:
        raise _lost(folder, table, error) from error
    except Torn as error:
        raise expired(table.entity, f"its snapshot is damaged: {error}") from error
    return generation


def _resume(folder: Folder, journal: Journal, mark: str) -> str:
    told = {
        "tie": folder.tie,
        "name": journal.path.stem,
        "length": journal.length,
        "mark": mark,
    }
    return json.dumps(told, separators=(",", ":"))


def _begun(folder: Folder, table: Table[Source], resume: str | None) -> tuple[Journal, str | None]:
    """A journal of our own that holds what was read before, and the mark to go on from."""
    folder.path.mkdir(parents=True, exist_ok=True)
    if resume is None:
        return Journal(folder.journal(folder.begin())), None
    try:
        told: dict[str, Any] = json.loads(resume)
        tie, name, length, mark = (told[key] for key in ("tie", "name", "length", "mark"))
        fits = is_name(name) and isinstance(length, int) and isinstance(mark, str)
    except (ValueError, KeyError, TypeError) as error:
        raise expired(table.entity, "the place in the scan cannot be read") from error
    if not fits or tie != folder.tie:
        raise expired(table.entity, "the place in the scan was noted for another read")
    journal = Journal(folder.journal(folder.next(name)))
    try:
        journal.copy_from(folder.journal(name), length)
    except (Torn, FileNotFoundError) as error:
        journal.discard()
        raise expired(table.entity, f"what was read before is lost: {error}") from error
    return journal, mark


# ---------------------------------------------------------------------------- errors


def expired(entity: str, cause: str) -> PositionExpiredError:
    """There is nothing to compare with."""
    return PositionExpiredError(
        "position-expired",
        f"there is no snapshot of {entity} to compare with",
        remedy="the table is read in full next; keep the folder of snapshots between runs",
        subject=Subject(side="commerce", entity=entity),
        cause=cause,
    )


def _lost(folder: Folder, table: Table[Source], error: FileNotFoundError) -> PositionExpiredError:
    missing = f"its snapshot is not in {folder.path} any more ({error.strerror})"
    return expired(table.entity, missing)


def _emptied(table: Table[Source], count: int) -> PositionExpiredError:
    return PositionExpiredError(
        "position-emptied",
        f"{table.entity} held {count} rows and reads as empty now",
        remedy="the table is read in full next, which stops the map if it is still empty",
        subject=Subject(side="commerce", entity=table.entity),
    )


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Turn a folder that cannot be used into an error that names it."""
    try:
        yield
    except OSError as error:
        raise StateError(
            "snapshot-unwritable",
            f"the folder of snapshots {path} cannot be used",
            cause=error.strerror or str(error),
            remedy="make room there and let this user write to it, or name another one as "
            "`changes.folder` of this side",
        ) from error
