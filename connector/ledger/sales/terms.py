"""What sales and activities are judged by: the active programs and rewards of a ledger.

Owns: bringing them together, keeping them between sales, finding those of a former sale.
Never does: deciding what is earned (`programs/evaluator.py`).
Tested in: tests/unit/ledger/sales/test_till.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import sqlalchemy as sa

from connector.ledger.members.member import Member
from connector.ledger.programs.occasion import Earned, Occasion

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

    @property
    def currencies(self) -> frozenset[str]:
        """Of the rules that ask for one, in capitals; empty where none does."""

    def earned(self, occasion: Occasion, member: Member) -> Sequence[Earned]:
        """What an occasion earns."""


class TermsSource(Protocol):
    """Where terms come from."""

    def current(self, connection: sa.Connection) -> Terms:
        """Those of now."""

    def of(self, connection: sa.Connection, versions: Versions) -> Terms:
        """Those of a former sale."""
