"""An order that points pay for, from the basket to the return of its goods."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.journal.statements import mismatches
from connector.ledger.ledger import Ledger
from connector.ledger.payments.payment import Answer, Payment, Request, State
from connector.ledger.payments.payments import Payments
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.programs.store import keep
from connector.ledger.sales.receipt import Back
from connector.ledger.sales.till import Till as Counter
from tests.unit.ledger.payments.conftest import REDEEM, Till, fill

D = Decimal
EARN = [{"rule": "base", "by": "amount", "currency": "EUR", "points": 1, "kind": "bonus"}]


@pytest.fixture
def shop(ledger: Ledger) -> Till:
    """The programs are those the ledger keeps; the card has 1,000 points, worth 10 EUR."""
    fill(ledger)
    shop = Till(ledger, Payments(ledger))
    shop.earn("100001", "bonus", 1000)
    program(ledger)
    return shop


def program(ledger: Ledger, mixed: str = "no") -> None:
    content = {"program": "club", "mixed": mixed, "earn": EARN, "redeem": REDEEM}
    with ledger.writing("test") as transaction:
        keep(transaction, ProgramDocument.model_validate(content), "")


def sells(shop: Till, *amounts: int, number: str = "O1") -> list[Decimal]:
    """A sale of a line for each amount; the points it earns."""
    lines = tuple(Item(f"p{place}", D(1), D(amount)) for place, amount in enumerate(amounts))
    sale = Sale(number, "100001", shop.ledger.now(), "EUR", lines)
    return [one.points for one in Counter(shop.ledger).sale(sale, by="test").entries]


@pytest.mark.parametrize(("mixed", "earned"), [("no", []), ("rest", [D(20)]), ("yes", [D(25)])])
def test_what_points_pay_for_earns_as_the_program_says(
    shop: Till, mixed: str, earned: list[Decimal]
) -> None:
    program(shop.ledger, mixed)
    shop.payments.capture(shop.pay("5", "o1").number, by="test")
    assert sells(shop, 25) == earned


def test_a_payment_that_was_called_off_does_not_count(shop: Till) -> None:
    shop.payments.void(shop.pay("5").number, by="test")
    assert sells(shop, 25) == [D(25)]


@pytest.mark.parametrize(("mixed", "refused"), [("no", True), ("rest", False), ("yes", False)])
def test_an_order_that_earned_is_not_paid_with_points_too(
    shop: Till, mixed: str, refused: bool
) -> None:
    program(shop.ledger, mixed)
    sells(shop, 25)
    request = Request("100001", D(5), "EUR", "o1")
    if not refused:
        assert isinstance(shop.payments.authorise(request, key="k", by="test"), Payment)
        return
    with pytest.raises(RecordError) as error:
        shop.payments.authorise(request, key="k", by="test")
    assert error.value.code == "order-earned"
    assert shop.has("100001") == 1025


def test_an_order_is_in_one_currency(shop: Till) -> None:
    def pays(amount: int, currency: str, order: str) -> Answer:
        request = Request("100001", D(amount), currency, order)
        return shop.payments.authorise(request, key=f"{order} {currency}", by="test")

    sells(shop, 25)
    pays(5, "EUR", "O2")
    for order in ("O1", "O2"):
        with pytest.raises(RecordError) as refused:
            pays(5, "JPY", order)
        assert refused.value.code == "order-currency"
    pays(5, "JPY", "O3")
    with pytest.raises(RecordError) as refused:
        sells(shop, 25, number="O3")
    assert refused.value.code == "order-currency"


def test_goods_that_come_back_bring_their_share_of_the_points(shop: Till) -> None:
    paid = shop.pay("8")
    shop.payments.capture(paid.number, by="test")
    sells(shop, 10, 30)
    assert shop.has("100001") == 200
    till = Counter(shop.ledger)
    first = till.returned("O1", "R1", [Back(1, D(1))], by="test")
    assert [(one.type, one.points) for one in first.entries] == [("Refund", D(200))]
    assert shop.has("100001") == 400
    again = till.returned("O1", "R1", [Back(1, D(1))], by="test")
    assert (again.repeated, again.entries, shop.has("100001")) == (True, first.entries, D(400))
    till.returned("O1", "R2", by="test")
    payment = shop.payments.show(paid.number)
    assert (shop.has("100001"), payment.amount, payment.state) == (D(1000), D(0), State.CAPTURED)
    assert list(mismatches(shop.ledger)) == []
