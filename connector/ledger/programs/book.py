"""The programs of a ledger, compiled: what an occasion earns, and what points pay.

Owns: asking the rules that may be met, in the order of programs and documents.
Never does: SQL, clocks (`store.py` loads it); the arithmetic of a rule (`earning.py`).
Tested in: tests/unit/ledger/programs/test_earning.py, test_paying.py, test_laws.py.

A moment belongs to the day it says itself: whoever asks gives it in the time zone of the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from connector.errors import ConfigError, DualWriteError, RecordError
from connector.ledger.fields import fold
from connector.ledger.members.member import Member
from connector.ledger.programs.document import Mixed, ProgramDocument
from connector.ledger.programs.earning import Earning, Offering, Seen
from connector.ledger.programs.extensions import Extensions
from connector.ledger.programs.index import Index
from connector.ledger.programs.occasion import Earned, Occasion
from connector.ledger.programs.paying import Paying
from connector.ledger.programs.paying import RedeemRule as RedeemRule
from connector.ledger.programs.rounding import PointKind
from connector.ledger.programs.terms import Place, Terms


@dataclass(frozen=True, slots=True)
class Program:
    """One program as it is in force: a version of its document."""

    document: ProgramDocument
    version: int
    offering: Offering = field(init=False)
    extensions: Extensions = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "offering", Offering.of(self.document, self.version))
        object.__setattr__(self, "extensions", Extensions(self.document, self.version))


Unable: TypeAlias = Callable[[Program, DualWriteError], bool]
"""Asked where extensions of a program are missing or fail: whether its rules give without them."""


class Programs:
    """All active programs. Pure and safe to share between threads.

    `kinds` holds the point kinds of the ledger by folded RewardPointId. One that is not there is
    taken for one by quantity: whoever posts points of it is refused (`point-kind-unknown`).
    """

    def __init__(self, programs: Iterable[Program], kinds: Mapping[str, PointKind]) -> None:
        self.programs = tuple(sorted(programs, key=lambda one: one.document.program))
        self.kinds = kinds
        self.rules = tuple(_earning(self.programs, kinds))
        """All that earn, in their order."""
        self._index = Index(self.rules)
        self._paying = tuple(_paying(self.programs, kinds))

    @property
    def versions(self) -> Mapping[str, int]:
        """Program to the version that is in force."""
        return MappingProxyType({one.document.program: one.version for one in self.programs})

    @property
    def tiered(self) -> bool:
        """Whether any program has tiers."""
        return any(one.document.tiers for one in self.programs)

    def earned(
        self, occasion: Occasion, member: Member, unable: Unable | None = None
    ) -> list[Earned]:
        """What an occasion earns: one entry for each rule that gives something.

        Rules add up. Points are rounded once for each rule, as their kind asks. A sale in another
        currency than a rule's, and one that comes to nothing or less, earns nothing. Where the
        extensions of a program cannot be asked, `unable` says whether its rules give without them;
        without `unable` their error is raised.
        """
        seen = Seen.of(occasion)
        gifts: list[Earned] = []
        rewards = {one.offering: one.offering.rewards(member, seen) for one in self.programs}
        for one in self.programs:
            if one.extensions and rewards[one.offering]:
                admitted, given = self._extended(one, occasion, member, unable)
                rewards[one.offering] = admitted
                gifts += given
        candidates = self._index.on(occasion.at.date()).candidates(member, seen)
        found = (rule.earned(member, seen) for rule in candidates if rewards[rule.offering])
        return [*(one for one in found if one is not None), *gifts]

    def _extended(
        self, program: Program, occasion: Occasion, member: Member, unable: Unable | None
    ) -> tuple[bool, list[Earned]]:
        """Whether the extensions of a program let it give, and what they give themselves."""
        extensions = program.extensions
        try:
            admitted = extensions.admits(occasion, member)
            return admitted, extensions.gifts(occasion, member, self.kinds) if admitted else []
        except (ConfigError, RecordError) as error:
            if unable is None:
                raise
            return unable(program, error), []

    def redeeming(
        self, member: Member, currency: str, at: datetime, channel: str | None = None
    ) -> list[RedeemRule]:
        """The rules by which a member's points pay in a currency, the one to use first in front."""
        place, day = Place(None if channel is None else fold(channel)), at.date()
        rules = [
            one.rule
            for one in self._paying
            if one.rule.currency == currency
            and one.rule.rounding.redeemable
            and one.offering.open_to(member)
            and one.terms.on(day)
            and one.terms.meets(member, member.tiers.get(one.offering.program), place)
        ]
        return sorted(rules, key=lambda rule: rule.before)

    def mixed(self, member: Member) -> bool:
        """Whether one order may earn and redeem at once, in any program the card takes part in."""
        return any(
            one.document.mixed is not Mixed.NO and one.offering.open_to(member)
            for one in self.programs
        )


def _earning(programs: Iterable[Program], kinds: Mapping[str, PointKind]) -> Iterator[Earning]:
    order = 0
    for one in programs:
        for rule in one.document.earn:
            yield Earning.of(order, one.offering, rule, _kind(kinds, rule.kind))
            order += 1


def _paying(programs: Iterable[Program], kinds: Mapping[str, PointKind]) -> Iterator[Paying]:
    for one in programs:
        for rule in one.document.redeem:
            kind = _kind(kinds, rule.kind)
            redeem = RedeemRule.of(one.offering, rule, kind)
            yield Paying(one.offering, redeem, Terms.of(rule))


def _kind(kinds: Mapping[str, PointKind], name: str) -> PointKind:
    return kinds.get(fold(name)) or PointKind(name)
