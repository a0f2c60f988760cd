"""Sales at a till: what they earn, once, and what is refused without a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from connector.errors import RecordError
from connector.ledger.desk import Customer, Desk
from connector.ledger.journal.posting import Refused
from connector.ledger.journal.statements import mismatches, transactions
from connector.ledger.journal.tables import postings
from connector.ledger.ledger import Ledger
from connector.ledger.members.households import Households
from connector.ledger.sales.receipt import Receipt
from connector.ledger.sales.till import Till
from tests.unit.ledger.conftest import START, Clock
from tests.unit.ledger.sales.conftest import Shop, item, sale

MOST_STATEMENTS = 22
"""Of a sale on a card that bought before, without tiers; two more load the rules."""
Refusing = Callable[[Callable[[], object]], str]


def test_a_sale_earns_by_each_rule(shop: Shop) -> None:
    lines = (item("9.99", 1, "pen"), item(20, 2, "novel", "novels", "books"))
    receipt = shop.sell(lines=lines)
    assert [(one.rule, one.points, one.kind, one.sale) for one in receipt.entries] == [
        ("club/base@1", Decimal("29.99"), "money", "s-1"),
        ("club/books@1", Decimal(10), "plain", "s-1"),
    ]
    assert transactions(shop.ledger, "A")[::-1] == list(receipt.entries)
    assert shop.available() == {"money": Decimal("29.99"), "plain": Decimal(10)}


def test_a_sale_is_posted_once(shop: Shop) -> None:
    first = shop.sell()
    again = shop.sell("s-1 ", "a", at=START.astimezone(ZoneInfo("Asia/Tokyo")))
    assert again == first._replace(repeated=True)
    assert shop.available() == {"money": Decimal(10)}


def test_a_sale_that_earns_nothing_is_known_all_the_same(shop: Shop) -> None:
    first = shop.sell(lines=(item(0),))
    assert (first.posting, first.entries) == (None, ())
    assert shop.sell(lines=(item(0),)).repeated
    shop.sell("S-2")
    assert [one.sales for one in shop.rules.seen] == [0, 1]


def test_a_sale_asks_few_questions_however_many_lines_it_has(ledger: Ledger, shop: Shop) -> None:
    def asked(card: str, lines: int) -> int:
        statements: list[str] = []

        def listen(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        shop.sell(f"{card}-1", card)
        sa.event.listen(ledger._engine, "before_cursor_execute", listen)
        shop.sell(f"{card}-2", card, lines=(item(1),) * lines)
        sa.event.remove(ledger._engine, "before_cursor_execute", listen)
        return len(statements)

    assert asked("A", 1) == asked("B", 50) <= MOST_STATEMENTS


def test_another_sale_under_the_same_number_is_refused(shop: Shop, refused: Refusing) -> None:
    shop.sell()
    assert refused(lambda: shop.sell(lines=(item("10.01"),))) == "sale-differs"
    assert refused(lambda: shop.sell(card="B")) == "sale-differs"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"card": "nobody"}, "card-unknown"),
        ({"card": "SHUT"}, "card-blocked"),
        ({"currency": "XXX"}, "sale-currency"),
        ({"currency": "EUX"}, "sale-currency"),
        ({"currency": ""}, "sale-currency"),
        ({"lines": ()}, "sale-empty"),
        ({"lines": (item(10, 0),)}, "sale-quantity"),
        ({"lines": (item(10, -1),)}, "sale-quantity"),
        ({"lines": (item(10, "NaN"),)}, "sale-quantity"),
        ({"lines": (item(10, "0.00001"),)}, "sale-quantity"),
        ({"lines": (item(-10),)}, "sale-amount"),
        ({"lines": (item("1E+30"),)}, "sale-amount"),
        ({"lines": (item("1E+999999"),)}, "sale-amount"),
        ({"lines": (item(f"1.{'0' * 40}1"),)}, "sale-amount"),
        ({"lines": (item(10), item(10, 1, " "))}, "value-missing"),
        ({"lines": (replace(item(10), points=Decimal(300)),)}, "points-line-money"),
        ({"lines": (item(10, 1, "a\nb"),)}, "text-invalid"),
        ({"lines": (item(10, 1, "a" * 101),)}, "text-too-long"),
        ({"payments": {"cash": Decimal(-1)}}, "sale-amount"),
        ({"number": " "}, "sale-number"),
        ({"number": "1" * 65}, "sale-number"),
        ({"at": START.replace(tzinfo=None)}, "sale-date"),
        ({"at": datetime.min.replace(tzinfo=UTC)}, "sale-date"),
        ({"at": START + timedelta(days=2)}, "posting-ahead"),
        ({"fields": {"shop": "x" * 5000}}, "text-too-long"),
        ({"fields": {"shop": "\ud800"}}, "text-invalid"),
        ({"card": "A\0"}, "text-invalid"),
        ({"currency": "EU\udcff"}, "text-invalid"),
    ],
)
def test_what_is_no_sale_is_refused(
    shop: Shop, refused: Refusing, how: dict[str, object], code: str
) -> None:
    assert refused(lambda: shop.sell(**how)) == code  # type: ignore[arg-type]


def test_a_sale_abroad_is_a_sale(shop: Shop) -> None:
    assert shop.sell(currency="usd").entries
    assert shop.till.when("S-1") == START


def test_a_clock_set_back_posts_nothing(shop: Shop, clock: Clock, refused: Refusing) -> None:
    shop.sell()
    clock.forward(-3600)
    assert refused(lambda: shop.sell("S-2", at=START - timedelta(days=1))) == "clock-set-back"
    # Not even a sale that earns nothing.
    nothing = (item(0),)
    at = START - timedelta(days=1)
    assert refused(lambda: shop.sell("S-3", at=at, lines=nothing)) == "clock-set-back"


def test_a_refused_sale_stops_nobody(shop: Shop) -> None:
    wanted = [sale("1"), sale("2", "SHUT"), sale("3", "B"), sale("1", lines=(item(3),)), sale("1")]
    answers = shop.till.sales([*wanted, sale("4", currency="EUX")], by="till")
    codes = [one.error.code if isinstance(one, Refused) else one.repeated for one in answers]
    assert codes == [False, "card-blocked", False, "sale-differs", True, "sale-currency"]
    assert shop.available() == shop.available("B") == {"money": Decimal(10)}


def test_a_number_that_was_refused_is_free_within_the_batch(shop: Shop) -> None:
    wrong, right = sale("1", "SHUT"), sale("1", "A")
    answers = shop.till.sales([wrong, right], by="till")
    assert isinstance(answers[0], Refused)
    assert isinstance(answers[1], Receipt)


def test_a_batch_comes_to_the_same_as_one_by_one(shop: Shop) -> None:
    wanted = [sale(str(number), "AB"[number % 2]) for number in range(8)]
    shop.till.sales(wanted, by="till")
    assert shop.available() == {"money": Decimal(40), "tier": Decimal(7)}
    assert shop.available() == shop.available("B")
    assert [one.sales for one in shop.rules.seen] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_customers_of_a_household_come_one_after_the_other_in_a_batch(shop: Shop) -> None:
    """As cards of a customer do: a tier that one reaches, the other has."""
    Desk(shop.ledger).enrol("B", Customer("P2", create=True), by="t")
    for party in ("P1", "P2"):
        Households(shop.ledger).set(party, "Elm", by="t")
    shop.rules.tiered = True
    shop.till.sales([sale("1", "SAME"), sale("2", "B"), sale("3", "A")], by="till")
    assert len(shop.rules.restated) == 1


def test_nothing_is_posted_where_a_kind_of_points_is_missing(shop: Shop, refused: Refusing) -> None:
    shop.ledger.store("reward-points").delete(_id(shop, "reward-points", "money"), by="t")
    assert refused(shop.sell) == "point-kind-unknown"


def test_sales_are_kept_with_their_lines(shop: Shop) -> None:
    line = replace(item("9.99", "0.25", "Tea", "Food", "Hot Drinks"), offer="spring")
    shop.sell(lines=(line,), channel="web", unit="001", payments={"card": Decimal("9.99")})
    with shop.ledger.reading() as connection:
        row = connection.execute(sa.text("SELECT * FROM sales")).one()
        kept = connection.execute(sa.text("SELECT * FROM sale_lines")).one()
    assert (row.number, row.currency, row.channel, row.unit) == ("S-1", "EUR", "web", "001")
    assert (kept.product_key, kept.category_keys) == ("tea", "\nfood\nhot drinks\n")
    assert (kept.quantity, kept.amount, kept.offer) == (2_500, 99_900, "spring")


def test_postings_name_the_sale_as_the_till_spells_it(shop: Shop) -> None:
    """Agents search receipts by it."""
    shop.sell(channel="web")
    shop.back()
    with shop.ledger.reading() as connection:
        told = connection.execute(sa.select(postings.c.source).order_by(postings.c.number))
        assert [row.source for row in told] == [
            {"sale": "S-1", "channel": "web"},
            {"sale": "S-1", "return": "R-1"},
        ]


# ---------------------------------------------------------------------------- enrolment


def test_an_anonymous_card_becomes_the_customers(shop: Shop) -> None:
    shop.till.sale(sale(), Customer("P1"), by="till")
    card = shop.ledger.store("cards").find("A")
    assert card is not None
    assert "P1" in card.values
    assert shop.available() == {"money": Decimal(10)}


def test_a_card_nobody_knows_is_made_at_the_sale(shop: Shop, refused: Refusing) -> None:
    assert refused(lambda: shop.sell(card="NEW")) == "card-unknown"
    shop.till.sale(sale(card="NEW"), Customer("P9", create=True), by="till")
    assert shop.available("NEW") == {"money": Decimal(10)}


def test_a_customer_without_card_in_hand_buys_with_theirs_or_gets_one(shop: Shop) -> None:
    Desk(shop.ledger).sequence("L-###")
    known = shop.till.sale(sale("1", ""), Customer("P1"), by="till")
    assert known.card in {"SAME", "POOL", "EARNS"}
    new = shop.till.sale(sale("2", ""), Customer("P9", create=True), by="till")
    assert new.card == "L-001"
    Desk(shop.ledger).issue("NEWER", Customer("P9"), by="desk")
    assert shop.till.sale(sale("2", ""), Customer("P9"), by="till") == new._replace(repeated=True)
    assert shop.till.sale(sale("3", ""), Customer("P9"), by="till").card == "NEWER"


def test_a_refused_sale_makes_no_card(shop: Shop, refused: Refusing) -> None:
    wrong = sale(card="NEW", currency="EUX")
    customer = Customer("P9", create=True)
    assert refused(lambda: shop.till.sale(wrong, customer, by="till")) == "sale-currency"
    another = Customer("P9", create=True)
    assert refused(lambda: shop.till.sale(sale(card="SAME"), another, by="till")) == (
        "card-of-another"
    )


def test_an_import_may_make_the_cards(shop: Shop) -> None:
    wanted = [sale("1", "NEW"), sale("2", "new"), sale("3", "x" * 31)]
    answers = shop.till.sales(wanted, enrol=True, by="till")
    assert [isinstance(one, Receipt) for one in answers] == [True, True, False]
    assert shop.available("NEW") == {"money": Decimal(20)}
    assert list(mismatches(shop.ledger)) == []


def test_days_are_those_of_the_shop(shop: Shop) -> None:
    late = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    till = Till(shop.ledger, ZoneInfo("Asia/Tokyo"), terms=shop.rules)
    (entry,) = till.sale(sale(at=late), by="till").entries
    assert entry.starts is not None
    assert entry.starts.isoformat() == "2026-01-02"


def _id(shop: Shop, entity: str, key: str) -> str:
    record = shop.ledger.store(entity).find(key)
    assert record is not None
    return record.id


def test_a_refusal_names_no_card_number(shop: Shop) -> None:
    with pytest.raises(RecordError) as caught:
        shop.sell(card="4800001234")
    assert "480000" not in str(caught.value)
