"""`$batch`: change sets, references, failures, the bound."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from connector.odata.batch import (
    BatchRequest,
    BatchResponse,
    ChangeSet,
    ChangeSetResponse,
    RequestPart,
    ResponsePart,
    encode_batch,
    parse_batch_responses,
)
from tests.integration.sandbox.finops.conftest import CARDS, Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

JSON = {"content-type": "application/json"}


def post(number: str, content_id: str | None = None, **columns: Any) -> BatchRequest:
    body = json.dumps({"CardNumber": number, **columns}).encode()
    return BatchRequest("POST", CARDS, JSON, body, content_id)


def send(finops: FinopsSession, parts: Sequence[RequestPart], **headers: str) -> list[ResponsePart]:
    answer = finops.post(
        "$batch",
        data=encode_batch(parts, "batch_1"),
        headers={"Content-Type": "multipart/mixed; boundary=batch_1", **headers},
    )
    assert answer.status_code == 200, answer.text
    return parse_batch_responses(answer.content, answer.headers["Content-Type"])


def single(part: ResponsePart) -> BatchResponse:
    assert isinstance(part, BatchResponse)
    return part


def changes(part: ResponsePart) -> list[BatchResponse]:
    assert isinstance(part, ChangeSetResponse)
    return list(part.responses)


def numbers(finops: FinopsSession) -> list[str]:
    return [one["CardNumber"] for one in finops.get(CARDS).json()["value"]]


def test_a_change_set_answers_each_part_with_its_id(finops: FinopsSession) -> None:
    (answer,) = send(finops, [ChangeSet([post("1", "7"), post("2", "8")])])
    made = changes(answer)
    assert [(one.status, one.content_id) for one in made] == [(201, "7"), (201, "8")]
    assert json.loads(made[1].body)["CardNumber"] == "2"
    assert made[0].headers["location"].endswith("(CardNumber='1')")


def test_a_failed_change_set_is_undone_and_answered_by_one_error(finops: FinopsSession) -> None:
    parts = [ChangeSet([post("1", "1"), post("1", "2"), post("3", "3")])]
    (answer,) = send(finops, parts)
    (error,) = changes(answer)
    assert (error.status, error.content_id) == (500, "2")
    inner = json.loads(error.body)["error"]["innererror"]
    assert "The record already exists.." in inner["message"]
    assert numbers(finops) == []


def test_refusals_that_are_no_infolog_keep_their_status(finops: FinopsSession, add: Add) -> None:
    (card,) = add("1")
    finops.patch(f"{CARDS}('1')", json={})
    stale = BatchRequest(
        "PATCH", f"{CARDS}('1')", {**JSON, "If-Match": card["@odata.etag"]}, b"{}", "1"
    )
    missing = BatchRequest("DELETE", f"{CARDS}('9')", {}, b"", "2")
    broken = BatchRequest("POST", CARDS, JSON, b'{"Nothing": 1}', "3")
    statuses = [
        changes(part)[0].status
        for part in send(
            finops,
            [ChangeSet([one]) for one in (stale, missing, broken)],
            Prefer="odata.continue-on-error",
        )
    ]
    assert statuses == [412, 404, 400]


def test_a_batch_stops_behind_a_failure_unless_it_asks_to_go_on(finops: FinopsSession) -> None:
    parts: list[RequestPart] = [ChangeSet([post("1"), post("1")]), ChangeSet([post("2")])]
    assert len(send(finops, parts)) == 1
    assert numbers(finops) == []
    answers = send(finops, parts, Prefer="odata.continue-on-error")
    assert [[one.status for one in changes(part)] for part in answers] == [[500], [201]]
    assert numbers(finops) == ["2"]


def test_single_requests_and_reads(finops: FinopsSession, add: Add) -> None:
    add("1")
    read = BatchRequest("GET", f"{finops.host}/data/{CARDS}('1')?$select=CardNumber")
    answers = [single(one) for one in send(finops, [read, post("2"), read])]
    assert [one.status for one in answers] == [200, 201, 200]
    assert json.loads(answers[2].body)["CardNumber"] == "1"
    inside = send(finops, [ChangeSet([read])])
    assert changes(inside[0])[0].status == 400


def test_later_parts_can_name_what_earlier_ones_made(finops: FinopsSession) -> None:
    change = BatchRequest("PATCH", "$1", JSON, b'{"CardTenderType": "Blocked"}', "2")
    send(finops, [ChangeSet([post("O'B1", "1"), change])])
    row = finops.get(CARDS).json()["value"][0]
    assert (row["CardNumber"], row["CardTenderType"]) == ("O'B1", "Blocked")
    nobody = BatchRequest("PATCH", "$9", JSON, b"{}", "1")
    assert changes(send(finops, [ChangeSet([nobody])])[0])[0].status == 400


def test_at_most_5000_operations(finops: FinopsSession) -> None:
    read = BatchRequest("GET", "Currencies('USD')")
    answer = finops.post(
        "$batch",
        data=encode_batch([read] * 5001, "b"),
        headers={"Content-Type": "multipart/mixed; boundary=b"},
    )
    assert (answer.status_code, "at most 5000" in answer.text) == (400, True)
    assert len(send(finops, [read] * 5000)) == 5000


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/mixed; boundary=b"),
        (b"--b\r\n", "multipart/mixed; boundary=b"),
        (b"--b\r\nContent-Type: application/http\r\n\r\nGET x\r\n--b--\r\n", "application/json"),
        (b"--b\r\n\r\nnonsense\r\n--b--\r\n", "multipart/mixed; boundary=b"),
    ],
)
def test_a_batch_that_cannot_be_read_is_a_400(
    finops: FinopsSession, body: bytes, kind: str
) -> None:
    answer = finops.post("$batch", data=body, headers={"Content-Type": kind})
    assert answer.status_code == 400


def test_a_batch_inside_a_batch_is_refused(finops: FinopsSession) -> None:
    assert single(send(finops, [BatchRequest("POST", "$batch", JSON, b"{}")])[0]).status == 400
