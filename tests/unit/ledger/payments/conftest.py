"""A ledger with cards, kinds of points and programs that say what they are worth."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.journal.balances import balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Done, Upsert
from connector.ledger.payments.payment import Payment, Rejected, Request
from connector.ledger.payments.payments import Payments
from connector.ledger.programs.book import Program, Programs
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.rounding import PointKind

CARDS: dict[str, dict[str, object]] = {
    "100001": {},
    "100002": {},
    "POOL": {"CardTenderType": "AsContactTender", "PartyNumber": "P1"},
    "SAME": {"PartyNumber": "P1"},
    "EARNS": {"CardTenderType": "NoTender"},
    "SHUT": {"CardTenderType": "Blocked"},
}
KINDS: dict[str, dict[str, object]] = {
    "bonus": {"RewardPointType": "Quantity", "Redeemable": "Yes", "RedeemRanking": 2},
    "gift": {"RewardPointType": "Quantity", "Redeemable": "Yes", "RedeemRanking": 1},
    "cash": {"RewardPointType": "Amount", "Redeemable": "Yes", "RewardPointCurrency": "EUR"},
    "later": {
        "RewardPointType": "Quantity",
        "Redeemable": "Yes",
        "VestingTimeUnit": "Day",
        "VestingTimeValue": 10,
    },
    "status": {"RewardPointType": "Quantity", "Redeemable": "No"},
}
REDEEM = [
    {"kind": "bonus", "currency": "EUR", "points": 100, "worth": 1},
    {"kind": "gift", "currency": "EUR", "points": 3, "worth": 1},
    {"kind": "cash", "currency": "EUR", "points": 1, "worth": 1},
    {"kind": "later", "currency": "EUR", "points": 1, "worth": 1},
    {"kind": "bonus", "currency": "JPY", "points": 1, "worth": 2},
]


def programs(*documents: dict[str, object]) -> Programs:
    """Compiled from these documents, with the kinds above."""
    kinds = {
        fold(name): PointKind(
            name,
            whole=values["RewardPointType"] == "Quantity",
            currency=str(values["RewardPointCurrency"])
            if "RewardPointCurrency" in values
            else None,
            redeemable=values["Redeemable"] == "Yes",
            ranking=int(str(values["RedeemRanking"])) if "RedeemRanking" in values else None,
        )
        for name, values in KINDS.items()
    }
    parsed = [Program(ProgramDocument.model_validate(one), 1) for one in documents]
    return Programs(parsed, kinds)


CLUB: dict[str, object] = {"program": "club", "redeem": REDEEM}


def fill(ledger: Ledger) -> None:
    """The cards and kinds above."""
    cards = [Upsert({"CardNumber": number, **values}) for number, values in CARDS.items()]
    kinds = [Upsert({"RewardPointId": name, **values}) for name, values in KINDS.items()]
    for entity, records in (("cards", cards), ("reward-points", kinds)):
        results = ledger.store(entity).apply(records, by="test", create_references=True)
        assert all(isinstance(one, Done) for one in results), results


@pytest.fixture
def payments(ledger: Ledger) -> Payments:
    fill(ledger)
    return Payments(ledger, load=loader(CLUB))


def loader(*documents: dict[str, object]) -> Callable[[sa.Connection], Programs]:
    """Hands out programs instead of those the ledger keeps."""
    compiled = programs(*documents)
    return lambda _connection: compiled


class Till:
    """Somebody at a counter: short words for what the tests do."""

    def __init__(self, ledger: Ledger, payments: Payments) -> None:
        self.ledger = ledger
        self.payments = payments
        self._earned = 0

    def earn(self, card: str, kind: str, points: object) -> None:
        """Points come to a card."""
        self._earned += 1
        line = Earn(card, kind, Decimal(str(points)))
        Journal(self.ledger).post(Posting(f"earn {self._earned}", (line,)), by="test")

    def has(self, card: str, kind: str = "bonus") -> Decimal:
        """What is available on a card."""
        held = balances(self.ledger, card, self.ledger.today())
        return next((one.available for one in held if one.kind == kind), Decimal(0))

    def pay(self, amount: str, order: str = "O1", card: str = "100001", **more: object) -> Payment:
        """A payment that is accepted."""
        answer = self.payments.authorise(
            Request(card, Decimal(amount), "EUR", order, **more),  # type: ignore[arg-type]
            key=f"key {order} {card}",
            by="test",
        )
        assert isinstance(answer, Payment), answer
        return answer

    def cannot(self, amount: str, card: str = "100001", **more: object) -> Rejected:
        """A payment that is not."""
        answer = self.payments.authorise(
            Request(card, Decimal(amount), "EUR", "O1", **more),  # type: ignore[arg-type]
            key="k",
            by="test",
        )
        assert isinstance(answer, Rejected), answer
        return answer


@pytest.fixture
def till(ledger: Ledger, payments: Payments) -> Till:
    return Till(ledger, payments)
