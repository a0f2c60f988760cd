"""Sales judged by the documents of a ledger: programs with tiers, rewards, and what points paid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connector.ledger.desk import Customer, Desk
from connector.ledger.journal.balances import balances
from connector.ledger.ledger import Ledger
from connector.ledger.payments.payment import Payment, Request
from connector.ledger.payments.payments import Payments
from connector.ledger.programs import store as programs
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.rewards import store as rewards
from connector.ledger.rewards.document import RewardDocument
from connector.ledger.sales.receipt import Back, Receipt
from connector.ledger.sales.till import Till
from tests.unit.ledger.conftest import START
from tests.unit.ledger.journal.conftest import fill
from tests.unit.ledger.sales.conftest import item, sale

BASE: dict[str, Any] = {"by": "amount", "currency": "EUR", "points": 1, "kind": "plain"}
SILVER = {"tier": "silver", "level": 1, "points": 30, "kind": "plain", "within": "1 year"}
CLUB: dict[str, Any] = {
    "program": "club",
    "pooled": True,
    "tiers": [SILVER],
    "earn": [
        {"rule": "base", **BASE},
        {"rule": "silver", **BASE, "for": {"tiers": ["silver"]}},
        {"rule": "survey", "by": "activity", "points": 7, "kind": "plain"},
    ],
    "redeem": [{"kind": "plain", "currency": "EUR", "points": 1, "worth": 1}],
}


@pytest.fixture
def till(ledger: Ledger) -> Till:
    fill(ledger)
    keep(ledger, CLUB)
    return Till(ledger)


def keep(ledger: Ledger, document: dict[str, Any], **changed: Any) -> None:
    with ledger.writing("test") as transaction:
        programs.keep(transaction, ProgramDocument.model_validate(document | changed), "")


def available(ledger: Ledger, card: str = "A") -> Decimal:
    held = {one.kind: one.available for one in balances(ledger, card, START.date())}
    return held.get("plain", Decimal(0))


def earned(receipt: Receipt) -> list[tuple[str | None, Decimal]]:
    return [(one.rule, one.points) for one in receipt.entries]


def test_a_tier_counts_from_the_next_sale_on_also_within_a_batch(
    till: Till, ledger: Ledger
) -> None:
    """Two cards of one customer: what one reaches, the other has."""
    Desk(ledger).enrol("A", Customer("P1"), by="t")
    wanted = [sale(str(n), card, lines=(item(20),)) for n, card in enumerate(["A", "SAME", "A"])]
    answers = till.sales([*wanted, sale("9", "B", lines=(item(20),))], by="t")
    points = [sum(e.points for e in one.entries) for one in answers if isinstance(one, Receipt)]
    assert points == [20, 20, 40, 20]


def test_a_return_is_judged_by_the_version_it_was_sold_under(till: Till, ledger: Ledger) -> None:
    till.sale(sale(lines=(item(10, 2), item(5))), by="t")
    double = [{**CLUB["earn"][0], "points": 2}]
    keep(ledger, CLUB, earn=double)
    with ledger.writing("t") as transaction:
        programs.switch(transaction, "club", active=False)
    assert earned(till.sale(sale("S-2"), by="t")) == []
    back = till.returned("S-1", "R-1", [Back(1, Decimal(1))], by="t")
    assert [one.points for one in back.entries] == [-5]
    till.returned("S-1", "R-2", by="t")
    assert available(ledger) == 0


def test_rewards_pay_beside_programs(till: Till, ledger: Ledger) -> None:
    rule = {"rule": "large", "order-total": {"value": 11, "currency": "EUR"}}
    gift = {"reward": "gift", "name": "Gift", "kind": "plain", "type": "fixed", "points": 3}
    document = RewardDocument.model_validate({**gift, "rules": [rule]})
    with ledger.writing("t") as transaction:
        rewards.keep(transaction, document)
    receipt = till.sale(sale(lines=(item(10), item(2))), by="t")
    assert earned(receipt) == [("club/base@1", Decimal(12)), ("rewards/gift@1", Decimal(3))]
    back = till.returned("S-1", "R-1", [Back(2, Decimal(1))], by="t")
    assert [one.points for one in back.entries] == [-2, -3]
    till.returned("S-1", "R-2", by="t")
    assert available(ledger) == 0


def test_an_order_does_not_earn_and_redeem_at_once(till: Till, ledger: Ledger) -> None:
    till.sale(sale(lines=(item(20),)), by="t")
    payments = Payments(ledger)
    request = Request("A", Decimal(4), "EUR", order="S-2")
    payment = payments.authorise(request, key="p", by="t")
    assert isinstance(payment, Payment)
    payments.capture(payment.number, by="t")
    assert earned(till.sale(sale("S-2", lines=(item(6, 2),)), by="t")) == []
    half = till.returned("S-2", "R-1", [Back(1, Decimal(1))], by="t")
    assert [(str(one.type), one.points) for one in half.entries] == [("Refund", Decimal(2))]
    again = till.returned("S-2", "R-1", [Back(1, Decimal(1))], by="t")
    assert again == half._replace(repeated=True)
    till.returned("S-2", "R-2", by="t")
    assert available(ledger) == 20


def test_what_a_till_says_was_paid_with_points_earns_nothing_either(till: Till) -> None:
    assert earned(till.sale(sale(payments={"Points": Decimal(1)}), by="t")) == []


def test_the_rest_of_a_mixed_order_earns_and_comes_back(till: Till, ledger: Ledger) -> None:
    keep(ledger, CLUB, mixed="rest")
    sold = till.sale(sale(lines=(item(10, 2),), payments={"points": Decimal(4)}), by="t")
    assert earned(sold) == [("club/base@2", Decimal(6))]
    back = till.returned("S-1", "R-1", [Back(1, Decimal(1))], by="t")
    assert [one.points for one in back.entries] == [-3]
