"""Data events and business events."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from connector.odata.batch import BatchRequest, ChangeSet, encode_batch
from tests.integration.sandbox.finops.conftest import CARDS, GROUPS, Add
from tests.integration.sandbox.receiver import Receiver, receiving

if TYPE_CHECKING:
    from tests.conftest import FinopsSession


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def listen(finops: FinopsSession, receiver: Receiver) -> Iterator[Callable[..., None]]:
    """Registers the receiver; ends it with the test, so that nothing is sent to a closed port."""

    def register(sort: str = "data", **more: Any) -> None:
        value = {"url": receiver.url, "sort": sort, "entities": [CARDS], **more}
        finops.switch("listeners", value)

    finops.switch("events", {"retry_seconds": 0.02})
    yield register
    finops.delete(f"{finops.host}/sandbox/listeners")


def attributes(context: dict[str, Any], name: str) -> dict[str, Any]:
    parameters = {one["key"]: one["value"] for one in context["InputParameters"]}
    return {one["key"]: one["value"] for one in parameters[name]["Attributes"]}


def settled(finops: FinopsSession) -> Callable[[], bool]:
    def nothing_waits() -> bool:
        counts = finops.get(f"{finops.host}/sandbox/events").json()
        return bool(counts["waiting"] == 0)

    return nothing_waits


def test_each_write_is_a_data_event(
    finops: FinopsSession, add: Add, receiver: Receiver, listen: Callable[..., None]
) -> None:
    listen()
    add(
        "55001",
        CardTenderType="Blocked",
        LoyaltyEnrollmentDate="2026-01-02T12:00:00Z",
        LoyaltyEnrollmentDateLocal="1900-01-01T12:00:00Z",
    )
    created = receiver.wait(1)[0]
    finops.patch(f"{CARDS}('55001')", json={"CardTenderType": "NoTender"})
    updated = receiver.wait(2)[1].context
    finops.delete(f"{CARDS}('55001')")
    deleted = receiver.wait(3)[2].context
    assert created.headers["x-ms-dynamics-request-name"] == "Create"
    context = created.context
    assert context["PrimaryEntityName"] == "mserp_retailloyaltycardentity"
    values = attributes(context, "Target")
    assert values["mserp_cardnumber"] == "55001"
    assert values["mserp_cardtendertype"]["Value"] == 200_000_003
    assert values["mserp_loyaltyenrollmentdate"] == "/Date(1767355200000)/"
    assert "mserp_loyaltyenrollmentdatelocal" not in values
    assert attributes(updated, "PreImage")["mserp_cardtendertype"]["Value"] == 200_000_003
    assert attributes(updated, "Target")["mserp_cardtendertype"]["Value"] == 200_000_002
    assert attributes(deleted, "PreImage")["mserp_cardnumber"] == "55001"
    ids = {one["PrimaryEntityId"] for one in (context, updated, deleted)}
    assert len(ids) == 1
    assert re.fullmatch(r"[0-9a-f]{8}-0000-0000-[0-9a-f]{4}-[0-9a-f]{12}", ids.pop())


def test_a_business_event_tells_the_key(
    finops: FinopsSession, add: Add, receiver: Receiver, listen: Callable[..., None]
) -> None:
    listen("business")
    test = receiver.wait(1)[0].context
    assert test["BusinessEventId"] == "BusinessEventsTestEndpoint"
    add("55001")
    finops.delete(f"{CARDS}('55001')")
    made, gone = sorted(
        (one.context for one in receiver.wait(3)[1:]), key=lambda one: int(one["ControlNumber"])
    )
    assert made["BusinessEventId"] == "RetailLoyaltyCardCreatedBusinessEvent"
    assert gone["BusinessEventId"] == "RetailLoyaltyCardDeletedBusinessEvent"
    assert (made["CardNumber"], gone["CardNumber"]) == ("55001", "55001")
    assert "CardTenderType" not in made
    assert made["EventId"] != gone["EventId"]
    assert re.fullmatch(r"[\dT:-]{19}\.\d{7}Z", made["EventTimeIso8601"])
    assert re.fullmatch(r"/Date\(\d{13}\)/", made["EventTime"])


def test_only_what_is_committed_is_told(
    finops: FinopsSession, receiver: Receiver, listen: Callable[..., None]
) -> None:
    listen()
    kind = {"content-type": "application/json"}

    def post(number: str) -> BatchRequest:
        return BatchRequest("POST", CARDS, kind, json.dumps({"CardNumber": number}).encode())

    body = encode_batch([ChangeSet([post("1")]), ChangeSet([post("2"), post("2")])], "b")
    headers = {"Content-Type": "multipart/mixed; boundary=b"}
    assert finops.post("$batch", data=body, headers=headers).status_code == 200
    finops.post(CARDS, json={"CardNumber": "1"})
    receiver.nothing_more(1, settled(finops))
    assert attributes(receiver.wait(1)[0].context, "Target")["mserp_cardnumber"] == "1"


def test_a_listener_hears_of_what_it_asked_for(
    finops: FinopsSession, add: Add, receiver: Receiver, listen: Callable[..., None]
) -> None:
    listen(entities=[CARDS, GROUPS], messages=["Create"], companies=["usmf"])
    add("1")
    finops.patch(f"{CARDS}('1')", json={"CardTenderType": "Blocked"})
    for company in ("usmf", "usrt"):
        finops.post(GROUPS, json={"dataAreaId": company, "CustomerGroupId": "9"})
    finops.post("CDSParties", json={"Name": "x"})
    receiver.nothing_more(2, settled(finops))
    assert {one.context["PrimaryEntityName"] for one in receiver.wait(2)} == {
        "mserp_retailloyaltycardentity",
        "mserp_custcustomergroupentity",
    }


def test_three_retries_then_the_log_and_again_by_hand(
    finops: FinopsSession, add: Add, receiver: Receiver, listen: Callable[..., None]
) -> None:
    listen("business", headers={"x-key": "k"})
    receiver.wait(1)
    receiver.answers = [500, 404, 503, 500]
    add("1")
    tries = receiver.wait(5)[1:]
    receiver.nothing_more(5, settled(finops))
    assert len({one.context["EventId"] for one in tries}) == 1
    assert {one.headers["x-key"] for one in tries} == {"k"}
    counts = finops.get(f"{finops.host}/sandbox/events").json()
    assert (counts["failed"], counts["retried"], counts["delivered"]) == (1, 3, 1)
    finops.switch("events", {"resend": True})
    assert receiver.wait(6)[5].context == tries[0].context


def test_events_come_twice_late_or_not_at_all(
    finops: FinopsSession, add: Add, receiver: Receiver, listen: Callable[..., None]
) -> None:
    listen()
    finops.switch("events", {"twice": 2, "lose": 3, "late": 1, "seconds": 0.1})
    add("1", "2", "3")
    receiver.nothing_more(3, settled(finops))
    told = [attributes(one.context, "Target")["mserp_cardnumber"] for one in receiver.wait(3)]
    assert sorted(told) == ["1", "2", "2"]
    counts = finops.get(f"{finops.host}/sandbox/events").json()
    assert (counts["delivered"], counts["lost"]) == (3, 1)
