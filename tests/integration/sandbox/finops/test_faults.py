"""What the switches make of answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.integration.sandbox.finops.conftest import CARDS, Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession


def count(finops: FinopsSession) -> str:
    return str(finops.get(f"{CARDS}/$count").text)


@pytest.mark.parametrize(
    ("fault", "status", "header"),
    [
        ({"kind": "throttle", "retry_after": 7}, 429, "7"),
        ({"kind": "throttle"}, 429, "1"),
        ({"kind": "throttle", "header": False}, 429, None),
        ({"kind": "unavailable"}, 503, None),
        ({"kind": "forbidden"}, 403, None),
        ({"kind": "unauthorized"}, 401, None),
        ({"kind": "error-page"}, 500, None),
        ({"kind": "html"}, 200, None),
        ({"kind": "empty"}, 200, None),
    ],
)
def test_refusals_do_nothing_and_go_by(
    finops: FinopsSession, fault: dict[str, Any], status: int, header: str | None
) -> None:
    finops.switch("faults", fault)
    met = finops.post(CARDS, json={"CardNumber": "1"})
    assert (met.status_code, met.headers.get("Retry-After")) == (status, header)
    assert count(finops) == "0"
    assert finops.post(CARDS, json={"CardNumber": "1"}).status_code == 201


def test_throttling_is_for_lack_of_resources(finops: FinopsSession) -> None:
    finops.switch("faults", {"kind": "throttle"})
    text = finops.get(CARDS).json()["error"]["innererror"]["message"]
    assert text.endswith("due to system experiencing high resource utilization.")


def test_html_and_nothing_in_place_of_json(finops: FinopsSession) -> None:
    for kind, begins in (("html", "<!DOCTYPE"), ("error-page", "<!DOCTYPE"), ("empty", "")):
        finops.switch("faults", {"kind": kind})
        assert finops.get(CARDS).text[:9] == begins


@pytest.mark.parametrize(("kind", "rows"), [("drop", "0"), ("lost-reply", "1"), ("cut", "1")])
def test_a_lost_answer_may_have_happened(finops: FinopsSession, kind: str, rows: str) -> None:
    finops.switch("faults", {"kind": kind, "method": "POST", "path": CARDS})
    with pytest.raises(requests.RequestException):
        finops.post(CARDS, json={"CardNumber": "1"})
    assert count(finops) == rows


def test_a_slow_answer(finops: FinopsSession) -> None:
    finops.switch("faults", {"kind": "slow", "seconds": 0.3})
    began = time.monotonic()
    assert finops.get(CARDS).status_code == 200
    assert time.monotonic() - began >= 0.3


def test_slow_requests_go_on_when_the_faults_are_disarmed(finops: FinopsSession) -> None:
    finops.switch("faults", {"kind": "slow", "seconds": 600, "method": "POST"})
    with pytest.raises(requests.ReadTimeout):
        finops.post(CARDS, json={"CardNumber": "1"}, timeout=(30, 0.3))
    assert (count(finops), finops.told()["under_way"]) == ("0", 1)
    finops.disarm()
    assert count(finops) == "1"


def test_faults_fit_by_method_and_path(finops: FinopsSession) -> None:
    finops.switch("faults", {"kind": "unavailable", "method": "GET", "path": "Currencies"})
    assert finops.get(CARDS).status_code == 200
    assert finops.get("Currencies").status_code == 503


def test_rules_refuse_single_rows(finops: FinopsSession, add: Add) -> None:
    add("550-1", "551")
    finops.switch("rules", {"entity": CARDS, "key": "550*", "text": "The card is blocked."})
    body = {"CardTenderType": "Blocked"}
    assert finops.patch(f"{CARDS}('551')", json=body).status_code == 204
    refused = finops.patch(f"{CARDS}('550-1')", json=body)
    assert refused.status_code == 400
    text = refused.json()["error"]["innererror"]["message"]
    assert text.endswith("Infolog: Error: The card is blocked..")
    assert finops.patch(f"{CARDS}('550-1')", json=body).status_code == 204


def test_a_rule_without_a_text_is_an_update_conflict(finops: FinopsSession, add: Add) -> None:
    add("1")
    finops.switch("rules", {"entity": CARDS, "method": "DELETE"})
    assert finops.patch(f"{CARDS}('1')", json={}).status_code == 204
    refused = finops.delete(f"{CARDS}('1')")
    assert (refused.status_code, "An update conflict occurred due to" in refused.text) == (
        400,
        True,
    )


def test_requests_and_faults_are_counted(finops: FinopsSession) -> None:
    finops.switch("faults", {"kind": "unavailable"})
    finops.get(f"{CARDS}('1')")
    finops.post("$batch")
    counts = finops.get(f"{finops.host}/sandbox/requests").json()
    assert counts["kinds"] == {f"GET {CARDS}()": 1, "POST $batch": 1}
    assert counts["faults"] == {"unavailable": 1}
    assert counts["under_way"] == 0


@pytest.mark.parametrize(
    ("switch", "body"),
    [
        ("faults", {"kind": "nothing"}),
        ("rules", {"entity": "Nothing"}),
        ("rules", {"entity": CARDS, "unknown": 1}),
        ("references", {}),
        ("metadata", {}),
        ("users", {"user": "agent", "company": "xx"}),
        ("projects", {"name": "x", "entities": ["Nothing"]}),
        ("tracking", {"entity": CARDS, "mode": "x"}),
        ("runs", {"count": 1, "outcome": "x"}),
        ("runs", {"outcome": "Failed"}),
        ("listeners", {"url": "https://example.com", "entities": [CARDS]}),
        ("events", {"lose": -1}),
    ],
)
def test_a_switch_says_what_it_cannot_read(
    finops: FinopsSession, switch: str, body: dict[str, Any]
) -> None:
    answer = finops.post(f"{finops.host}/sandbox/{switch}", json=body)
    assert (answer.status_code, answer.text != "") == (400, True)


def test_a_reset_disarms_all_and_can_keep_the_rows(finops: FinopsSession, add: Add) -> None:
    add("1")
    finops.switch("paging", {"size": 1})
    finops.switch("faults", {"kind": "unavailable", "count": 9})
    finops.switch("reset", {"data": False})
    assert count(finops) == "1"
    finops.switch("reset")
    assert count(finops) == "0"
    assert finops.get("Currencies('USD')").status_code == 200


def test_samples_are_cards_to_look_at(finops: FinopsSession) -> None:
    finops.switch("samples", {"cards": 5})
    assert count(finops) == "5"
    assert finops.get("RetailLoyaltyRewardPoints/$count").text == "2"


@pytest.mark.parametrize(
    ("switch", "body", "says"),
    [
        ("samples", b"[]", "a JSON object"),
        ("faults", b"5", "a JSON object"),
        ("clock", b"{", "unexpected end"),
        ("users", b"{}", "'user' is not given"),
        ("users", b'{"user": "connector", "company": "xx"}', "'xx' is not given, or there is none"),
        ("reset", b'{"date": false}', "no date here, but data"),
        ("samples", b'{"card": 5}', "no card here, but cards"),
        ("paging", b'{"size": 0}', "from 1 to"),
    ],
)
def test_a_switch_that_cannot_be_read_says_why(
    finops: FinopsSession, switch: str, body: bytes, says: str
) -> None:
    answer = finops.post(f"{finops.host}/sandbox/{switch}", data=body)
    assert answer.status_code == 400
    assert says in answer.text


def test_samples_that_are_there_already_are_told(finops: FinopsSession) -> None:
    finops.switch("samples", {"cards": 1})
    answer = finops.post(f"{finops.host}/sandbox/samples", json={"cards": 1})
    assert (answer.status_code, "already exists" in answer.text) == (400, True)
