"""Goods paid with points come back."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from connector.errors import RecordError
from connector.ledger.fields import fold
from connector.ledger.payments.orders import paid
from connector.ledger.payments.refunds import Refunded, refund_share
from tests.unit.ledger.payments.conftest import Till

D = Decimal


def share(till: Till, part: Fraction, key: str, order: str = "O1") -> Refunded:
    with till.ledger.writing("test") as transaction:
        return refund_share(transaction, order, part, key, till.ledger.zone)


def test_points_come_back_for_what_is_refunded(till: Till) -> None:
    till.earn("100001", "bonus", 1000)
    till.payments.capture(till.pay("4.50").number, by="test")
    back = till.payments.refund("o1", D("1.25"), key="R1", by="test")
    assert (back.amount, back.payments[0].amount, till.has("100001")) == (
        D("1.25"),
        D("3.25"),
        D(675),
    )
    assert [(one.type, one.points, one.sale) for one in back.entries] == [("Refund", D(125), "o1")]
    again = till.payments.refund("O1", D("1.25"), key="R1", by="test")
    assert (again.repeated, again.entries, till.has("100001")) == (True, back.entries, D(675))
    with pytest.raises(RecordError) as refused:
        till.payments.refund("O1", D("1.26"), key="R1", by="test")
    assert refused.value.code == "posting-differs"


def test_the_newest_payment_gives_back_first(till: Till) -> None:
    till.earn("100001", "bonus", 100)
    till.earn("100002", "bonus", 200)
    for card in ("100001", "100002"):
        till.payments.capture(till.pay("1", card=card).number, by="test")
    till.payments.refund("O1", D("1.50"), key="R1", by="test")
    assert (till.has("100001"), till.has("100002")) == (D(50), D(200))


@pytest.mark.parametrize(
    ("order", "amount", "key", "code"),
    [
        ("O1", "4.51", "R1", "return-exceeds"),
        ("O1", "-1", "R1", "amount-invalid"),
        ("O1", "1", "", "posting-key"),
        ("O9", "1", "R1", "payment-unknown"),
    ],
)
def test_no_more_comes_back_than_was_paid(
    till: Till, order: str, amount: str, key: str, code: str
) -> None:
    till.earn("100001", "bonus", 1000)
    till.payments.capture(till.pay("4.50").number, by="test")
    with pytest.raises(RecordError) as refused:
        till.payments.refund(order, D(amount), key=key, by="test")
    assert refused.value.code == code
    assert till.has("100001") == 550


def test_the_number_of_a_return_and_the_key_of_a_refund_are_apart(till: Till) -> None:
    till.earn("100001", "bonus", 1000)
    till.payments.capture(till.pay("4.00").number, by="test")
    till.payments.refund("O1", D("1.00"), key="R1", by="test")
    assert share(till, Fraction(1), "R1").amount == D("3.00")
    assert till.has("100001") == 1000


@pytest.mark.parametrize(("order", "key"), [("O1", "1:2"), ("O1:1", "2")])
def test_keys_are_those_of_an_order(till: Till, order: str, key: str) -> None:
    till.earn("100001", "bonus", 1000)
    for number in ("O1", "O1:1"):
        till.payments.capture(till.pay("2.00", number).number, by="test")
    other = ("O1:1", "2") if order == "O1" else ("O1", "1:2")
    till.payments.refund(other[0], D("1.00"), key=other[1], by="test")
    assert not till.payments.refund(order, D("1.00"), key=key, by="test").repeated
    assert till.has("100001") == 800


def test_shares_add_up_to_every_point(till: Till) -> None:
    till.earn("100001", "gift", 20)
    till.payments.capture(till.pay("5.00").number, by="test")
    amounts = [
        share(till, part, f"R{number}").amount
        for number, part in enumerate((Fraction(1, 3), Fraction(1, 3), Fraction(2, 3), Fraction(1)))
    ]
    assert amounts == [D("1.66"), D("0"), D("1.67"), D("1.67")]
    assert till.has("100001", "gift") == 20
    assert share(till, Fraction(1, 3), "R0").repeated


def test_what_is_not_captured_yet_is_held_no_longer_either(till: Till) -> None:
    till.earn("100001", "bonus", 1000)
    payment = till.pay("4.00")
    share(till, Fraction(1, 4), "R1")
    assert till.has("100001") == 700
    assert till.payments.capture(payment.number, by="test").amount == D("3.00")
    share(till, Fraction(1, 2), "R2")
    assert till.payments.show(payment.number).amount == D("2.00")
    share(till, Fraction(1), "R3")
    assert till.has("100001") == 1000


def test_an_order_without_points_gives_nothing_back(till: Till) -> None:
    assert share(till, Fraction(1), "R1", "O9").entries == ()


def test_an_order_knows_what_points_pay_of_it(till: Till) -> None:
    till.earn("100001", "bonus", 1000)
    till.pay("1", "A-1")
    till.payments.capture(till.pay("2", "A-2").number, by="test")
    till.payments.refund("A-2", D("0.50"), key="R1", by="test")
    till.payments.void(till.pay("3", "A-3").number, by="test")
    with till.ledger.reading() as connection:
        found = paid(connection, ["a-1", "A-2", "A-3", "A-4"])
    assert found == {fold("A-1"): (D("1.00"), "EUR"), fold("A-2"): (D("1.50"), "EUR")}
