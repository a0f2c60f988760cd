"""Paying with points at a counter, from the quote to the capture."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.desk import Desk
from connector.ledger.journal.statements import mismatches, transactions
from connector.ledger.ledger import Ledger
from connector.ledger.members.groups import Groups
from connector.ledger.operations import Change
from connector.ledger.payments.payment import Part, Payment, Request, State
from connector.ledger.payments.payments import Payments
from tests.unit.ledger.conftest import Clock
from tests.unit.ledger.payments.conftest import CLUB, Till, fill, loader

D = Decimal


# ---------------------------------------------------------------------------- authorise


def test_points_leave_the_card_when_a_payment_is_authorised(till: Till) -> None:
    till.earn("100001", "bonus", 1000)
    paid = till.pay("4.50", channel="web")
    assert (paid.number, paid.state, paid.asked, paid.amount) == (
        1,
        "authorised",
        D("4.50"),
        D("4.50"),
    )
    assert paid.parts == (Part("bonus", D(450), D("4.50"), "club", 1),)
    assert paid.until - paid.at == timedelta(days=7)
    assert till.has("100001") == 550
    entry = transactions(till.ledger, "100001")[0]
    assert (entry.type, entry.points, entry.why) == (
        "Redeem",
        D(-450),
        "4.50 of order O1 (club: 100 for 1 EUR)",
    )


def test_kinds_pay_by_ranking_then_where_fewer_points_are_needed(till: Till) -> None:
    for kind, points in (("bonus", 1000), ("gift", 10), ("cash", "2.50")):
        till.earn("100001", kind, points)
    paid = till.pay("9.00")
    assert [(one.kind, one.points, one.amount) for one in paid.parts] == [
        ("gift", D(10), D("3.33")),
        ("bonus", D(567), D("5.67")),
    ]
    assert [(one.kind, one.amount) for one in till.pay("5", "O2").parts] == [
        ("bonus", D("4.33")),
        ("cash", D("0.67")),
    ]


def test_only_the_kinds_that_are_named_pay(till: Till) -> None:
    till.earn("100001", "bonus", 1000)
    till.earn("100001", "cash", 5)
    assert [one.kind for one in till.pay("5", kinds=("CASH",)).parts] == ["cash"]
    assert till.cannot("1", kinds=("cash",)).covered.missing == 1


def test_too_few_points_are_rejected_with_what_they_would_cover(till: Till) -> None:
    till.earn("100001", "bonus", 350)
    till.earn("100001", "later", 80)
    answer = till.cannot("5.00")
    covered = answer.covered
    assert (answer.code, covered.amount, covered.missing) == ("payment-short", D("3.50"), D("1.50"))
    assert covered.parts == (Part("bonus", D(350), D("3.50"), "club", 1),)
    assert "350 of 'bonus'" in covered.why
    assert "0 of 'later' (and 80 unvested)" in covered.why
    assert till.has("100001") == 350


def test_part_of_an_amount_is_paid_where_that_is_enough(till: Till) -> None:
    till.earn("100001", "bonus", 350)
    paid = till.pay("5.00", partial=True)
    assert (paid.asked, paid.amount, till.has("100001")) == (D("5.00"), D("3.50"), D(0))
    assert till.cannot("1", partial=True).code == "payment-short"


def test_points_that_no_rule_values_pay_nothing(till: Till) -> None:
    till.earn("100001", "bonus", 350)
    answer = till.payments.authorise(
        Request("100001", D(1), "SEK", "O1", partial=True), key="k", by="test"
    )
    assert not isinstance(answer, Payment)
    assert answer.code == "payment-worthless"
    assert "SEK" in answer.covered.why


def test_a_yen_has_no_parts(till: Till) -> None:
    till.earn("100001", "bonus", 350)
    paid = till.payments.authorise(Request("100001", D(7), "jpy", "O1"), key="k", by="test")
    assert isinstance(paid, Payment)
    assert (paid.currency, paid.parts[0].points, str(paid.amount)) == ("JPY", D(4), "7")


def test_the_same_key_takes_the_points_once(till: Till) -> None:
    till.earn("100001", "bonus", 1000)
    first, again = till.pay("4.50"), till.pay("4.5")
    assert again == first._replace(repeated=True)
    assert till.has("100001") == 550
    with pytest.raises(RecordError) as refused:
        till.pay("4.60")
    assert refused.value.code == "posting-differs"
    till.payments.void(first.number, by="test")
    with pytest.raises(RecordError) as refused:
        till.pay("4.50")
    assert refused.value.code == "payment-settled"


def test_a_rejection_is_not_remembered(till: Till) -> None:
    till.cannot("1")
    till.earn("100001", "bonus", 100)
    answer = till.payments.authorise(Request("100001", D(1), "EUR", "O1"), key="k", by="test")
    assert isinstance(answer, Payment)


def test_a_contact_card_pays_with_the_points_of_its_customer(till: Till) -> None:
    till.earn("POOL", "bonus", 100)
    till.earn("SAME", "bonus", 300)
    paid = till.pay("3.50", card="POOL")
    assert (till.has("POOL"), till.has("SAME")) == (D(0), D(50))
    till.payments.capture(paid.number, D("0.50"), by="test")
    assert (till.has("POOL"), till.has("SAME")) == (D(50), D(300))
    assert till.pay("3.50", "O2", card="POOL").amount == D("3.50")
    assert till.cannot("0.01", card="SAME").covered.missing == D("0.01")


def test_groups_have_rules_of_their_own(ledger: Ledger) -> None:
    fill(ledger)
    better = {"kind": "bonus", "currency": "EUR", "points": 50, "worth": 1}
    club = {**CLUB, "redeem": [{**better, "for": {"groups": ["Staff"]}}, *CLUB["redeem"]]}  # type: ignore[misc]
    till = Till(ledger, Payments(ledger, load=loader(club)))
    Groups(ledger).add("P1", "staff", by="test")
    till.earn("SAME", "bonus", 100)
    till.earn("100001", "bonus", 100)
    assert till.pay("2", card="SAME").parts[0].points == 100
    assert till.cannot("2").covered.amount == 1


def test_a_quote_takes_nothing(till: Till) -> None:
    till.earn("100001", "bonus", 250)
    quote = till.payments.quote("100001", D("4"), "EUR")
    assert (quote.amount, quote.missing, till.has("100001")) == (D("2.50"), D("1.50"), D(250))
    assert till.payments.quote("100001", D("2"), "EUR").why == ""


# ---------------------------------------------------------------------------- capture, void


def test_what_is_captured_stays_spent_and_the_rest_comes_back(till: Till) -> None:
    till.earn("100001", "bonus", 1000)
    paid = till.pay("4.50")
    captured = till.payments.capture(paid.number, D("4.00"), by="test")
    assert (captured.state, captured.amount, till.has("100001")) == (
        State.CAPTURED,
        D("4.00"),
        D(600),
    )
    assert captured.settled == captured.at
    assert till.payments.capture(paid.number, D("4"), by="test") == captured._replace(repeated=True)
    assert till.payments.capture(paid.number, by="test") == captured._replace(repeated=True)
    with pytest.raises(RecordError) as refused:
        till.payments.capture(paid.number, D("4.50"), by="test")
    assert refused.value.code == "payment-settled"
    assert till.has("100001") == 600


def test_the_kind_that_pays_last_comes_back_first(till: Till) -> None:
    till.earn("100001", "gift", 10)
    till.earn("100001", "bonus", 1000)
    paid = till.pay("5.00")
    captured = till.payments.capture(paid.number, D("3.00"), by="test")
    assert [(one.kind, one.points) for one in captured.parts] == [("gift", D(9)), ("bonus", D(0))]
    assert (till.has("100001", "gift"), till.has("100001", "bonus")) == (D(1), D(1000))


def test_all_of_it_is_captured_where_no_amount_is_given(till: Till) -> None:
    till.earn("100001", "bonus", 1000)
    paid = till.pay("4.50")
    assert till.payments.capture(paid.number, by="test").amount == D("4.50")
    assert till.payments.capture(paid.number, by="test").repeated
    assert till.payments.show(paid.number).state is State.CAPTURED
    assert till.has("100001") == 550


def test_voiding_leaves_what_was_there(till: Till) -> None:
    till.earn("100001", "cash", "7.77")
    before = till.has("100001", "cash")
    paid = till.pay("7.70")
    voided = till.payments.void(paid.number, by="test")
    assert (voided.state, voided.amount) == (State.VOIDED, D(0))
    assert till.payments.void(paid.number, by="test") == voided._replace(repeated=True)
    assert till.has("100001", "cash") == before
    assert list(mismatches(till.ledger)) == []


@pytest.mark.parametrize("first", ["capture", "void"])
def test_a_settled_payment_stays_as_it_is(till: Till, first: str) -> None:
    till.earn("100001", "bonus", 1000)
    number = till.pay("4.50").number
    acts = {"capture": till.payments.capture, "void": till.payments.void}
    acts.pop(first)(number, by="test")
    (other,) = acts.values()
    with pytest.raises(RecordError) as refused:
        other(number, by="test")
    assert refused.value.code == "payment-settled"


def test_more_than_was_authorised_is_not_captured(till: Till) -> None:
    till.earn("100001", "bonus", 1000)
    number = till.pay("4.50").number
    with pytest.raises(RecordError) as refused:
        till.payments.capture(number, D("4.51"), by="test")
    assert refused.value.code == "payment-exceeds"
    with pytest.raises(RecordError) as refused:
        till.payments.capture(number, D("-1"), by="test")
    assert refused.value.code == "amount-invalid"
    assert till.payments.show(number).state is State.AUTHORISED


def test_points_of_a_card_that_was_replaced_come_back_to_the_new_one(till: Till) -> None:
    till.earn("100001", "bonus", 1000)
    paid = till.pay("4.50")
    Desk(till.ledger).replace("100001", "100009", by="test")
    till.payments.void(paid.number, by="test")
    assert (till.has("100001"), till.has("100009")) == (D(0), D(1000))


# ---------------------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Request("999999", D(1), "EUR", "O1"), "card-unknown"),
        (Request("SHUT", D(1), "EUR", "O1"), "card-blocked"),
        (Request("EARNS", D(1), "EUR", "O1"), "card-earns-only"),
        (Request("100001", D(1), "XXX", "O1"), "currency-unknown"),
        (Request("100001", D("-1"), "EUR", "O1"), "amount-invalid"),
        (Request("100001", D(0), "EUR", "O1"), "amount-invalid"),
        (Request("100001", D("0.005"), "EUR", "O1"), "amount-invalid"),
        (Request("100001", D(1), "EUR", "O1", kinds=("stars",)), "point-kind-unknown"),
        (Request("100001", D(1), "EUR", "O1", kinds=("status",)), "points-not-redeemable"),
        (Request("100001", D(1), "EUR", ""), "order-invalid"),
        (Request("100001", D(1), "EUR", "O" * 101), "order-invalid"),
        (Request("100001", D(1), "EUR", "O1", hold=timedelta(0)), "hold-invalid"),
    ],
)
def test_what_cannot_pay_is_refused(till: Till, request_: Request, code: str) -> None:
    with pytest.raises(RecordError) as refused:
        till.payments.authorise(request_, key="k", by="test")
    assert refused.value.code == code
    assert request_.card not in str(refused.value) or len(request_.card) < 6
    assert till.payments.of_order("O1") == []


@pytest.mark.parametrize("key", ["", "k" * 151])
def test_a_key_names_a_payment(till: Till, key: str) -> None:
    with pytest.raises(RecordError) as refused:
        till.payments.authorise(Request("100001", D(1), "EUR", "O1"), key=key, by="test")
    assert refused.value.code == "posting-key"


def test_an_unknown_payment_is_said(till: Till) -> None:
    for act in (till.payments.capture, till.payments.void):
        with pytest.raises(RecordError) as refused:
            act(7, by="test")
        assert refused.value.code == "payment-unknown"
    with pytest.raises(RecordError):
        till.payments.show(7)


# ---------------------------------------------------------------------------- looking back


def test_payments_are_found_by_order_and_card(till: Till, clock: Clock) -> None:
    till.earn("100001", "bonus", 1000)
    first = till.pay("1", "A-1")
    clock.forward(60)
    second = till.pay("2", "A-2")
    assert till.payments.of_order("a-1") == [first]
    assert till.payments.of_card("100001") == [second, first]
    assert till.payments.of_card("100001", 1) == [second]


def test_a_kind_that_is_renamed_still_comes_back(till: Till) -> None:
    till.earn("100001", "gift", 12)
    till.earn("100001", "bonus", 1000)
    held, other = till.pay("9.00"), till.pay("1", "O2")
    kinds = till.ledger.store("reward-points")
    for before, after in (("bonus", "stars"), ("gift", "bonus")):
        record = kinds.find(before)
        assert record is not None
        kinds.apply([Change(record.id, None, {"RewardPointId": after})], by="test")
    paid = till.payments.capture(held.number, D("8.00"), by="t")
    assert [(one.kind, one.amount) for one in paid.parts] == [
        ("bonus", D("4.00")),
        ("stars", D("4.00")),
    ]
    assert till.payments.void(other.number, by="t").state is State.VOIDED
    assert [till.has("100001", kind) for kind in ("bonus", "stars")] == [D(0), D(600)]
