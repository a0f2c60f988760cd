"""The list that is handed over: columns, cells, and a file that is whole or not there."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connector.errors import UsageError
from connector.ledger.ledger import Ledger
from connector.ledger.members.groups import Groups
from connector.ledger.members.households import Households
from connector.ledger.operations import Upsert
from connector.ledger.segments import picking, store
from connector.ledger.segments.document import SegmentDocument
from connector.ledger.segments.export import export, safe
from connector.ledger.segments.picking import counted, members, sample
from tests.unit.ledger.segments.filling import fill
from tests.unit.ledger.segments.naive import Holder, Lot, Shop

ON = date(2026, 6, 15)
EVERYBODY = {"segment": "all", "who": {"any": [{"customer": "yes"}, {"customer": "no"}]}}


@pytest.fixture(autouse=True)
def shop(ledger: Ledger) -> None:
    lots = [
        Lot("bonus", Decimal("5.5"), ON, ON + timedelta(3)),
        Lot("bonus", Decimal(2), ON + timedelta(1)),
        Lot("status", Decimal(9), ON),
    ]
    tiers = {"gold-club": "gold"}
    holders = [
        Holder("C1", "P1", joined=frozenset({"kids"}), tiers=tiers, lots=lots),
        Holder("=C2", "P1"),
        Holder("C3"),
        Holder("C4", "P2", blocked=True),
    ]
    fill(ledger, Shop(holders))
    Groups(ledger).add("P1", "Staff", by="t")
    Groups(ledger).add("P1", "family", by="t")
    Households(ledger).set("P1", "@Elm", by="t")
    with ledger.writing("t") as transaction:
        store.keep(transaction, SegmentDocument.model_validate(EVERYBODY), "")


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_the_chosen_columns_in_the_order_of_cards(ledger: Ledger, tmp_path: Path) -> None:
    columns = ["CardNumber", "partynumber", "groups", "programs", "household", "sales"]
    columns += ["tier:Gold-Club", "available:BONUS", "unvested:bonus", "expiring:bonus"]
    file = tmp_path / "list.csv"
    assert export(ledger, "all", file, columns, ON) == 3
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    assert rows(file) == [
        columns,
        ["'=C2", "P1", "family, staff", "", "'@Elm", "0", "", "0", "0", "0"],
        ["C1", "P1", "family, staff", "kids", "'@Elm", "0", "gold", "5.5", "2", "5.5"],
        ["C3", "", "", "", "", "0", "", "0", "0", "0"],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe(text) == f"'{text}"


def test_other_cells_are_left_alone() -> None:
    told = [safe(one) for one in (None, "a=b", Decimal("-1.5"), 7, ON)]
    assert told == ["", "a=b", "-1.5", "7", "2026-06-15"]


@pytest.mark.parametrize("column", ["colour", "tier", "available:nothing", "points:bonus"])
def test_a_column_that_is_none_is_refused(ledger: Ledger, tmp_path: Path, column: str) -> None:
    with pytest.raises(UsageError) as caught:
        export(ledger, "all", tmp_path / "list.csv", ["CardNumber", column], ON)
    assert caught.value.code == "export-column"
    assert column in caught.value.message
    assert list(tmp_path.glob("list*")) == []


def test_a_file_that_cannot_be_written_is_said(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        export(ledger, "all", tmp_path / "none" / "list.csv")
    assert caught.value.code == "report-unwritable"


def test_pages_hold_everybody_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picking, "PAGE", 7)
    cards = [{"CardNumber": f"N{one:03}"} for one in range(20)]
    ledger.store("cards").apply([Upsert(one) for one in cards], by="t")
    with ledger.reading() as connection:
        document = store.found(connection, "all").document
        pages = [[one.card for one in page] for page in members(connection, document, ON)]
        assert [len(page) for page in pages] == [7, 7, 7, 2]
        everybody = [card for page in pages for card in page]
        assert everybody == sorted(everybody, key=str.casefold)
        assert counted(connection, document, ON) == (23, 1)
        first = sample(connection, document, ON, size=2)
        assert [one.card for one in first] == ["=C2", "C1"]
        more = sample(connection, document, ON, size=2, after="c1")
        assert [one.card for one in more] == ["C3", "N000"]
