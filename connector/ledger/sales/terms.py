"""What sales and activities are judged by: the active programs and rewards of a ledger.

Owns: bringing them together, and finding those of a former sale.
Never does: deciding what is earned (`programs/book.py`, `rewards/evaluator.py`).
Tested in: tests/unit/ledger/sales/test_terms.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import sqlalchemy as sa

from connector.ledger.ledger import WriteTransaction
from connector.ledger.members.member import Member
from connector.ledger.programs import standing
from connector.ledger.programs import store as programs
from connector.ledger.programs.book import Programs, Unable
from connector.ledger.programs.occasion import Activity, Earned, Occasion
from connector.ledger.rewards import store as rewards
from connector.ledger.rewards.evaluator import Rewards
from connector.ledger.rewards.tables import REWARDS

Versions: TypeAlias = Mapping[str, int]
"""Name of a document to its version in the ledger."""


class Terms(Protocol):
    """Rules that are compiled and ready."""

    @property
    def versions(self) -> Versions:
        """Which documents these are."""

    @property
    def tiered(self) -> bool:
        """Whether a sale may change what the next one of the same customer earns, by a tier."""

    def earned(
        self, occasion: Occasion, member: Member, unable: Unable | None = None
    ) -> Sequence[Earned]:
        """What an occasion earns; `unable` as of `programs.book.Programs.earned`."""


class TermsSource(Protocol):
    """Where terms come from, and the tiers that follow from what was earned by them."""

    def current(self, connection: sa.Connection) -> Terms:
        """Those of now."""

    def of(self, connection: sa.Connection, versions: Versions) -> Terms:
        """Those of a former sale."""

    def restate(self, transaction: WriteTransaction, cards: Collection[str]) -> None:
        """Bring the tiers of these cards up to date, by their ids."""


@dataclass(frozen=True, slots=True)
class LedgerTerms:
    """Programs and rewards as one."""

    programs: Programs
    rewards: Rewards

    @property
    def versions(self) -> Versions:
        """Which documents these are."""
        of_rewards = self.rewards.versions.items()
        return {**self.programs.versions, **{REWARDS + name: one for name, one in of_rewards}}

    @property
    def tiered(self) -> bool:
        """Whether any program has tiers."""
        return self.programs.tiered

    def earned(
        self, occasion: Occasion, member: Member, unable: Unable | None = None
    ) -> Sequence[Earned]:
        """What an occasion earns; rewards are for sales only."""
        found = self.programs.earned(occasion, member, unable)
        if isinstance(occasion, Activity):
            return found
        return [*found, *self.rewards.earned(occasion, member)]


class LedgerTermsSource:
    """The documents of the ledger itself; they are compiled once for each version."""

    def current(self, connection: sa.Connection) -> LedgerTerms:
        """Those in force."""
        return LedgerTerms(programs.load(connection), rewards.load(connection))

    def of(self, connection: sa.Connection, versions: Versions) -> LedgerTerms:
        """Exactly these; StateError where the ledger has none of that version."""
        mine = {name: one for name, one in versions.items() if not name.startswith(REWARDS)}
        others = {
            name.removeprefix(REWARDS): one
            for name, one in versions.items()
            if name.startswith(REWARDS)
        }
        return LedgerTerms(
            programs.load_versions(connection, mine), rewards.load_versions(connection, others)
        )

    def restate(self, transaction: WriteTransaction, cards: Collection[str]) -> None:
        """By the programs in force."""
        standing.restate(transaction, cards)
