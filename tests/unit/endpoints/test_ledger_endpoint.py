"""The ledger behind the endpoint protocol: what the contract suite cannot know of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Endpoint,
    Exists,
    Missing,
    Operation,
    Outcome,
    Page,
    Rejected,
    Row,
    Stale,
    Update,
)
from connector.endpoints.ledger.endpoint import MODIFIER, LedgerEndpoint
from connector.errors import MapError, PositionExpiredError
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Upsert
from connector.mapping.values import ValueType

CARDS, POINTS = "RetailLoyaltyCards", "RetailLoyaltyRewardPoints"
COLUMNS = ["CARDNUMBER", "CARDTENDERTYPE", "LOYALTYENROLLMENTDATE"]
A, B, C = (f"aaaaaaaa-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as opened:
        yield opened


@pytest.fixture
def endpoint(ledger: Ledger) -> Endpoint:
    return LedgerEndpoint(ledger, page_rows=3)


def write(endpoint: Endpoint, *operations: Operation) -> Sequence[Outcome]:
    return endpoint.write(CARDS, COLUMNS, operations)


def row(outcome: Outcome) -> Row:
    assert isinstance(outcome, Applied), outcome
    assert outcome.row is not None
    return outcome.row


def fill(ledger: Ledger, *numbers: str) -> None:
    ledger.store("cards").apply([Upsert({"CardNumber": number}) for number in numbers], by="ann")


def keys(pages: Sequence[Page]) -> list[object]:
    return [one.image[0] for page in pages for one in page.rows]


def end(pages: Sequence[Page]) -> str:
    assert [page.last for page in pages] == [*[False] * (len(pages) - 1), True]
    assert pages[-1].position is not None
    return pages[-1].position


# ---------------------------------------------------------------------------- description


def test_the_identity_is_the_ledger_and_its_writes_are_known(
    endpoint: Endpoint, ledger: Ledger
) -> None:
    identity = endpoint.identity()
    assert (identity.world, identity.users) == (ledger.id, frozenset({MODIFIER}))
    (created,) = write(endpoint, Create(A, {"CardNumber": "1"}))
    assert row(created).modifier == MODIFIER


def test_columns_are_described_with_their_facets(endpoint: Endpoint) -> None:
    cards, points = endpoint.describe("retailloyaltycards"), endpoint.describe(POINTS)
    assert cards.keys[0].columns == ("CardNumber",)
    number, tender = cards.columns["CardNumber"], cards.columns["CardTenderType"]
    assert (number.type, number.max_length, number.required) == (ValueType.TEXT, 30, True)
    assert tender.type is ValueType.CHOICE
    assert set(tender.choices or ()) == {"AsCardTender", "AsContactTender", "NoTender", "Blocked"}
    assert (tender.nullable, tender.required) == (False, False)
    assert cards.columns["LoyaltyEnrollmentDate"].type is ValueType.DATE
    assert set(points.columns["Redeemable"].choices or ()) == {"No", "Yes"}
    ranking, maximum = points.columns["RedeemRanking"], points.columns["MaximumLoyaltyRewardPoints"]
    assert (ranking.minimum, ranking.maximum) == (0, 2**31 - 1)
    assert maximum.maximum == 2**63 - 1
    assert points.columns["RewardPointCurrency"].max_length == 3
    with pytest.raises(MapError):
        endpoint.describe("msdyn_loyaltycards")


def test_versions_are_ordered_across_records(endpoint: Endpoint) -> None:
    first, second = write(endpoint, Create(A, {"CardNumber": "1"}), Create(B, {"CardNumber": "2"}))
    old, new = row(first).version, row(second).version
    assert old is not None
    assert new is not None
    assert (endpoint.newer(new, old), endpoint.newer(old, new)) == (True, False)
    assert endpoint.newer("10", "9") is True
    assert endpoint.newer("W/1", "9") is None


# ---------------------------------------------------------------------------- scan, changes


def test_a_scan_is_paged_and_can_be_resumed(endpoint: Endpoint, ledger: Ledger) -> None:
    fill(ledger, *"abcdefg")
    pages = list(endpoint.scan(CARDS, COLUMNS, None))
    assert [len(page.rows) for page in pages] == [3, 3, 1]
    assert keys(pages) == list("abcdefg")
    assert [page.position is None for page in pages] == [True, True, False]
    resumed = list(endpoint.scan(CARDS, COLUMNS, pages[0].resume))
    assert keys(resumed) == list("defg")
    assert end(resumed) == end(pages)


@pytest.mark.parametrize("count", [0, 3, 6])
def test_a_scan_ends_with_one_last_page(endpoint: Endpoint, ledger: Ledger, count: int) -> None:
    fill(ledger, *"abcdef"[:count])
    pages = list(endpoint.scan(CARDS, COLUMNS, None))
    assert end(pages)
    assert len(pages) == max(1, count // 3)


def test_the_position_of_a_scan_covers_what_changed_while_it_ran(
    endpoint: Endpoint, ledger: Ledger
) -> None:
    fill(ledger, *"abcdefg")
    scanning = endpoint.scan(CARDS, COLUMNS, None)
    first = next(scanning)
    changed = first.rows[0].id
    ledger.store("cards").update(changed, {"CardTenderType": "Blocked"}, by="ann")
    gone = first.rows[1].id
    ledger.store("cards").delete(gone, by="ann")
    rest = list(scanning)
    pages = list(endpoint.changes(CARDS, COLUMNS, end([first, *rest])))
    assert [one.id for page in pages for one in page.rows] == [changed]
    assert [row_id for page in pages for row_id in page.deleted] == [gone]


def test_a_resumed_scan_keeps_the_position_of_its_first_start(
    endpoint: Endpoint, ledger: Ledger
) -> None:
    fill(ledger, *"abcdefg")
    first = next(iter(endpoint.scan(CARDS, COLUMNS, None)))
    ledger.store("cards").update(first.rows[0].id, {"CardTenderType": "Blocked"}, by="ann")
    resumed = list(endpoint.scan(CARDS, COLUMNS, first.resume))
    assert keys(list(endpoint.changes(CARDS, COLUMNS, end(resumed)))) == ["a"]


def test_changes_are_paged_and_each_page_can_be_resumed(endpoint: Endpoint, ledger: Ledger) -> None:
    start = end(list(endpoint.scan(CARDS, COLUMNS, None)))
    fill(ledger, *"abcdefg")
    pages = list(endpoint.changes(CARDS, COLUMNS, start))
    assert keys(pages) == list("abcdefg")
    assert pages[0].resume is not None
    resumed = list(endpoint.changes(CARDS, COLUMNS, pages[0].resume))
    assert keys(resumed) == list("defg")
    assert end(resumed) == end(pages)
    assert keys(list(endpoint.changes(CARDS, COLUMNS, end(pages)))) == []


def test_a_position_of_another_column_list_expires(endpoint: Endpoint, ledger: Ledger) -> None:
    fill(ledger, *"abcdefg")
    pages = list(endpoint.scan(CARDS, COLUMNS, None))
    with pytest.raises(PositionExpiredError):
        list(endpoint.changes(CARDS, COLUMNS[:1], end(pages)))
    with pytest.raises(PositionExpiredError):
        list(endpoint.scan(CARDS, COLUMNS[:1], pages[0].resume))


# ---------------------------------------------------------------------------- read


def test_found_rows_are_keyed_as_they_were_asked_for(endpoint: Endpoint) -> None:
    write(endpoint, Create(A, {"CardNumber": "Abc"}))
    by_key = endpoint.read(CARDS, COLUMNS, by="CARDNUMBER", values=["aBC ", "ABC", "x"]).rows
    assert {asked: [one.id for one in rows] for asked, rows in by_key.items()} == {
        "aBC ": [A],
        "ABC": [A],
    }
    by_id = endpoint.read(CARDS, COLUMNS, by=None, values=[A.upper(), B]).rows
    assert {asked: [one.image[0] for one in rows] for asked, rows in by_id.items()} == {
        A.upper(): ["Abc"]
    }


# ---------------------------------------------------------------------------- write


def test_the_applied_row_is_what_a_read_gives(endpoint: Endpoint) -> None:
    (created,) = write(
        endpoint,
        Create(A, {"CardNumber": "1 ", "LoyaltyEnrollmentDate": date(1900, 1, 1)}),
    )
    assert row(created).image == ("1", "AsCardTender", None)
    (updated,) = write(endpoint, Update(A, row(created).version, {"CardTenderType": "Blocked"}))
    read = endpoint.read(CARDS, COLUMNS, by=None, values=[A]).rows[A]
    assert read == [row(updated)]


def test_every_operation_has_its_own_outcome(endpoint: Endpoint) -> None:
    write(endpoint, Create(A, {"CardNumber": "1"}), Create(B, {"CardNumber": "2"}))
    outcomes = write(
        endpoint,
        Create(A, {"CardNumber": "9"}),
        Create(C, {"CardNumber": "2 "}),
        Update(C, None, {"CardTenderType": "Blocked"}),
        Update(A, "99", {"CardTenderType": "Blocked"}),
        Update(A, 'W/"7"', {"CardTenderType": "Blocked"}),
        Update(A, "1", {"CardTenderType": "Gold"}),
        Update(A, None, {"PartyNumber": "nobody"}),
        Delete(C, None),
        Delete(B, "1"),
        Delete(B, "2"),
        Update(A, "1", {"CardTenderType": "Blocked"}),
    )
    assert [type(outcome) for outcome in outcomes] == [
        *(Exists, Exists, Missing, Stale, Stale, Rejected, Rejected, Missing, Stale),
        *(Applied, Applied),
    ]
    assert [one.id for one in outcomes if isinstance(one, Exists)] == [A, B]
    choice, party = (one for one in outcomes if isinstance(one, Rejected))
    assert (choice.code, choice.field) == ("choice-unknown", "CardTenderType")
    assert "Gold" in choice.text
    assert (party.code, party.field) == ("reference-unknown", "PartyNumber")
    assert "nobody" in party.text


def test_an_unknown_column_is_refused_before_anything_is_written(endpoint: Endpoint) -> None:
    with pytest.raises(MapError):
        endpoint.write(CARDS, ["Balance"], [Create(A, {"CardNumber": "1"})])
    with pytest.raises(MapError):
        write(endpoint, Create(A, {"CardNumber": "1"}), Create(B, {"Balance": 1}))
    assert endpoint.read(CARDS, COLUMNS, by=None, values=[A]).rows == {}
