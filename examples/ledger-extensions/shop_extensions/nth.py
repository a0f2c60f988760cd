"""A bonus with the n-th sale of a card."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connector.ledger.members.member import Member
from connector.ledger.programs.extensions import Gift, Happening
from connector.ledger.programs.occasion import Sale


class NthSale:
    """Options: `kind` of points, how many `points`, with which `sale`; `again` for every n-th."""

    def __init__(self, kind: str, points: int, sale: int, again: bool = False) -> None:
        if sale < 1:
            raise ValueError(f"sales are counted from 1, not from {sale}")
        self._kind, self._points, self._sale, self._again = kind, Decimal(points), sale, again

    def gifts(self, happening: Happening, member: Member) -> Iterator[Gift]:
        """The bonus, where it is this sale's turn."""
        if not isinstance(happening, Sale):
            return
        count = member.sales + 1
        if count == self._sale or (self._again and count % self._sale == 0):
            # The count is in the name: with `again`, each of them is given.
            yield Gift(f"sale {count}", self._kind, self._points, f"sale number {count}")
