"""Prices in points from a CSV file: the good lines go in, the bad ones are told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from connector.errors import UsageError
from connector.ledger.ledger import Ledger
from connector.ledger.rewards.price_import import import_prices
from connector.ledger.rewards.prices import Price, listed


def kept(ledger: Ledger) -> list[Price]:
    with ledger.reading() as connection:
        return listed(connection)


def test_good_lines_go_in_and_bad_ones_are_told(shop: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text(
        "points,Product,KIND,From,until\n"
        "300,Mug,plain,,\n"
        "2.5,Mug,money,2026-01-01,2026-12-31\n"
        "many,Cup,plain,,\n"
        "3,Cup,nothing,,\n"
        "3,Cup,plain,soon,\n"
        "0,Cup,plain,,\n"
        "4,Cup\n",
        encoding="utf-8",
    )
    report = import_prices(shop, file, by="ann")
    assert (report.read, report.kept, report.refused) == (7, 2, 5)
    assert [one.subject.line for one in report.problems] == [4, 5, 6, 7, 8]
    codes = [one.code for one in report.problems[:4]]
    assert codes == ["price-invalid", "point-kind-unknown", "price-invalid", "price-invalid"]
    assert kept(shop) == [
        Price("Mug", "money", Decimal("2.5"), date(2026, 1, 1), date(2026, 12, 31)),
        Price("Mug", "plain", Decimal(300), None, None),
    ]


def test_days_may_be_left_out_and_a_second_import_replaces(shop: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    for points in ("300", "350"):
        file.write_text(f"Product,Kind,Points\nMug,plain,{points}\n", encoding="utf-8")
        assert import_prices(shop, file, by="ann").kept == 1
    assert [one.points for one in kept(shop)] == [350]


def test_a_file_without_a_column_is_refused(shop: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("Product,Points\nMug,3\n", encoding="utf-8")
    with pytest.raises(UsageError, match="'Kind'"):
        import_prices(shop, file, by="ann")
