"""What may be told of a card in a list that is handed over.

Owns: the columns by name, and filling them for a page of cards with a fixed number of queries.
Never does: choosing the cards (`picking.py`), writing files (`export.py`).
Tested in: tests/unit/ledger/segments/test_export.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

import sqlalchemy as sa

from connector.errors import UsageError
from connector.ledger.fields import fold
from connector.ledger.journal.lots import Lot
from connector.ledger.journal.tables import LIVE, entries
from connector.ledger.journal.totals import SOON, Totals
from connector.ledger.members.facts import facts
from connector.ledger.members.tables import households
from connector.ledger.schema import CARDS, REWARD_POINTS
from connector.ledger.segments.picking import Picked
from connector.ledger.sql import IN_CHUNK, rows_in

DEFAULT = ("CardNumber", "PartyNumber")
_CARD = CARDS.table.c
_POINTS = ("available", "unvested", "expiring")

Cells: TypeAlias = Mapping[str, object]
"""One column of a page, by card id."""
Fill: TypeAlias = Callable[[Sequence[Picked]], Cells]


class Columns:
    """The chosen columns on a day; UsageError `column-unknown` for a name that is none."""

    def __init__(self, connection: sa.Connection, names: Sequence[str], on: date) -> None:
        self._connection = connection
        self._on = on
        self._members: Mapping[str, Any] = {}
        self._held: Mapping[tuple[str, str], Totals] = {}
        known = REWARD_POINTS.table.c
        query = sa.select(known.key, known.id)
        self._kinds = {row.key: str(row.id) for row in connection.execute(query)}
        self._fills = [self._fill(name) for name in names]
        self.names = tuple(names)

    def rows(self, page: Sequence[Picked]) -> list[tuple[object, ...]]:
        """The cells of each card of a page, in the order of the names."""
        self._members = facts(self._connection, [one.id for one in page])
        self._held = self._points(page)
        filled = [fill(page) for fill in self._fills]
        return [tuple(column.get(one.id) for column in filled) for one in page]

    def _fill(self, name: str) -> Fill:
        head, colon, rest = name.partition(":")
        head = head.strip().lower()
        if colon and head in _POINTS and fold(rest.strip()) in self._kinds:
            kind = self._kinds[fold(rest.strip())]
            return lambda page: {one.id: self._units(one.id, kind, head) for one in page}
        if colon and head == "tier":
            program = fold(rest.strip())
            return self._of_member(lambda member: member.tiers.get(program))
        if not colon and head in _OF_MEMBER:
            return self._of_member(_OF_MEMBER[head])
        if not colon and head == "household":
            return self._households
        if not colon and head in CARDS.index:
            return self._of_card(CARDS.field(head).column)
        raise UsageError(
            "export-column",
            f"there is no column `{name}`",
            remedy="use a field of the card, groups, programs, household, sales, tier:PROGRAM, "
            "available:KIND, unvested:KIND or expiring:KIND",
        )

    def _of_card(self, column: str) -> Fill:
        def fill(page: Sequence[Picked]) -> Cells:
            wanted = [_CARD.id, _CARD[column]]
            ids = [one.id for one in page]
            return {row[0]: row[1] for row in rows_in(self._connection, wanted, _CARD.id, ids)}

        return fill

    def _of_member(self, of: Callable[[Any], object]) -> Fill:
        return lambda page: {
            one.id: of(self._members[one.id]) for one in page if one.id in self._members
        }

    def _households(self, page: Sequence[Picked]) -> Cells:
        wanted = [households.c.party, households.c.title]
        parties = list({one.party for one in page if one.party is not None})
        rows = rows_in(self._connection, wanted, households.c.party, parties)
        named: dict[str | None, str] = {row[0]: row[1] for row in rows}
        return {one.id: named.get(one.party) for one in page}

    def _units(self, card: str, kind: str, which: str) -> object:
        totals = self._held.get((card, kind), Totals()).balance(kind)
        return getattr(totals, which)

    def _points(self, page: Sequence[Picked]) -> dict[tuple[str, str], Totals]:
        """What is left of the lots of each card, by card and kind."""
        found: dict[tuple[str, str], Totals] = {}
        lot = entries.c
        days = (lot.card, lot.kind, lot.starts, lot.expires)
        query = sa.select(*days, sa.func.sum(lot.remaining)).where(LIVE).group_by(*days)
        for start in range(0, len(page), IN_CHUNK):
            ids = [one.id for one in page[start : start + IN_CHUNK]]
            for row in self._connection.execute(query.where(lot.card.in_(ids))):
                card, kind, starts, expires, left = row
                totals = found.setdefault((card, kind), Totals())
                totals.hold(Lot(0, int(left), starts, expires), self._on, SOON)
        return found


_OF_MEMBER: Mapping[str, Callable[[Any], object]] = {
    "groups": lambda member: ", ".join(sorted(member.groups)),
    "programs": lambda member: ", ".join(sorted(member.programs)),
    "sales": lambda member: member.sales,
}
