"""Keys the ledger gives itself: nobody else posts under one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.journal import keys
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Adjust, Posting
from connector.ledger.ledger import Ledger
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.sales.till import Till

_LINES = (Adjust("A", "plain", Decimal(1)),)


@pytest.mark.parametrize("prefix", keys.OWN)
def test_a_key_of_the_ledgers_own_is_refused(journal: Journal, prefix: str) -> None:
    with pytest.raises(RecordError) as refused:
        journal.post(Posting(f"{prefix}1", _LINES), by="t")
    assert refused.value.code == "posting-key"
    assert prefix in str(refused.value)


def test_no_two_kinds_of_postings_share_a_name() -> None:
    assert not [
        (one, other)
        for one in keys.OWN
        for other in keys.OWN
        if one != other and one.startswith(other)
    ]


@pytest.mark.parametrize("key", ["cli:1", "till 3:sale:1", "SALE:1", "sales:1", "sale", ":"])
def test_any_other_key_is_free(journal: Journal, key: str) -> None:
    assert not journal.post(Posting(key, _LINES), by="t").repeated


def test_nobody_takes_the_key_of_a_sale_to_come(ledger: Ledger, journal: Journal) -> None:
    with pytest.raises(RecordError, match="own"):
        journal.post(Posting("sale:S1", _LINES), by="t")
    item = Item("P", Decimal(1), Decimal(5))
    at = datetime(2026, 1, 2, tzinfo=UTC)
    assert Till(ledger).sale(Sale("S1", "A", at, "EUR", (item,)), by="t").number == "S1"
