"""What is shown of points on both databases, while tills post and the day turns more than once."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from connector.endpoints.ledger.endpoint import LedgerEndpoint
from connector.ledger.journal import journal
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Line, Posting, Redeem
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Upsert
from connector.ledger.shown import days
from connector.ledger.shown.days import turn_days
from connector.ledger.shown.entities import POINT_BALANCES
from connector.ledger.shown.proof import differences
from connector.ledger.shown.tables import shown_days
from tests.unit.ledger.shown.asking import right, shown

START = datetime(2026, 1, 2, 10, tzinfo=UTC)
CARDS, KINDS = 12, ("brief", "late", "plain")
Open = Callable[[], Ledger]


class Clock:
    """One for all tills; it only goes forward."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(ledger_url: str, clock: Clock) -> Iterator[Open]:
    """Opens the ledger once more, as another process does."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Ledger.open(ledger_url, clock=clock))


@pytest.fixture
def ledger(opened: Open) -> Ledger:
    ledger = opened()
    cards = [Upsert({"CardNumber": f"C{n}"}) for n in range(CARDS)]
    ledger.store("cards").apply(cards, by="test")
    common = {"RewardPointType": "Quantity", "Redeemable": "Yes"}
    terms: dict[str, dict[str, object]] = {
        "brief": {"ExpirationTimeUnit": "Day", "ExpirationTimeValue": 3},
        "late": {"VestingTimeUnit": "Day", "VestingTimeValue": 2},
        "plain": {},
    }
    kinds = [Upsert({"RewardPointId": name, **common, **more}) for name, more in terms.items()]
    ledger.store("reward-points").apply(kinds, by="test")
    return ledger


def sales(chance: random.Random, name: str, count: int) -> list[Posting]:
    """Earnings and payments, some of them refused."""
    wanted: list[Posting] = []
    for number in range(count):
        card, kind = f"C{chance.randrange(CARDS)}", chance.choice(KINDS)
        points = Decimal(chance.randint(1, 9))
        line: Line = chance.choice((Earn, Earn, Redeem))(card, kind, points)
        wanted.append(Posting(f"{name}-{number}", (line,)))
    return wanted


def test_tills_and_turns_at_once(
    opened: Open, ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "PAGE", 3)
    # The clock of this test jumps by hours while somebody waits for the lock.
    monkeypatch.setattr(journal, "STEP", timedelta(days=365))
    Journal(ledger).post_all(sales(random.Random(0), "before", 60), by="till")
    ended = threading.Event()

    def sell(till: int) -> None:
        mine, chance = Journal(opened()), random.Random(till)
        for number in range(8):
            mine.post_all(sales(chance, f"{till}-{number}", 3), by=f"till {till}")
            clock.now += timedelta(hours=9)

    def turn(_: int) -> None:
        mine = opened()
        while not ended.wait(0.02):
            turn_days(mine)
        turn_days(mine)

    with ThreadPoolExecutor(5) as pool:
        turning = [pool.submit(turn, number) for number in range(2)]
        selling = [pool.submit(sell, number) for number in range(3)]
        try:
            for one in selling:
                one.result()
        finally:
            ended.set()
        for other in turning:
            other.result()
    assert list(differences(ledger)) == []
    assert shown(ledger) == right(ledger, ledger.today())


def test_the_first_turn_of_an_older_ledger_while_a_till_posts(
    opened: Open, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "PAGE", 2)
    chance = random.Random(1)
    Journal(ledger).post_all(sales(chance, "before", 80), by="till")
    with ledger.writing("an older program") as transaction:
        for table in (shown_days, POINT_BALANCES.table):
            transaction.connection.execute(sa.delete(table))
    with ThreadPoolExecutor(2) as pool:
        turning = pool.submit(turn_days, opened())
        for one in sales(chance, "meanwhile", 30):
            Journal(ledger).post_all([one], by="till")
        assert turning.result().since is None
    assert list(differences(ledger)) == []
    assert shown(ledger) == right(ledger, ledger.today())


def test_the_side_of_a_sync_tells_each_entry_once(opened: Open, ledger: Ledger) -> None:
    """Though several tills commit at once: numbers become visible in their order."""
    endpoint = LedgerEndpoint(opened(), page_rows=4)
    columns = ["TransactionNumber", "CardNumber", "Points", "At"]
    name = "LoyaltyPointTransactions"
    *_, last = endpoint.scan(name, columns, None)
    seen: list[str] = []

    def sell(till: int) -> None:
        mine, chance = Journal(opened()), random.Random(till)
        for one in sales(chance, f"{till}", 25):
            mine.post_all([one], by=f"till {till}")

    with ThreadPoolExecutor(3) as pool:
        selling = [pool.submit(sell, number) for number in range(3)]
        over = False
        while not over:
            over = all(one.done() for one in selling)
            for page in endpoint.changes(name, columns, last.position or ""):
                assert not page.deleted
                seen += [row.id for row in page.rows]
                last = page
        for one in selling:
            one.result()
    assert seen == [str(number) for number in range(1, ledger.store(name).count() + 1)]
