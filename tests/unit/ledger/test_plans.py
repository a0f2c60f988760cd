"""What a till does looks up by index whatever it looks up: no act walks through a table.

A sale has to cost the same in a ledger of ten cards and in one of ten million entries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from connector.ledger.ledger import Ledger
from connector.ledger.operations import Upsert
from connector.ledger.payments.payment import Payment, Request
from connector.ledger.payments.payments import Payments
from connector.ledger.programs import library
from connector.ledger.programs.occasion import Activity, Item, Sale
from connector.ledger.sales.till import Till
from connector.ledger.shown.days import turn_days
from tests.unit.ledger.conftest import Clock

SMALL = {
    "feed_counter",
    "shown_days",
    "program_stamp",
    "reward_stamp",
    "reward_points",
    "segment_versions",
    "segments",
    "document_kinds",
}
"""Tables of one row, or of as many as somebody wrote files for."""
PROGRAM = """\
program: club
mixed: rest
tiers: [{tier: silver, level: 1, points: 500, kind: status, within: 12 months}]
earn:
  - {rule: base, by: amount, every: 1, currency: EUR, points: 1, kind: bonus}
  - {rule: more, by: amount, every: 1, currency: EUR, points: 1, kind: status}
redeem:
  - {kind: bonus, currency: EUR, points: 100, worth: 1}
"""


@contextmanager
def statements(ledger: Ledger) -> Iterator[list[str]]:
    """All that is run meanwhile; lists of values have one."""
    run: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_more: object) -> None:
        run.append(re.sub(r"\(\?(, \?)+\)", "(?)", sql))

    engine = ledger._engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield run
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def walks(ledger: Ledger, run: list[str]) -> set[tuple[str, str]]:
    """Tables that are walked through, with the statement that does."""
    found: set[tuple[str, str]] = set()
    with ledger.reading() as connection:
        for sql in dict.fromkeys(run):
            if not sql.startswith(("SELECT", "UPDATE", "DELETE")):
                continue
            if re.search(r"ORDER BY \S+ DESC\s+LIMIT", sql):  # the last one, by its index
                continue
            holes = (None,) * sql.count("?")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", holes):
                walked = re.match(r"SCAN (\w+)(?! CONSTANT)", row[3])
                if walked and walked[1] not in {*SMALL, "CONSTANT"} and "(subquery" not in row[3]:
                    found.add((walked[1], sql))
    return found


class Shop:
    """A ledger in which everything that can be asked for was done once."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.till = Till(ledger)
        self.payments = Payments(ledger)
        self.sell("S1")
        self.pay("O1")
        self.payments.capture(1, by="t")

    def sell(self, number: str) -> None:
        """A sale of two pieces."""
        item = Item("P", Decimal(2), Decimal(600))
        sale = Sale(number, "A", self.ledger.now(), "EUR", (item,))
        self.till.sales([sale], enrol=True, by="t")

    def pay(self, order: str) -> None:
        """A payment with points."""
        request = Request("A", Decimal(2), "EUR", order)
        assert isinstance(self.payments.authorise(request, key=order, by="t"), Payment)

    def correct(self) -> None:
        """A correction an agent asks for."""
        asked = {
            "CorrectionId": "11111111-1111-1111-1111-111111111111",
            "CardNumber": "A",
            "RewardPointId": "bonus",
            "Amount": Decimal(5),
            "Reason": "late",
            "RequestedBy": "ann",
        }
        self.ledger.store("LoyaltyPointCorrections").apply([Upsert(asked)], by="t")


@pytest.fixture
def shop(ledger: Ledger, tmp_path: Path) -> Shop:
    kinds = [
        Upsert({"RewardPointId": name, "RewardPointType": "Quantity", "Redeemable": redeemable})
        for name, redeemable in (("bonus", "Yes"), ("status", "No"))
    ]
    ledger.store("reward-points").apply(kinds, by="t")
    file = tmp_path / "club.yaml"
    file.write_text(PROGRAM, "utf-8")
    library.bring(ledger, [file], "t")
    turn_days(ledger)
    return Shop(ledger)


ACTS: dict[str, Callable[[Shop], object]] = {
    "sale": lambda shop: shop.sell("S2"),
    "return": lambda shop: shop.till.returned("S1", "R1", by="t"),
    "activity": lambda shop: shop.till.activity(
        Activity("V1", "A", shop.ledger.now(), "visit"), by="t"
    ),
    "authorise": lambda shop: shop.pay("O2"),
    "refund": lambda shop: shop.payments.refund("O1", Decimal(1), key="R", by="t"),
    "correction": Shop.correct,
}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_walks_through_no_table(shop: Shop, act: str) -> None:
    with statements(shop.ledger) as run:
        ACTS[act](shop)
    assert run
    assert walks(shop.ledger, run) == set()


def test_the_turn_of_the_day_walks_through_no_table(shop: Shop, clock: Clock) -> None:
    clock.forward(86_400)
    with statements(shop.ledger) as run:
        turn_days(shop.ledger)
    assert run
    assert walks(shop.ledger, run) == set()
