"""Points for doing something the first few times: a survey, a visit, a post."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connector.ledger.members.member import Member
from connector.ledger.programs.extensions import Gift, Happening
from connector.ledger.programs.occasion import Activity


class ActivityReward:
    """Options: which `activity`, `kind` of points, how many `points`; once a `month` or once."""

    def __init__(self, activity: str, kind: str, points: int, per: str = "ever") -> None:
        if per not in {"ever", "month"}:
            raise ValueError(f"per is `ever` or `month`, not `{per}`")
        self._activity, self._kind, self._points = activity.casefold(), kind, Decimal(points)
        self._per = per

    def gifts(self, happening: Happening, member: Member) -> Iterator[Gift]:
        """The reward, where this activity was not rewarded yet in its time."""
        if isinstance(happening, Activity) and happening.activity.casefold() == self._activity:
            when = f" {happening.at:%Y-%m}" if self._per == "month" else ""
            name = f"{self._activity}{when}"
            yield Gift(name, self._kind, self._points, f"{happening.activity} {happening.number}")
