"""Points with the first sale around a birthday, once a year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from connector.ledger.members.member import Member
from connector.ledger.programs.extensions import Gift, Happening
from connector.ledger.programs.occasion import Sale
from shop_extensions.dates import dates


class Birthday:
    """Options: `kind` of points, how many `points`, a `file` of PartyNumber,date; `days` around."""

    def __init__(self, kind: str, points: int, file: str, days: int = 7) -> None:
        self._kind, self._points, self._days = kind, Decimal(points), timedelta(days)
        self._born = dates(file)

    def gifts(self, happening: Happening, member: Member) -> Iterator[Gift]:
        """The gift of the year, where the sale is close to the birthday."""
        born = self._born.get(member.party or "")
        if born is None or not isinstance(happening, Sale):
            return
        day = happening.at.date()
        for year in (day.year - 1, day.year, day.year + 1):
            # 1 March stands for 29 February in other years.
            birthday = date(year, born.month, 1) + timedelta(born.day - 1)
            if abs(birthday - day) <= self._days:
                yield Gift(f"birthday {year}", self._kind, self._points, f"birthday on {birthday}")
