"""Activities other than sales earn points as well, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from connector.ledger.programs.occasion import Activity
from tests.unit.ledger.conftest import START
from tests.unit.ledger.sales.conftest import Shop

Refusing = Callable[[Callable[[], object]], str]


def activity(**how: object) -> Activity:
    given: dict[str, object] = {"number": "V-1", "card": "A", "at": START, "activity": "survey"}
    return Activity(**(given | how))  # type: ignore[arg-type]


def test_an_activity_earns_once(shop: Shop) -> None:
    first = shop.till.activity(activity(channel="web"), by="till")
    assert [(one.points, one.rule) for one in first.entries] == [(Decimal(100), "club/survey@1")]
    again = shop.till.activity(activity(channel="web", number="v-1"), by="till")
    assert again == first._replace(repeated=True)
    assert shop.available() == {"plain": Decimal(100)}


def test_an_activity_that_earns_nothing_is_known(shop: Shop) -> None:
    shop.rules.earned = lambda *_: []  # type: ignore[method-assign]
    assert shop.till.activity(activity(), by="till").posting is None
    assert shop.till.activity(activity(), by="till").repeated


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"quantity": Decimal(2)}, "activity-differs"),
        ({"number": "V-2", "card": "nobody"}, "card-unknown"),
        ({"number": "V-2", "card": "SHUT"}, "card-blocked"),
        ({"number": "V-2", "quantity": Decimal(0)}, "sale-quantity"),
        ({"number": "V-2", "activity": ""}, "value-missing"),
        ({"number": ""}, "sale-number"),
        ({"number": "V-2", "at": START + timedelta(days=2)}, "posting-ahead"),
        ({"number": "V-2", "at": START.replace(tzinfo=None)}, "sale-date"),
    ],
)
def test_what_is_no_activity_is_refused(
    shop: Shop, refused: Refusing, how: dict[str, object], code: str
) -> None:
    shop.till.activity(activity(), by="till")
    assert refused(lambda: shop.till.activity(activity(**how), by="till")) == code
