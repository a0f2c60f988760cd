"""Which cards count together for tiers: a card with those it replaced, or all of a household.

Owns: these queries; a few for a batch, however many cards it has.
Never does: counting points (`standing.py`).
Tested in: tests/unit/ledger/programs/test_standing.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.members.tables import households
from connector.ledger.programs.lookup import Lookup
from connector.ledger.schema import CARDS

_CARD = CARDS.table.c
_HOLDER = sa.select(_CARD.id, _CARD.card_number, _CARD.party_number, _CARD.replacement_card_number)
_BY_ID = Lookup(_HOLDER, _CARD.id)
_BY_KEY = Lookup(_HOLDER, _CARD.key)
_BY_PARTY = Lookup(_HOLDER, _CARD.party_number)
_BY_SUCCESSOR = Lookup(_HOLDER, _CARD.replacement_card_number)
_HOUSEHOLD = sa.select(households.c.party, households.c.name)
_HOUSEHOLDS = Lookup(_HOUSEHOLD, households.c.party)
_DWELLERS = Lookup(_HOUSEHOLD, households.c.name)


class Holder(NamedTuple):
    """A card as pools see it."""

    id: str
    number: str
    party: str | None
    replaced_by: str | None


class Pools:
    """Some cards and every card that any of them counts with."""

    def __init__(self, connection: sa.Connection, cards: Collection[str]) -> None:
        self._connection = connection
        self.holders: dict[str, Holder] = {}
        self._households: dict[str, str] = {}
        self._parties: set[str] = set()
        new = self._add(_BY_ID, cards)
        while new:
            new = self._around(new)
        numbers = {fold(one.number): one for one in self.holders.values()}
        self._following: Mapping[str, str] = {
            one.id: numbers[fold(one.replaced_by)].id
            for one in self.holders.values()
            if one.replaced_by is not None and fold(one.replaced_by) in numbers
        }

    def own(self, card: str) -> str:
        """Names the pool of a card by itself: the card that stands for it now."""
        seen = {card}
        while (following := self._following.get(card)) is not None and following not in seen:
            seen.add(following)
            card = following
        return card

    def shared(self, card: str) -> str:
        """Names the pool of a card with the others of its customer and household."""
        party = self.holders[card].party
        if party is None:
            return f"card {self.own(card)}"
        household = self._households.get(party)
        return f"party {party}" if household is None else f"household {household}"

    def _around(self, new: list[Holder]) -> list[Holder]:
        """The cards next to these that were not known yet."""
        parties = {one.party for one in new if one.party is not None} - self._parties
        names = {row.name for row in _HOUSEHOLDS.rows(self._connection, parties)}
        for party, name in _DWELLERS.rows(self._connection, names):
            self._households[party] = name
            parties.add(party)
        self._parties |= parties
        successors = {fold(one.replaced_by) for one in new if one.replaced_by is not None}
        return [
            *self._add(_BY_PARTY, parties),
            *self._add(_BY_KEY, successors),
            *self._add(_BY_SUCCESSOR, {one.number for one in new}),
        ]

    def _add(self, lookup: Lookup, values: Collection[str]) -> list[Holder]:
        new: list[Holder] = []
        for row in lookup.rows(self._connection, values):
            holder = Holder(*row)
            if holder.id not in self.holders:
                self.holders[holder.id] = holder
                new.append(holder)
        return new
