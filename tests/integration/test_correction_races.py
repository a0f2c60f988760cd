"""Many who file corrections at once, on both databases: posted once, and within the limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from connector.ledger.corrections.entity import CORRECTIONS
from connector.ledger.corrections.limits import Allowance, Limits
from connector.ledger.journal.balances import balances
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Done, Insert, Taken

FILERS, EACH, POINTS = 6, 4, 30
LIMITS = Limits(Allowance(per_day=Decimal(400)), per_card_day=Decimal(100))


@pytest.fixture
def ledgers(ledger_url: str) -> Iterator[list[Ledger]]:
    opened = [Ledger.open(ledger_url, corrections=LIMITS) for _ in range(FILERS)]
    opened[0].store("cards").create({"CardNumber": "A"}, by="test")
    opened[0].store("reward-points").create(
        {"RewardPointId": "plain", "RewardPointType": "Quantity"}, by="test"
    )
    yield opened
    for one in opened:
        one.close()


def request(key: str) -> Insert:
    values: dict[str, Any] = {
        "CorrectionId": key,
        "CardNumber": "A",
        "RewardPointId": "plain",
        "Amount": POINTS,
        "Reason": "x",
        "RequestedBy": "avery",
    }
    return Insert(f"00000000-0000-7000-8000-{int(key):012d}", values)


def at_once(ledgers: list[Ledger], act: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(FILERS) as pool:
        list(pool.map(act, range(len(ledgers))))


def available(ledger: Ledger) -> Decimal:
    return sum((one.available for one in balances(ledger, "A", ledger.today())), Decimal(0))


def test_limits_hold_whoever_comes_first(ledgers: list[Ledger]) -> None:
    def file(number: int) -> None:
        store = ledgers[number].store("corrections")
        for one in range(EACH):
            (result,) = store.apply([request(str(number * EACH + one))], by="sync")
            assert isinstance(result, Done)

    at_once(ledgers, file)
    place = CORRECTIONS.names.index("Status")
    statuses = [
        one.values[place] for one in ledgers[0].store("corrections").listed(FILERS * EACH + 1)
    ]
    assert (statuses.count("Posted"), statuses.count("Refused")) == (3, FILERS * EACH - 3)
    assert available(ledgers[0]) == 3 * POINTS


def test_one_request_that_comes_from_everywhere_is_posted_once(ledgers: list[Ledger]) -> None:
    results: list[object] = []

    def file(number: int) -> None:
        results.extend(ledgers[number].store("corrections").apply([request("1")], by="sync"))

    at_once(ledgers, file)
    assert sorted(type(one).__name__ for one in results) == [
        "Done",
        *[Taken.__name__] * (FILERS - 1),
    ]
    assert available(ledgers[0]) == POINTS
