"""A ledger with cards and kinds of points, and requests to correct them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pytest

from connector.ledger.corrections.entity import CORRECTIONS
from connector.ledger.corrections.limits import Limits
from connector.ledger.journal.balances import balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Record
from tests.unit.ledger.conftest import Clock
from tests.unit.ledger.journal.conftest import fill


class Office:
    """Files requests and reads what came of them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.store = ledger.store("corrections")

    def ask(self, key: str = "r1", **values: Any) -> dict[str, Any]:
        """A new request, whole unless said otherwise; the record with its answer."""
        whole = {
            "CardNumber": "A",
            "RewardPointId": "plain",
            "Amount": Decimal(50),
            "Reason": "sorry for the wait",
            "RequestedBy": "avery",
        }
        return told(self.store.create({"CorrectionId": key, **whole, **values}, by="sync"))

    def change(self, key: str = "r1", **values: Any) -> dict[str, Any]:
        """The request with new values."""
        found = self.store.find(key)
        assert found is not None
        return told(self.store.update(found.id, values, by="sync"))

    def available(self, card: str = "A", kind: str = "plain") -> Decimal:
        """What the card can pay with."""
        held = balances(self.ledger, card, self.ledger.today())
        return next((one.available for one in held if one.kind == kind), Decimal(0))

    def earn(self, card: str, kind: str, points: str, key: str = "sale") -> None:
        """Points from elsewhere."""
        Journal(self.ledger).post(Posting(key, (Earn(card, kind, Decimal(points)),)), by="till")


class Opening(Protocol):
    """Opens the same ledger within limits."""

    def __call__(self, limits: Limits | None = None) -> Office: ...


def told(record: Record) -> dict[str, Any]:
    """The values of a request by field."""
    return dict(zip(CORRECTIONS.names, record.values, strict=True))


@pytest.fixture
def within(tmp_path: Path, clock: Clock, new_id: Callable[[], str]) -> Iterator[Opening]:
    with ExitStack() as stack:

        def opened(limits: Limits | None = None) -> Office:
            url = f"sqlite:///{tmp_path}/ledger.db"
            ledger = Ledger.open(url, clock=clock, new_id=new_id, corrections=limits)
            stack.callback(ledger.close)
            fill(ledger)
            return Office(ledger)

        yield opened


@pytest.fixture
def office(within: Opening) -> Office:
    return within()
