"""Many channels that pay with the same points at once, on both databases: exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.journal.balances import balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting
from connector.ledger.journal.statements import mismatches
from connector.ledger.ledger import Ledger
from connector.ledger.payments.payment import Payment, Request, State
from connector.ledger.payments.payments import Payments
from connector.ledger.programs.book import Program, Programs
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.rounding import PointKind

CHANNELS, ORDERS, EARNED = 8, 6, 20
CLUB = {
    "program": "club",
    "redeem": [{"kind": "plain", "currency": "EUR", "points": 1, "worth": 1}],
}
PROGRAMS = Programs(
    [Program(ProgramDocument.model_validate(CLUB), 1)], {"plain": PointKind("plain")}
)


@pytest.fixture
def channels(ledger_url: str) -> Iterator[list[Ledger]]:
    opened = [Ledger.open(ledger_url) for _ in range(CHANNELS)]
    opened[0].store("cards").create({"CardNumber": "A"}, by="test")
    opened[0].store("reward-points").create(
        {"RewardPointId": "plain", "RewardPointType": "Quantity", "Redeemable": "Yes"}, by="test"
    )
    line = Earn("A", "plain", Decimal(EARNED))
    Journal(opened[0]).post(Posting("start", (line,)), by="test")
    yield opened
    for one in opened:
        one.close()


def payments(ledger: Ledger) -> Payments:
    return Payments(ledger, load=lambda _connection: PROGRAMS)


def available(ledger: Ledger) -> Decimal:
    (balance,) = balances(ledger, "A", datetime.now(UTC).date())
    return balance.available


def test_channels_that_pay_at_once_never_overspend(channels: list[Ledger]) -> None:
    def pay(number: int) -> list[Payment]:
        channel = payments(channels[number])
        answers = [
            channel.authorise(
                Request("A", Decimal(1), "EUR", f"{number}-{order}"),
                key=f"{number}-{order}",
                by="t",
            )
            for order in range(ORDERS)
        ]
        return [one for one in answers if isinstance(one, Payment)]

    with ThreadPoolExecutor(CHANNELS) as pool:
        paid = [one for each in pool.map(pay, range(CHANNELS)) for one in each]
    assert len(paid) == EARNED
    assert len({one.number for one in paid}) == EARNED
    assert available(channels[0]) == 0
    assert list(mismatches(channels[0])) == []


def test_what_everybody_asks_for_happens_once(channels: list[Ledger]) -> None:
    request = Request("A", Decimal(7), "EUR", "order 7")

    def answers(act: Callable[[Ledger], Payment | str]) -> list[Payment | str]:
        with ThreadPoolExecutor(CHANNELS) as pool:
            return list(pool.map(act, channels))

    def authorise(ledger: Ledger) -> Payment | str:
        answer = payments(ledger).authorise(request, key="k", by="t")
        return answer if isinstance(answer, Payment) else answer.code

    authorised = [one for one in answers(authorise) if isinstance(one, Payment)]
    assert [one.repeated for one in authorised].count(False) == 1
    assert available(channels[0]) == EARNED - 7

    # Half of them capture five, the others call it off: one of both happens, once.
    def settle(ledger: Ledger) -> Payment | str:
        channel = payments(ledger)
        try:
            if channels.index(ledger) % 2:
                return channel.capture(1, Decimal(5), by="t")
            return channel.void(1, by="t")
        except RecordError as error:
            return error.code

    settled = answers(settle)
    done = [one for one in settled if isinstance(one, Payment)]
    assert [one.repeated for one in done].count(False) == 1
    assert settled.count("payment-settled") == CHANNELS // 2
    (state,) = {one.state for one in done}
    assert available(channels[0]) == EARNED - (5 if state is State.CAPTURED else 0)
    assert list(mismatches(channels[0])) == []
