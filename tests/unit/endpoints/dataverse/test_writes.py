"""Creates, updates and deletes: requests byte for byte where it matters, outcomes one by one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import requests

from connector.endpoints.base import (
    Applied,
    Delete,
    Exists,
    Missing,
    Outcome,
    Rejected,
    Stale,
    Throttling,
    Transient,
    Unknown,
    Update,
)
from connector.endpoints.dataverse import DataverseEndpoint
from connector.odata.batch import BatchResponse, encode_batch_responses
from tests.unit.endpoints.dataverse.batches import (
    BULK,
    _body,
    create,
    id_of,
    no,
    ok,
    script_batch,
    sent_batch,
    shown,
    update,
)

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service


API = "https://org.example/api/data/v9.2/"


# ---------------------------------------------------------------------------- creates


def test_creates_go_in_one_request_under_our_ids(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    points.on("POST", BULK, body={"Ids": [id_of(1).upper(), id_of(2)]})
    outcomes = endpoint.write("points", ["name"], [create(1), create(2, name="Ä", rank=3)])
    assert outcomes == [Applied(id_of(1)), Applied(id_of(2))]
    (request,) = points.calls("POST", "")
    kind = "Microsoft.Dynamics.CRM.point"
    assert json.loads(_body(request)) == {
        "Targets": [
            {"@odata.type": kind, "pointid": id_of(1), "name": "P1"},
            {"@odata.type": kind, "pointid": id_of(2), "name": "Ä", "rank": 3},
        ]
    }


def test_a_refused_bulk_is_sent_once_more_one_by_one(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    points.error("POST", BULK, 412, "0x80060892", "Entity Key pk violated.")
    script_batch(
        points,
        BatchResponse(204),
        no(412, "0x80060892", f"Entity Key pk violated. <Id>{id_of(50)}</Id>"),
        no(412, "0x80040237", "Cannot insert duplicate key."),
        no(400, "0x80044331", "The length of the 'name' attribute exceeded 30"),
    )
    outcomes = endpoint.write("points", ["name"], [create(number) for number in range(4)])
    assert outcomes == [
        Applied(id_of(0)),
        Exists(id_of(50), f"Entity Key pk violated. <Id>{id_of(50)}</Id>"),
        Exists(id_of(2), "Cannot insert duplicate key."),
        Rejected("0x80044331", "The length of the 'name' attribute exceeded 30", "name"),
    ]
    parts = sent_batch(points)
    assert [part.method for part in parts] == ["POST"] * 4
    assert parts[0].url == "/api/data/v9.2/points"
    assert json.loads(parts[0].body)["pointid"] == id_of(0)


@pytest.mark.parametrize("error", [requests.ReadTimeout("slow"), requests.ConnectionError("reset")])
def test_a_lost_reply_is_unknown_and_not_repeated(
    points: Service, endpoint: DataverseEndpoint, error: Exception
) -> None:
    points.on("POST", BULK, body=error)
    outcomes = endpoint.write("points", ["name"], [create(1), create(2)])
    assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown]
    assert len(points.calls("POST", "")) == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "0x80072322", Transient),
        (503, "0x8004a001", Transient),
        (500, "", Transient),
        (400, "0x80044150", Transient),
        (502, "", Unknown),
        (504, "", Unknown),
    ],
)
def test_faults_of_the_whole_bulk(
    points: Service, endpoint: DataverseEndpoint, status: int, code: str, kind: type[Outcome]
) -> None:
    points.error("POST", BULK, status, code)
    outcomes = endpoint.write("points", ["name"], [create(1)])
    assert [type(outcome) for outcome in outcomes] == [kind]
    assert points.calls("POST", "$batch") == []


def test_a_long_retry_after_reaches_the_engine(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    points.on("POST", BULK, 429, headers={"Retry-After": "250"})
    (outcome,) = endpoint.write("points", ["name"], [create(1)])
    assert isinstance(outcome, Transient)
    assert outcome.retry_after == 250


@pytest.mark.parametrize("body", [{}, {"Ids": [id_of(1)]}, "cut off {"])
def test_a_bulk_answer_without_its_ids_is_unknown(
    points: Service, endpoint: DataverseEndpoint, body: object
) -> None:
    points.on("POST", BULK, body=body)
    outcomes = endpoint.write("points", ["name"], [create(1), create(2)])
    assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown]


@pytest.mark.parametrize("text", ["a\x00b", "\x1f", "\ud800"])
def test_text_the_service_chokes_on_is_refused_here(
    points: Service, endpoint: DataverseEndpoint, text: str
) -> None:
    points.on("POST", BULK, body={"Ids": [id_of(2)]})
    script_batch(points, ok(4))
    outcomes = endpoint.write(
        "points",
        ["name"],
        [create(1, name=text), create(2, name='quote " is fine'), update(3, name=text), update(4)],
    )
    assert (outcomes[1], outcomes[3]) == (Applied(id_of(2)), shown(4))
    for outcome in (outcomes[0], outcomes[2]):
        assert isinstance(outcome, Rejected)
        assert (outcome.code, outcome.field) == ("text-control-character", "name")
    assert len(sent_batch(points)) == 1


def test_when_nothing_can_be_sent_nothing_is(points: Service, endpoint: DataverseEndpoint) -> None:
    (outcome,) = endpoint.write("points", ["name"], [create(1, name="\x00")])
    assert isinstance(outcome, Rejected)
    assert endpoint.write("points", ["name"], []) == []
    assert points.calls("POST", "") == []


# ---------------------------------------------------------------------------- updates, deletes


def test_updates_and_deletes_carry_their_version(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    script_batch(points, ok(1), BatchResponse(204), ok(3, 9))
    outcomes = endpoint.write(
        "points",
        ["name"],
        [update(1, rank=None, name="P1"), Delete(id_of(2), "17"), update(3, None)],
    )
    assert outcomes == [shown(1), Applied(id_of(2)), shown(3, 9)]
    first, second, third = sent_batch(points)
    assert (first.method, second.method, third.method) == ("PATCH", "DELETE", "PATCH")
    assert first.url == (
        f"/api/data/v9.2/points({id_of(1)})?$select=pointid,modifiedon,_modifiedby_value,name"
    )
    assert first.headers["if-match"] == 'W/"7"'
    assert first.headers["prefer"] == "return=representation"
    assert json.loads(first.body) == {"rank": None, "name": "P1"}
    assert second.url == f"/api/data/v9.2/points({id_of(2)})"
    assert (second.headers["if-match"], second.body) == ('W/"17"', b"")
    assert third.headers["if-match"] == "*"


def test_each_refusal_touches_its_own_record_only(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    script_batch(
        points,
        no(412, "0x80060882"),
        ok(2),
        no(404, "0x80040217", f"point With Id = {id_of(3)} Does Not Exist"),
        no(429, "0x80072326", **{"Retry-After": "4"}),
        no(400, "0x80040265", "plug-in"),
        no(412, "0x80060882"),
    )
    updates = [update(number) for number in range(1, 6)]
    outcomes = endpoint.write("points", ["name"], [*updates, Delete(id_of(6), "1")])
    assert outcomes == [
        Stale(),
        shown(2),
        Missing(),
        Transient("HTTP 429 0x80072326 x", 4),
        Rejected("0x80040265", "plug-in"),
        Stale(),
    ]
    assert [type(outcome) for outcome in outcomes[:3]] == [Stale, Applied, Missing]


def test_throttling_inside_a_batch_is_counted(points: Service, endpoint: DataverseEndpoint) -> None:
    later = {"Retry-After": "4"}
    script_batch(
        points,
        no(429, "0x80072326", **later),
        no(503, "0x8004a001", **later),
        no(503, "0x8004a001"),
        ok(4),
        no(412, "0x80060882"),
    )
    endpoint.write("points", ["name"], [update(number) for number in range(1, 6)])
    assert endpoint.throttling() == Throttling(2, 0.0)


def test_a_date_to_come_back_is_measured_by_the_answer_around_it(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    part = no(429, "0x80072326", **{"Retry-After": "Wed, 21 Oct 2026 07:28:33 GMT"})
    kind, body = encode_batch_responses([part], "batchresponse_1")
    sent = {"Date": "Wed, 21 Oct 2026 07:28:00 GMT"}
    points.on("POST", "$batch", body=body, content_type=kind, headers=sent)
    (outcome,) = endpoint.write("points", ["name"], [update(1)])
    assert isinstance(outcome, Transient)
    assert outcome.retry_after == 33.0


def test_the_batch_size_is_what_the_settings_say(points: Service) -> None:
    small = DataverseEndpoint(
        "https://org.example",
        tokens=points,
        ca=None,
        patience=points.patience,
        clock=points.clock,
        batch_size=50,
    )
    assert small.describe("points").capabilities.batch == 50
    small.close()


def test_mixed_operations_keep_their_order(points: Service, endpoint: DataverseEndpoint) -> None:
    points.on("POST", BULK, body={"Ids": [id_of(2), id_of(4)]})
    script_batch(points, ok(1), BatchResponse(204))
    outcomes = endpoint.write(
        "points", ["name"], [update(1), create(2), Delete(id_of(3), "1"), create(4)]
    )
    assert outcomes == [shown(1), Applied(id_of(2)), Applied(id_of(3)), Applied(id_of(4))]
    # A key that the delete sets free can be taken by a create of the same call.
    assert [call.url for call in points.calls("POST", "")] == [f"{API}$batch", f"{API}{BULK}"]


def test_an_update_without_a_representation_is_applied(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    script_batch(points, BatchResponse(204))
    assert endpoint.write("points", ["name"], [update(1)]) == [Applied(id_of(1))]


def test_an_id_that_is_none_is_missing(points: Service, endpoint: DataverseEndpoint) -> None:
    outcomes = endpoint.write("points", ["name"], [Update("x)", "1", {"name": "a"})])
    assert [type(outcome) for outcome in outcomes] == [Missing]
    assert points.calls("POST", "") == []


def test_an_answer_cut_off_is_unknown_for_all(points: Service, endpoint: DataverseEndpoint) -> None:
    script_batch(points, ok(1), ok(2), cut=-30)
    outcomes = endpoint.write("points", ["name"], [update(1), update(2)])
    assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown]


def test_requests_that_were_not_answered_are_unknown(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    script_batch(points, ok(1))
    outcomes = endpoint.write("points", ["name"], [update(1), update(2)])
    assert outcomes[0] == shown(1)
    assert isinstance(outcomes[1], Unknown)


def test_an_unreadable_representation_is_unknown(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    script_batch(points, BatchResponse(200, {}, b"{"))
    (outcome,) = endpoint.write("points", ["name"], [update(1)])
    assert isinstance(outcome, Unknown)
