"""Sales count on working days only."""

from __future__ import annotations

from connector.ledger.members.member import Member
from connector.ledger.programs.occasion import Activity, Sale

SATURDAY = 5


class WeekdaysOnly:
    """No options."""

    def admits(self, occasion: Sale | Activity, member: Member) -> bool:
        """Whether it is no sale, or one from Monday to Friday."""
        return not isinstance(occasion, Sale) or occasion.at.weekday() < SATURDAY
