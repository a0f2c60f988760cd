"""A CSV file of orders: how lines are read and grouped, and what happens to bad ones."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.errors import MapError, UsageError
from connector.ledger.import_mapping import ImportMapping
from connector.ledger.importer import ImportOptions
from connector.ledger.journal.posting import Refused
from connector.ledger.sales import order_import
from connector.ledger.sales.order_import import OrderReport, import_orders
from tests.unit.ledger.sales.conftest import Shop

HEAD = "Number,Card,At,Currency,Product,Quantity,Amount,Categories\n"
DAY = "2026-01-01"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.csv"


def bring(shop: Shop, path: Path, text: str, **how: Any) -> OrderReport:
    encoding = how.pop("encoding", None)
    path.write_text(text, encoding=encoding or "utf-8", newline="")
    mapping = ImportMapping(
        how.pop("sources", {}), how.pop("constants", {}), date_format=how.pop("date_format", None)
    )
    options = ImportOptions(
        mapping, encoding, delimiter=how.pop("delimiter", None), rejects=how.pop("rejects", None)
    )
    return import_orders(shop.till, path, options, by="import", **how)


def counts(report: OrderReport) -> tuple[int, int, int, int, int]:
    held = (report.lines, report.orders, report.posted, report.repeated, report.refused)
    assert report.orders == report.posted + report.repeated + report.refused
    return held


def test_lines_of_a_number_are_one_order(shop: Shop, path: Path) -> None:
    text = HEAD + f"1,A,{DAY},EUR,tea,1,9.99,\n1,A,{DAY},EUR,novel,2,20,books|novels\n"
    report = bring(shop, path, text + f"2,B,{DAY}T18:30,EUR,pen,1,5,\n")
    assert counts(report) == (3, 2, 2, 0, 0)
    assert report.points == {"money": Decimal("34.99"), "plain": Decimal(10)}
    assert shop.available() == {"money": Decimal("29.99"), "plain": Decimal(10)}
    again = bring(shop, path, path.read_text("utf-8"))
    assert (counts(again), again.points) == ((3, 2, 0, 2, 0), {})


def test_a_broken_off_import_is_run_again(
    shop: Shop, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_import, "BATCH", 2)
    text = HEAD + "".join(f"{n},A,{DAY},EUR,tea,1,1,\n" for n in range(5))

    def stop(done: int, size: int) -> None:
        assert 0 < done <= size
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(shop, path, text, progress=stop)
    assert shop.available() == {"money": Decimal(2)}
    assert counts(bring(shop, path, text)) == (5, 5, 3, 2, 0)
    assert shop.available()["money"] == Decimal(5)


def test_files_of_other_shapes(shop: Shop, path: Path) -> None:
    text = "Kunde;Tag;Summe\nA;31.12.2025;1.234,50\nA;1.1.2026;0,5\nÄ;1.1.2026;1\n"
    report = bring(
        shop,
        path,
        text,
        sources={"Card": "Kunde", "At": "Tag", "Amount": "Summe"},
        constants={"Currency": "eur", "Payment": "card"},
        date_format="%d.%m.%Y",
        decimal_comma=True,
        encoding="cp1252",
        enrol=True,
    )
    assert counts(report) == (3, 3, 3, 0, 0)
    assert shop.available() == {"money": Decimal(1235)}
    assert shop.available("ä") == {"money": Decimal(1)}
    # Without a column of numbers an order is named after its line.
    with shop.ledger.reading() as connection:
        rows = connection.exec_driver_sql("SELECT number, payments FROM sales ORDER BY number")
        assert [row.number for row in rows] == ["orders:2", "orders:3", "orders:4"]


BAD = [
    (f"1,A,{DAY},EUR,tea,1,x,", "number-invalid", "Amount"),
    (f'1,A,{DAY},EUR,tea,1,"1,5",', "number-invalid", "Amount"),
    (f"1,A,{DAY},EUR,tea,1,,", "value-missing", "Amount"),
    ("1,A,soon,EUR,tea,1,1,", "date-invalid", "At"),
    ("1,A,,EUR,tea,1,1,", "value-missing", "At"),
    (f"1,A,{DAY},EUR,tea,0,1,", "sale-quantity", "quantity of line 2"),
    (f"1,A,{DAY},EUR,tea,1,-1,", "sale-amount", "amount of line 2"),
    (f"1,B,{DAY},EUR,tea,1,1,", "order-contradicts", "card"),
    (f"1,A,{DAY},USD,tea,1,1,", "order-contradicts", "currency"),
    (f"1,A,{DAY},EUR,tea,1", "line-width", None),
]


@pytest.mark.parametrize(("line", "code", "field"), BAD)
def test_one_bad_line_refuses_its_order(
    shop: Shop, path: Path, tmp_path: Path, line: str, code: str, field: str | None
) -> None:
    around = [f"0,B,{DAY},EUR,tea,1,1,", f"1,A,{DAY},EUR,tea,1,1,", line, f"1,A,{DAY},EUR,tea,1,3,"]
    text = HEAD + "\n".join([*around, f"2,B,{DAY},EUR,tea,1,1,"]) + "\n"
    rejects = tmp_path / "bad.csv"
    report = bring(shop, path, text, rejects=rejects)
    assert counts(report) == (5, 3, 2, 0, 1)
    (problem,) = report.problems
    assert (problem.code, problem.subject.field) == (code, field)
    assert (shop.available(), shop.available("B")) == ({}, {"money": Decimal(2)})
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:3] == ["line", "reason", "Number"]
    assert [row[0] for row in rows] == ["3", "4", "5"]


def test_what_the_ledger_refuses_is_told_with_its_line(shop: Shop, path: Path) -> None:
    text = (
        HEAD + f"1,SHUT,{DAY},EUR,tea,1,1,\n2,A,{DAY},EUX,tea,1,1,\n3,A,2027-01-01,EUR,tea,1,1,\n"
    )
    report = bring(shop, path, text + f"4,nobody,{DAY},EUR,tea,1,1,\n5,A,{DAY},EUR,tea,1,1,\n")
    assert counts(report) == (5, 5, 1, 0, 4)
    told = [(one.code, one.subject.line) for one in report.problems]
    codes = ("card-blocked", "sale-currency", "posting-ahead", "card-unknown")
    assert told == [(code, line) for line, code in enumerate(codes, 2)]
    assert all(one.subject.file == str(path) for one in report.problems)


def test_an_order_whose_lines_are_apart_is_refused(shop: Shop, path: Path) -> None:
    lines = [f"1,A,{DAY},EUR,tea,1,1,", f"2,A,{DAY},EUR,tea,1,1,", f"1,A,{DAY},EUR,tea,1,2,"]
    report = bring(shop, path, HEAD + "\n".join(lines) + "\n")
    assert counts(report) == (3, 3, 2, 0, 1)
    assert [one.code for one in report.problems] == ["sale-differs"]


def test_lines_that_tell_no_order_stand_alone(
    shop: Shop, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = f"1,A,{DAY},EUR,tea,1,1,"
    report = bring(shop, path, HEAD + "\n".join(["x", good, "y", "z"]) + "\n")
    assert counts(report) == (4, 4, 1, 0, 3)
    monkeypatch.setattr(order_import, "MOST_LOST", 2)
    shop.back("R", of="1")
    report = bring(shop, path, HEAD + "\n".join([good, *["x"] * 7, good]) + "\n")
    assert counts(report) == (9, 9, 0, 2, 7)


def test_a_mapping_that_does_not_fit_is_told_before_anything_is_posted(
    shop: Shop, path: Path
) -> None:
    with pytest.raises(UsageError, match="key-unmapped"):
        bring(shop, path, "Customer,At\nA,2026-01-01\n")
    earlier = path.with_name("rejects.csv")
    earlier.write_text("of an earlier import", "utf-8")
    text = "Card,When,Sum\nA,2026-01-01,1\n"
    with pytest.raises(UsageError, match="no column gives At, Amount") as raised:
        bring(shop, path, text, constants={"Currency": "EUR"}, rejects=earlier)
    assert earlier.read_text("utf-8") == "of an earlier import"
    assert "--set At=COLUMN for each, with one of: Card, When, Sum" in str(raised.value.remedy)
    with pytest.raises(MapError, match="column-unknown"):
        bring(shop, path, HEAD, sources={"Colour": "Card"})
    with pytest.raises(UsageError, match="rejects-over-source"):
        bring(shop, path, HEAD, rejects=path)


def test_an_order_is_refused_as_at_the_till(shop: Shop, path: Path) -> None:
    """The import adds no rule of its own."""
    from tests.unit.ledger.sales.conftest import sale

    (answer,) = shop.till.sales([sale(currency="EUX")], by="t")
    report = bring(shop, path, HEAD + f"9,A,{DAY},EUX,tea,1,10,\n")
    assert isinstance(answer, Refused)
    assert report.problems[0].message == answer.error.message
