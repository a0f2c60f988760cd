"""Who may correct how many points of which kinds.

Owns: these limits as values, and looking up what holds for one person.
Never does: I/O; deciding on a request (`ruling.py`).
Tested in: tests/unit/ledger/corrections/test_ruling.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from connector.ledger.fields import fold

EVERYBODY_ELSE = "*"
"""Stands for whoever is not named."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one person may ask for; None where there is no limit.

    Points added and points taken away count alike, all kinds together.
    """

    per_request: Decimal | None = None
    per_day: Decimal | None = None
    """Over all that was posted for the person on one day."""
    kinds: tuple[str, ...] | None = None
    """Kinds of points by their RewardPointId."""

    def covers(self, kind: str) -> bool:
        """Whether points of this kind may be asked for."""
        return self.kinds is None or fold(kind) in {fold(one) for one in self.kinds}


_NOBODY: Mapping[str, Allowance] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of a ledger. Without `people`, whoever asks has the `general` allowance.

    With them, nobody else may ask, unless one of them is called `*`. Names are compared without
    case.
    """

    general: Allowance = Allowance()
    per_card_day: Decimal | None = None
    """Over all that was posted to one card on one day, whoever asked."""
    reason: bool = True
    """Whether a request has to say why."""
    people: Mapping[str, Allowance] = field(default_factory=lambda: _NOBODY)

    def of(self, person: str | None) -> Allowance | None:
        """What somebody may ask for; None for nothing at all."""
        if not self.people:
            return self.general
        folded = {fold(name): allowance for name, allowance in self.people.items()}
        named = None if person is None else folded.get(fold(person))
        return named or folded.get(EVERYBODY_ELSE)
