"""When a table without a change feed is looked at, and what is read by key in between.

Owns: the least time between two looks of live mode, reading the rows that were hinted at.
Never does: looking (the detection behind it); waiting.
Tested in: tests/unit/endpoints/test_looks.py.

Live mode asks for changes after every wake-up, also of the other side; a compare or an export of a
whole table each time would be ruinous. A look that is left out costs freshness only: the position
does not move, and every write names the version it expects.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from connector.endpoints.base import Page
from connector.endpoints.manner import Manner
from connector.endpoints.snapshots import Snapshots, Source, Table
from connector.errors import UnreachableError

SOON = 15.0
"""Seconds between two looks where something is known to have changed, and not what."""
TOGETHER = 500
"""Hinted rows of one page."""


T = TypeVar("T", bound=Source)
T_contra = TypeVar("T_contra", bound=Source, contravariant=True)


class Detection(Protocol[T_contra]):
    """One way to find the changes of a table: `Snapshots`, `Watermarks`, `Exports`."""

    def scan(self, table: Table[T_contra], resume: str | None) -> Iterator[Page]:
        """As `Endpoint.scan`."""
        ...

    def changes(self, table: Table[T_contra], position: str) -> Iterator[Page]:
        """As `Endpoint.changes`."""
        ...


class Hints(Protocol):
    """What events told of."""

    def take(self, entity: str) -> Sequence[str]:
        """The ids of rows to read soon; each is given once."""
        ...

    def again(self, entity: str, ids: Sequence[str]) -> None:
        """These could not be read now, and are to be given again."""
        ...

    def due(self, entity: str) -> bool:
        """Whether something changed of which no id is known; asked once."""
        ...


class Looks:
    """Looks of one endpoint, at most one in `every` seconds from one position in live mode."""

    def __init__(
        self,
        manner: Manner,
        every: float,
        monotonic: Callable[[], float],
        snapshots: Snapshots,
        hints: Hints | None = None,
    ) -> None:
        self._snapshots = snapshots
        self._live = manner is Manner.LIVE
        self._every = every
        self._monotonic = monotonic
        self._hints = hints
        self._looked: dict[tuple[str, tuple[str, ...], str], float] = {}
        self._told: dict[str, float] = {}
        """When it was last heard that something of an entity changed."""

    def changes(self, detection: Detection[T], table: Table[T], position: str) -> Iterator[Page]:
        """What events hinted at, then what a look finds if it is time for one."""
        if self._live and self._hints is not None:
            yield from self._hinted(self._hints, table, position)
        began = self._monotonic()
        if self._live and began < self._next(table, position):
            yield Page((), position=position, last=True)
            return
        for page in detection.changes(table, position):
            if page.position is not None:
                self._looked.pop((table.entity, table.columns, position), None)
                self._looked[table.entity, table.columns, page.position] = began
            yield page

    def _next(self, table: Table[Source], position: str) -> float:
        """When the next look from a position may begin; a position that is new here may at once."""
        last = self._looked.get((table.entity, table.columns, position))
        if last is None:
            return 0.0
        if self._hints is not None and self._hints.due(table.entity):
            self._told[table.entity] = self._monotonic()
        due = self._told.get(table.entity, -math.inf) >= last
        return last + (min(SOON, self._every) if due else self._every)

    def _hinted(self, hints: Hints, table: Table[Source], position: str) -> Iterator[Page]:
        """Rows that are there, and the ids of those that are not; the position stays."""
        ids = hints.take(table.entity)
        for first in range(0, len(ids), TOGETHER):
            try:
                rows, absent = self._snapshots.named(table, ids[first : first + TOGETHER])
            except UnreachableError:  # it may answer soon; a refusal would only come again
                hints.again(table.entity, ids[first:])
                raise
            yield Page(rows, absent, resume=position)
