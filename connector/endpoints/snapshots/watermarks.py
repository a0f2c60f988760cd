"""Changes found by a column that rises with every write, and deletes by a snapshot now and then.

Owns: which rows a look asks for, what of them was told before, and when the next sweep is due.
Never does: keeping a position; knowing a system; comparing snapshots (`snapshots.py`).
Tested in: tests/unit/endpoints/snapshots/test_watermarks.py.

A write may be committed after a later one was read, with a mark from before. So each look begins
`overlap` below the horizon of the look before: everything below is committed by then. Rows in the
overlap that were told before are known by hashes of their id and version in the position; of more
than `MOST_TOLD` of them some are told again, which the engine takes for no news.

A watermark tells of no delete, and of no row without a mark. A sweep does: a compare with the
snapshot of the sweep before, which the position names as well. It tells again of rows that have
changed since; nothing is lost by that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connector.endpoints.base import Page, Row
from connector.endpoints.snapshots.snapshots import Snapshots, expired
from connector.endpoints.snapshots.source import Mark, Marked, Table, TimedSource, version_of

MOST_TOLD = 1000
"""Rows within the overlap that a position remembers."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position, or a place within a look.

    `low` is where the look begins, None for an empty table; `behind` the last row of the page
    before, and `horizon` that of the look's beginning, both only within a look.
    """

    snapshot: str
    swept: float
    low: Mark | None
    told: frozenset[str] = frozenset()
    behind: tuple[Mark, str] | None = None
    horizon: Mark | None = None


class Watermarks:
    """Change feeds by watermark of the tables of one system.

    `overlap` is in seconds, or in numbers where marks are numbers; `sweep` is the seconds between
    two sweeps by `clock`, our own.
    """

    def __init__(
        self, snapshots: Snapshots, overlap: float, sweep: float, clock: Callable[[], float]
    ) -> None:
        self._snapshots = snapshots
        self._overlap = overlap
        self._sweep = sweep
        self._clock = clock

    def scan(self, table: Table[TimedSource], resume: str | None) -> Iterator[Page]:
        """Pages of the whole table; see `Endpoint.scan`. Raises what `Snapshots.scan` does."""
        if resume is None:
            # Before the first row is read: what is written meanwhile lies above it.
            place = Place("", self._clock(), below(table.source.horizon(), self._overlap))
            inner = None
        else:
            place = parse(table.entity, resume)
            inner = place.snapshot
        for page in self._snapshots.scan(table, inner):
            if page.last:
                assert page.position is not None
                yield replace(page, position=text(replace(place, snapshot=page.position)))
            else:
                assert page.resume is not None
                yield replace(page, resume=text(replace(place, snapshot=page.resume)))

    def changes(self, table: Table[TimedSource], position: str) -> Iterator[Page]:
        """Pages of what was written since; deletes come with a sweep.

        Raises what `Snapshots.changes` does.
        """
        place = parse(table.entity, position)
        self._snapshots.hold(table, place.snapshot)
        look = _Look(table, place, self._overlap)
        for page in look.pages():
            # The next sweep has to know of them, should they be gone by then.
            self._snapshots.note(table.entity, table.columns, [row.id for row in page.rows])
            yield page
        place = look.done()
        # Where our own clock was set back, the last sweep seems to lie ahead.
        if look.set_back or not 0 <= self._clock() - place.swept < self._sweep:
            began = self._clock()
            for page in self._snapshots.changes(table, place.snapshot):
                if page.last:
                    assert page.position is not None
                    place = replace(place, snapshot=page.position, swept=began)
                if page.rows or page.deleted or not page.last:
                    yield replace(page, resume=position, position=None, last=False)
        yield Page([], position=text(place), last=True)


class _Look:
    """One look at what lies above the watermark."""

    def __init__(self, table: Table[TimedSource], place: Place, overlap: float) -> None:
        self._source = table.source
        self._place = place
        # Before the first row is read, and kept where a look is taken up again.
        self._horizon = place.horizon if place.behind is not None else self._source.horizon()
        if not _alike(place.low, self._horizon):
            raise expired(table.entity, "the watermark column holds another kind of values now")
        self._low = below(self._horizon, overlap)
        self._told: set[str] = set()

    def pages(self) -> Iterator[Page]:
        """Rows not told before, page by page."""
        place = self._place
        if place.low is None and self._horizon is None:
            return  # an empty table that stayed empty
        mark, after = place.behind or (place.low, None)
        if mark is None:
            mark = lowest(self._horizon)
        for marked in self._source.since(mark, after):
            if not marked:
                continue
            rows = [one.row for one in marked if self._is_news(one)]
            behind = (marked[-1].mark, marked[-1].key)
            within = replace(place, behind=behind, horizon=self._horizon)
            if rows:
                yield Page(rows, resume=text(within))

    def done(self) -> Place:
        """The place from which the next look begins."""
        low = self._place.low if self._low is None else self._low
        return Place(self._place.snapshot, self._place.swept, low, frozenset(self._told))

    @property
    def set_back(self) -> bool:
        """Whether the system's clock went back since, so that marks tell nothing of that time."""
        low, horizon = self._place.low, self._horizon
        return low is not None and horizon is not None and is_below(horizon, low)

    def _is_news(self, one: Marked) -> bool:
        word = _word(one.row)
        near = self._low is None or not is_below(one.mark, self._low)
        if near and len(self._told) < MOST_TOLD:
            self._told.add(word)
        return word not in self._place.told


def is_below(mark: Mark, other: Mark) -> bool:
    """Whether a mark lies below another one of its column."""
    if isinstance(mark, datetime) or isinstance(other, datetime):
        assert isinstance(mark, datetime)
        assert isinstance(other, datetime)
        return mark < other
    return mark < other


def _alike(one: Mark | None, other: Mark | None) -> bool:
    return None in (one, other) or isinstance(one, datetime) is isinstance(other, datetime)


def below(horizon: Mark | None, overlap: float) -> Mark | None:
    """The mark `overlap` below a horizon."""
    if horizon is None:
        return None
    if isinstance(horizon, datetime):
        return horizon - timedelta(seconds=overlap)
    return horizon - int(overlap)


def lowest(like: Mark | None) -> Mark:
    """A mark below all others of this kind."""
    if isinstance(like, datetime):
        return datetime(1, 1, 1, tzinfo=UTC)
    return -(2**63)


def text(place: Place) -> str:
    """A place as text."""
    behind = None if place.behind is None else [_mark(place.behind[0]), place.behind[1]]
    told = {
        "snapshot": place.snapshot,
        "swept": place.swept,
        "low": _mark(place.low),
        "told": sorted(place.told),
        "behind": behind,
        "horizon": _mark(place.horizon),
    }
    return json.dumps(
        {name: value for name, value in told.items() if value not in (None, [])}, ensure_ascii=False
    )


def parse(entity: str, position: str) -> Place:
    """The place in a text; raises `PositionExpiredError`."""
    try:
        told = json.loads(position)
        behind = told.get("behind")
        return Place(
            str(told["snapshot"]),
            float(told["swept"]),
            _unmarked(told.get("low")),
            frozenset(map(str, told.get("told", ()))),
            None if behind is None else (_known(_unmarked(behind[0])), str(behind[1])),
            _unmarked(told.get("horizon")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise expired(entity, "the position cannot be read") from error


def _mark(mark: Mark | None) -> int | str | None:
    return mark.isoformat() if isinstance(mark, datetime) else mark


def _unmarked(told: object) -> Mark | None:
    if told is None or (isinstance(told, int) and not isinstance(told, bool)):
        return told
    if not isinstance(told, str):
        raise TypeError("a mark is a number or an instant")
    return datetime.fromisoformat(told).astimezone(UTC)


def _known(mark: Mark | None) -> Mark:
    if mark is None:
        raise TypeError("a row has a mark")
    return mark


def _word(row: Row) -> str:
    """What a position remembers of a row: 16 hexadecimal digits."""
    told = f"{row.id}\x1f{version_of(row)}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(told, digest_size=8).hexdigest()
