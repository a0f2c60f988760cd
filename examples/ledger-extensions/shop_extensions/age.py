"""Only members of full age earn."""

from __future__ import annotations

from connector.ledger.members.member import Member
from connector.ledger.programs.occasion import Activity, Sale
from shop_extensions.dates import dates


class FullAge:
    """Options: a `file` of PartyNumber,birthday; the least `age`, 18 where it is not given."""

    def __init__(self, file: str, age: int = 18) -> None:
        self._born, self._age = dates(file), age

    def admits(self, occasion: Sale | Activity, member: Member) -> bool:
        """Whether the customer is known to be old enough on that day."""
        born = self._born.get(member.party or "")
        if born is None:
            return False
        day = occasion.at.date()
        had_birthday = (day.month, day.day) >= (born.month, born.day)
        return day.year - born.year - (not had_birthday) >= self._age
