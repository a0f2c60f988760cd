"""Changes found by incremental exports, and deletes by a compare of the whole table now and then.

Owns: what a position counts as told, and when the exports do not suffice.
Never does: exporting (`runs.py`), comparing (`connector/endpoints/snapshots`), keeping a position.
Tested in: tests/unit/endpoints/finops/exports/test_detection.py,
tests/acceptance/test_finops_exports.py.

An export tells which rows were made or changed since the one before, and of no delete. So a
position names two things: the last run whose keys were told, and a snapshot to compare the table
with. The table is compared every `sweep` seconds, and whenever what a run told is not known
(`journal`). A row told by a run may be deleted before the next compare; so it is noted first.

A dry run never begins an export, which would take the next real run's news; it compares.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice

from connector.endpoints.base import Page
from connector.endpoints.finops.exports.runs import PATIENCE, Runs
from connector.endpoints.manner import Manner
from connector.endpoints.snapshots import Snapshots, Source, Table
from connector.errors import PositionExpiredError, Subject

TOGETHER = 1000
"""Keys of one page."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position, or a place within one run."""

    journal: str
    run: int
    """The last run of which all keys were told."""
    skip: int
    """How many keys of the next run were told."""
    swept: float
    """When the snapshot was begun."""
    snapshot: str


class Exports:
    """The change feed of one entity. `sweep` is in seconds by `clock`, our own."""

    def __init__(
        self,
        snapshots: Snapshots,
        runs: Runs,
        sweep: float,
        manner: Manner,
        clock: Callable[[], float],
    ) -> None:
        self._snapshots = snapshots
        self._runs = runs
        self._journal = runs.journal
        self._sweep = sweep
        self._manner = manner
        self._clock = clock

    def scan(self, table: Table[Source], resume: str | None) -> Iterator[Page]:
        """Pages of the whole table; see `Endpoint.scan`. Raises what `Snapshots.scan` does."""
        if resume is None:
            # Before the first row is read: what later runs tell is told again.
            head = self._journal.head()
            place, inner = Place(self._journal.id, head, 0, self._clock(), ""), None
        else:
            place = _parse(table.entity, resume)
            inner = place.snapshot
        for page in self._snapshots.scan(table, inner):
            resume = None if page.resume is None else _text(replace(place, snapshot=page.resume))
            position = page.position
            if position is not None:
                position = _text(replace(place, snapshot=position))
            yield replace(page, resume=resume, position=position)

    def changes(self, table: Table[Source], position: str) -> Iterator[Page]:
        """Pages of what was exported since, or of what a compare finds.

        Raises what `Snapshots.changes` and `Runs.advance` do, and `UnreachableError`
        (`export-late`) for a command that has waited in vain.
        """
        place = _parse(table.entity, position)
        if self._manner is Manner.REHEARSAL or self._is_due(place):
            yield from self._compared(table, place, position)
            return
        self._snapshots.hold(table, place.snapshot)
        told = yield from self._news(table, place)
        if told is not None:
            patience = 0.0 if self._manner is Manner.LIVE else PATIENCE
            in_time = self._runs.advance(patience)
            told = yield from self._news(table, told)
            if told is not None:
                if not in_time and patience and not self._runs.interrupted:
                    raise self._runs.late(patience)
                yield Page((), position=_text(told), last=True)
                return
        yield from self._compared(table, place, position)

    def _is_due(self, place: Place) -> bool:
        """Whether it is time for a compare, or the exports can tell nothing."""
        # Where our own clock was set back, the last compare seems to lie ahead.
        late = not 0 <= self._clock() - place.swept < self._sweep
        return late or place.journal != self._journal.id

    # ------------------------------------------------------------------------ by exports

    def _news(self, table: Table[Source], place: Place) -> Generator[Page, None, Place | None]:
        """What the runs since told; the place behind them, None where one of them is not known."""
        runs = self._journal.after(place.run)
        if runs is None or any(run.lost for run in runs):
            return None
        for run in runs:
            keys = self._journal.keys(run.number, place.skip)
            while some := list(islice(keys, TOGETHER)):
                place = replace(place, skip=place.skip + len(some))
                rows, absent = self._snapshots.named(table, some)
                yield Page(rows, absent, resume=_text(place))
            if place.skip != run.keys:
                return None  # the list of its keys is damaged
            place = replace(place, run=run.number, skip=0)
        return place

    # ------------------------------------------------------------------------ by compare

    def _compared(self, table: Table[Source], place: Place, position: str) -> Iterator[Page]:
        """What a compare with the last one finds; a place within it begins it anew."""
        began, head = self._clock(), self._journal.head()
        for page in self._snapshots.changes(table, place.snapshot):
            if page.position is None:
                yield replace(page, resume=position)
            else:
                new = Place(self._journal.id, head, 0, began, page.position)
                yield replace(page, resume=None, position=_text(new))


def _text(place: Place) -> str:
    return json.dumps(asdict(place), separators=(",", ":"), ensure_ascii=False)


def _parse(entity: str, position: str) -> Place:
    """The place in a text; raises `PositionExpiredError`."""
    try:
        told = json.loads(position)
        return Place(
            str(told["journal"]),
            int(told["run"]),
            int(told["skip"]),
            float(told["swept"]),
            str(told["snapshot"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _expired(entity, "it cannot be read") from error


def _expired(entity: str, cause: str) -> PositionExpiredError:
    return PositionExpiredError(
        "position-expired",
        f"the exports of {entity} cannot be followed from the stored position",
        remedy="the table is read in full next; keep the folder of snapshots between runs",
        subject=Subject(side="commerce", entity=entity),
        cause=cause,
    )
