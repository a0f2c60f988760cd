"""Points for whoever comes into a tier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from connector.ledger.members.member import Member
from connector.ledger.programs.extensions import Gift, Happening, TierReached


class TierGift:
    """Options: `kind` of points, and `tiers`: how many points by tier."""

    def __init__(self, kind: str, tiers: Mapping[str, int]) -> None:
        self._kind = kind
        self._points = {tier: Decimal(points) for tier, points in tiers.items()}

    def gifts(self, happening: Happening, member: Member) -> Iterator[Gift]:
        """The gift of the tier, the first time it is reached."""
        if isinstance(happening, TierReached) and happening.tier in self._points:
            tier = happening.tier
            yield Gift(f"tier {tier}", self._kind, self._points[tier], f"reached {tier}")
