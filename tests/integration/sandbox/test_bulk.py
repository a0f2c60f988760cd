"""CreateMultiple, UpdateMultiple, UpsertMultiple: all or none, and no word about which row."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"
TYPE = "Microsoft.Dynamics.CRM.msdyn_loyaltycard"
AddCards = Callable[..., list[str]]


def send(dataverse: DataverseSession, message: str, *targets: dict[str, Any]) -> Any:
    typed = [{"@odata.type": TYPE, **target} for target in targets]
    url = f"{CARDS}/Microsoft.Dynamics.CRM.{message}"
    return dataverse.post(url, json={"Targets": typed})


def code(answer: Any) -> tuple[int, str]:
    assert set(answer.json()["error"]) == {"code", "message"}
    return answer.status_code, answer.json()["error"]["code"]


def stored(dataverse: DataverseSession) -> dict[str, str | None]:
    rows = dataverse.get(f"{CARDS}?$select=msdyn_cardnumber,msdyn_partynumber").json()["value"]
    return {row["msdyn_cardnumber"]: row["msdyn_partynumber"] for row in rows}


def test_create_answers_with_the_ids_in_order(dataverse: DataverseSession) -> None:
    chosen = str(uuid.uuid4())
    answer = send(
        dataverse,
        "CreateMultiple",
        {"msdyn_cardnumber": "C-1"},
        {"msdyn_cardnumber": "C-2", "msdyn_loyaltycardid": chosen},
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["@odata.context"].endswith("#Microsoft.Dynamics.CRM.CreateMultipleResponse")
    first, second = body["Ids"]
    assert second == chosen
    row = dataverse.get(f"{CARDS}({first})").json()
    assert row["msdyn_cardnumber"] == "C-1"
    other = dataverse.get(f"{CARDS}({second})").json()
    assert other["versionnumber"] == row["versionnumber"] + 1


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ({"msdyn_cardnumber": "old "}, (412, "0x80060892")),
        ({"msdyn_cardnumber": "c-1"}, (412, "0x80060892")),
        ({"msdyn_cardnumber": "x" * 101}, (400, "0x80044331")),
        ({"msdyn_cardtendertype": 5}, (400, "0x8004431A")),
        ({"nothing": 5}, (400, "0x0")),
        ({"@odata.type": "Microsoft.Dynamics.CRM.msdyn_party"}, (400, "0x80048d19")),
        ({"@odata.type": None}, (400, "0x80048d19")),
    ],
)
def test_one_bad_row_undoes_all(
    dataverse: DataverseSession, add_cards: AddCards, bad: dict[str, Any], expected: tuple[int, str]
) -> None:
    add_cards(["OLD"])
    answer = send(dataverse, "CreateMultiple", {"msdyn_cardnumber": "C-1"}, bad)
    assert code(answer) == expected
    assert stored(dataverse) == {"OLD": None}


def test_a_taken_id_undoes_all(dataverse: DataverseSession, add_cards: AddCards) -> None:
    (record,) = add_cards(["C-1"])
    twins = [{"msdyn_loyaltycardid": str(uuid.uuid4())}] * 2
    for targets in ([{}, {"msdyn_loyaltycardid": record}], twins):
        assert code(send(dataverse, "CreateMultiple", *targets)) == (412, "0x80040237")
    assert stored(dataverse) == {"C-1": None}


def test_update_by_id_and_by_key(dataverse: DataverseSession, add_cards: AddCards) -> None:
    first, _ = add_cards(["C-1", "C-2"])
    answer = send(
        dataverse,
        "UpdateMultiple",
        {"msdyn_loyaltycardid": first, "msdyn_partynumber": "P-1"},
        {"@odata.id": f"{CARDS}(msdyn_cardnumber='c-2')", "msdyn_partynumber": "P-2"},
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert stored(dataverse) == {"C-1": "P-1", "C-2": "P-2"}


def test_update_of_a_missing_row_undoes_all(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    (record,) = add_cards(["C-1"])
    nobody = str(uuid.uuid4())
    answer = send(
        dataverse,
        "UpdateMultiple",
        {"msdyn_loyaltycardid": record, "msdyn_partynumber": "P"},
        {"msdyn_loyaltycardid": nobody, "msdyn_partynumber": "P"},
    )
    assert code(answer) == (404, "0x80040217")
    assert f"With Ids = {nobody} Do Not Exist" in answer.text
    assert stored(dataverse) == {"C-1": None}


@pytest.mark.parametrize("message", ["UpdateMultiple", "UpsertMultiple"])
def test_the_same_row_twice_locks_itself_out(
    dataverse: DataverseSession, add_cards: AddCards, message: str
) -> None:
    (record,) = add_cards(["C-1"])
    answer = send(
        dataverse,
        message,
        {"msdyn_loyaltycardid": record, "msdyn_partynumber": "P"},
        {"@odata.id": f"{CARDS}(msdyn_cardnumber='C-1')", "msdyn_partynumber": "Q"},
    )
    assert code(answer) == (400, "0x80044150")
    assert stored(dataverse) == {"C-1": None}


def test_upsert_creates_and_updates(dataverse: DataverseSession, add_cards: AddCards) -> None:
    add_cards(["C-1"])
    chosen = str(uuid.uuid4())
    answer = send(
        dataverse,
        "UpsertMultiple",
        {"@odata.id": f"{CARDS}(msdyn_cardnumber='c-1')", "msdyn_partynumber": "P-1"},
        {"@odata.id": f"{CARDS}(msdyn_cardnumber='C%202')", "msdyn_partynumber": "P-2"},
        {"msdyn_loyaltycardid": chosen, "msdyn_cardnumber": "C-3"},
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert stored(dataverse) == {"C-1": "P-1", "C 2": "P-2", "C-3": None}
    assert dataverse.get(f"{CARDS}({chosen})").status_code == 200


def test_upsert_of_the_same_missing_key_twice(dataverse: DataverseSession) -> None:
    url = f"{CARDS}(msdyn_cardnumber='C-1')"
    twice = [{"@odata.id": url}, {"@odata.id": url.replace("C", "c")}]
    assert code(send(dataverse, "UpsertMultiple", *twice)) == (400, "0x80044150")
    assert stored(dataverse) == {}


def test_requests_that_are_no_bulk_message(dataverse: DataverseSession) -> None:
    url = f"{CARDS}/Microsoft.Dynamics.CRM."
    assert code(dataverse.post(f"{url}CreateMultiple", json={}))[0] == 400
    assert code(dataverse.post(f"{url}CreateMultiple", json={"Targets": [1]}))[0] == 400
    assert code(dataverse.post(f"{url}DeleteMultiple", json={"Targets": []}))[0] == 501
    assert code(dataverse.post(f"{url}Nothing", json={}))[0] == 404
    assert code(dataverse.get(f"{url}CreateMultiple"))[0] == 404
    assert code(send(dataverse, "UpdateMultiple", {"msdyn_partynumber": "P"}))[0] == 400


def test_changes_of_bulk_messages_are_tracked(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    url = f"{CARDS}?$select=msdyn_cardnumber"
    body = dataverse.get(url, headers={"Prefer": "odata.track-changes"}).json()
    first, second = add_cards(["C-1", "C-2"])
    send(dataverse, "UpdateMultiple", {"msdyn_loyaltycardid": first, "msdyn_partynumber": "P"})
    rows = dataverse.get(body["@odata.deltaLink"]).json()["value"]
    assert [row["msdyn_loyaltycardid"] for row in rows] == [second, first]
