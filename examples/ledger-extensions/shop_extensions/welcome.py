"""Points with the first sale of a card."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connector.ledger.members.member import Member
from connector.ledger.programs.extensions import Gift, Happening
from connector.ledger.programs.occasion import Sale


class WelcomeGift:
    """Options: `kind` of points, how many `points`."""

    def __init__(self, kind: str, points: int) -> None:
        self._kind, self._points = kind, Decimal(points)

    def gifts(self, happening: Happening, member: Member) -> Iterator[Gift]:
        """The gift, where this is the first sale."""
        if isinstance(happening, Sale) and member.sales == 0:
            yield Gift("welcome", self._kind, self._points, f"first sale {happening.number}")
