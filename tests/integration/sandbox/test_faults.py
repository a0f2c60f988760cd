"""The switches: refused, delayed and lost answers, lossy columns, request counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"
HOUR = timedelta(hours=1)


def test_throttling(dataverse: DataverseSession) -> None:
    dataverse.switch("faults", {"kind": "throttle", "count": 2, "retry_after": 7, "after": 1})
    statuses = [dataverse.get("WhoAmI").status_code for _ in range(2)]
    refused = dataverse.get("WhoAmI")
    statuses += [refused.status_code, dataverse.get("WhoAmI").status_code]
    assert statuses == [200, 429, 429, 200]
    assert refused.headers["Retry-After"] == "7"
    assert refused.json()["error"]["code"] == "0x80072322"


@pytest.mark.parametrize(
    ("limit", "code"),
    [("requests", "0x80072322"), ("seconds", "0x80072321"), ("concurrent", "0x80072326")],
)
def test_throttling_by_each_limit(dataverse: DataverseSession, limit: str, code: str) -> None:
    dataverse.switch("faults", {"kind": "throttle", "limit": limit})
    assert dataverse.get("WhoAmI").json()["error"]["code"] == code


def test_every_third_write_meets_what_is_next_in_turn(dataverse: DataverseSession) -> None:
    dataverse.switch(
        "faults",
        {
            "kind": "throttle",
            "then": ["unavailable", "drop", "lost-reply"],
            "every": 3,
            "count": 5,
            "method": "POST",
        },
    )
    seen: list[int | None] = []
    for number in range(18):
        assert dataverse.get("WhoAmI").status_code == 200
        try:
            answer = dataverse.post(CARDS, json={"msdyn_cardnumber": f"C-{number}"})
            seen.append(answer.status_code)
        except requests.ConnectionError:
            seen.append(None)
    assert seen[2::3] == [429, 503, None, None, 429, 204]
    assert [seen[n] for n in range(18) if n % 3 != 2] == [204] * 12
    rows = dataverse.get(f"{CARDS}?$select=msdyn_cardnumber").json()["value"]
    refused = {"C-2", "C-5", "C-8", "C-14"}
    assert {row["msdyn_cardnumber"] for row in rows} == {f"C-{n}" for n in range(18)} - refused
    told = dataverse.told()["faults"]
    assert told == {"throttle": 2, "unavailable": 1, "drop": 1, "lost-reply": 1}


def test_a_lost_reply_comes_after_its_effect(dataverse: DataverseSession) -> None:
    dataverse.switch("faults", {"kind": "lost-reply", "method": "POST", "path": CARDS})
    assert dataverse.get(f"{CARDS}/$count").status_code == 200
    with pytest.raises(requests.ConnectionError):
        dataverse.post(CARDS, json={"msdyn_cardnumber": "C-1"})
    assert dataverse.get(f"{CARDS}(msdyn_cardnumber='C-1')").status_code == 200
    assert dataverse.post(CARDS, json={"msdyn_cardnumber": "C-2"}).status_code == 204


def test_a_reply_is_cut_off_after_its_effect(dataverse: DataverseSession) -> None:
    dataverse.switch("faults", {"kind": "cut", "method": "POST", "path": CARDS})
    prefer = {"Prefer": "return=representation"}
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        dataverse.post(CARDS, json={"msdyn_cardnumber": "C-1"}, headers=prefer)
    assert dataverse.get(f"{CARDS}(msdyn_cardnumber='C-1')").status_code == 200


def test_a_proxy_answers_a_page_in_place_of_the_service(dataverse: DataverseSession) -> None:
    dataverse.switch("faults", {"kind": "html", "method": "POST"})
    answer = dataverse.post(CARDS, json={"msdyn_cardnumber": "C-1"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<h1>" in answer.text
    assert dataverse.get(f"{CARDS}(msdyn_cardnumber='C-1')").status_code == 404


@pytest.mark.parametrize(("kind", "status"), [("empty", 200), ("error-page", 500)])
def test_nothing_or_a_page_of_the_server_in_place_of_an_answer(
    dataverse: DataverseSession, kind: str, status: int
) -> None:
    dataverse.switch("faults", {"kind": kind, "method": "POST"})
    answer = dataverse.post(CARDS, json={"msdyn_cardnumber": "C-1"})
    assert (answer.status_code, answer.text[:9]) == (status, "" if kind == "empty" else "<!DOCTYPE")
    assert dataverse.get(f"{CARDS}(msdyn_cardnumber='C-1')").status_code == 404


def test_a_refusal_may_keep_to_itself_when_to_come_again(dataverse: DataverseSession) -> None:
    dataverse.switch("faults", {"kind": "throttle", "header": False})
    refused = dataverse.get("WhoAmI")
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers


def test_a_clock_that_is_ahead_shows_in_the_date_of_an_answer(dataverse: DataverseSession) -> None:
    dataverse.switch("clock", {"seconds": 3600})
    for url in ("WhoAmI", f"{dataverse.host}/crm"):
        before = datetime.now(UTC).replace(microsecond=0)
        told = parsedate_to_datetime(dataverse.get(url).headers["Date"])
        assert before + HOUR <= told <= datetime.now(UTC) + HOUR


def test_refusals_have_no_effect(dataverse: DataverseSession) -> None:
    dataverse.switch("faults", {"kind": "unavailable"})
    dataverse.switch("faults", {"kind": "unauthorized"})
    dataverse.switch("faults", {"kind": "forbidden"})
    answers = [dataverse.post(CARDS, json={}) for _ in range(3)]
    assert [one.status_code for one in answers] == [503, 401, 403]
    assert answers[2].json()["error"]["code"] == "0x80040220"
    assert "prvCreatemsdyn_loyaltycard " in answers[2].text
    assert dataverse.get(f"{CARDS}?$count=true").json()["@odata.count"] == 0


def test_slow_requests_do_not_hold_up_others(dataverse: DataverseSession) -> None:
    dataverse.switch("faults", {"kind": "slow", "seconds": 600, "path": CARDS})
    with pytest.raises(requests.ReadTimeout):
        dataverse.get(CARDS, timeout=(30, 0.3))
    assert dataverse.get(CARDS).status_code == 200


def test_slow_requests_go_on_when_the_faults_are_disarmed(dataverse: DataverseSession) -> None:
    dataverse.switch("faults", {"kind": "slow", "seconds": 600, "method": "POST"})
    with pytest.raises(requests.ReadTimeout):
        dataverse.post(CARDS, json={"msdyn_cardnumber": "C-1"}, timeout=(30, 0.3))
    assert dataverse.get(CARDS).json()["value"] == []
    assert dataverse.told()["under_way"] == 1
    dataverse.disarm()
    assert len(dataverse.get(CARDS).json()["value"]) == 1


def test_faults_are_disarmed(dataverse: DataverseSession) -> None:
    dataverse.switch("faults", {"kind": "throttle", "count": 100})
    assert dataverse.delete(f"{dataverse.host}/sandbox/faults").status_code == 200
    assert dataverse.get("WhoAmI").status_code == 200


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "nothing"},
        {},
        {"kind": "slow", "speed": 1},
        {"kind": "drop", "every": 0},
        {"kind": "throttle", "limit": "patience"},
        {"kind": "drop", "then": ["nothing"]},
    ],
)
def test_a_fault_that_does_not_exist_is_refused(
    dataverse: DataverseSession, value: dict[str, Any]
) -> None:
    answer = dataverse.post(f"{dataverse.host}/sandbox/faults", json=value)
    assert answer.status_code == 400


def test_a_column_keeps_less_than_it_is_sent(dataverse: DataverseSession) -> None:
    cut = {"table": "msdyn_loyaltycard", "column": "msdyn_partynumber", "truncate": 3}
    cap = {
        "table": "msdyn_loyaltyrewardpoint",
        "column": "msdyn_maximumloyaltyrewardpoints",
        "round": -2,
    }
    dataverse.switch("columns", cut)
    dataverse.switch("columns", cap)
    url = f"{CARDS}(msdyn_cardnumber='C-1')"
    prefer = {"Prefer": "return=representation"}
    body = {"msdyn_partynumber": "123456"}
    assert dataverse.patch(url, json=body, headers=prefer).json()["msdyn_partynumber"] == "123"
    typed = {"@odata.type": "Microsoft.Dynamics.CRM.msdyn_loyaltycard", **body}
    dataverse.post(f"{CARDS}/Microsoft.Dynamics.CRM.CreateMultiple", json={"Targets": [typed]})
    rows = dataverse.get(f"{CARDS}?$select=msdyn_partynumber").json()["value"]
    assert [row["msdyn_partynumber"] for row in rows] == ["123", "123"]
    point = dataverse.post(
        POINTS, json={"msdyn_maximumloyaltyrewardpoints": 1234}, headers=prefer
    ).json()
    assert point["msdyn_maximumloyaltyrewardpoints"] == 1200
    dataverse.switch("reset", {"data": False})
    assert dataverse.patch(url, json=body, headers=prefer).json()["msdyn_partynumber"] == "123456"


def test_requests_are_counted_by_kind(dataverse: DataverseSession) -> None:
    dataverse.get(f"{CARDS}?$select=statecode")
    dataverse.get(f"{CARDS}?$select=statecode", headers={"Prefer": "odata.maxpagesize=1"})
    dataverse.patch(f"{CARDS}(msdyn_cardnumber='a/b')", json={})
    dataverse.post(f"{CARDS}/Microsoft.Dynamics.CRM.CreateMultiple", json={})
    dataverse.get(f"{CARDS}?$deltatoken=1")
    assert dataverse.counts() == {
        f"GET {CARDS}": 2,
        f"GET {CARDS}?$deltatoken": 1,
        f"PATCH {CARDS}()": 1,
        f"POST {CARDS}/Microsoft.Dynamics.CRM.CreateMultiple": 1,
    }


def test_decimals_lose_places_and_unknown_columns_are_refused(
    dataverse: DataverseSession,
) -> None:
    rate = {"table": "transactioncurrency", "column": "exchangerate", "round": 2}
    dataverse.switch("columns", rate)
    euro = "transactioncurrencies(isocurrencycode='EUR')"
    assert dataverse.patch(euro, json={"exchangerate": 1.2345}).status_code == 204
    assert b'"exchangerate":1.2300000000' in dataverse.get(euro).content
    for wrong in ({"table": "nothing"}, {"column": "nothing"}, {"round": "x"}):
        answer = dataverse.post(f"{dataverse.host}/sandbox/columns", json={**rate, **wrong})
        assert answer.status_code == 400
