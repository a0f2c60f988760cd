"""`$batch`: parts in order, change sets, references, the outer status."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"
ROOT = "/api/data/v9.2/"
JSON = {"Content-Type": "application/json"}
ON = "odata.continue-on-error"
AddCards = Callable[..., list[str]]


def send(
    dataverse: DataverseSession, *parts: RequestPart, prefer: str = ""
) -> tuple[int, list[ResponsePart]]:
    """Outer status and answers."""
    answer = dataverse.post(
        "$batch",
        data=encode_batch(parts, "batch_1"),
        headers={"Content-Type": 'multipart/mixed; boundary="batch_1"', "Prefer": prefer},
    )
    kind = answer.headers["Content-Type"]
    assert kind.startswith("multipart/mixed; boundary=batchresponse_"), answer.text
    return answer.status_code, parse_batch_responses(answer.content, kind)


def post(number: str, content_id: str | None = None) -> BatchRequest:
    body = f'{{"msdyn_cardnumber":"{number}"}}'.encode()
    return BatchRequest("POST", f"{ROOT}{CARDS}", JSON, body, content_id)


def statuses(answers: list[ResponsePart]) -> list[Any]:
    return [
        one.status if isinstance(one, BatchResponse) else [inner.status for inner in one.responses]
        for one in answers
    ]


def numbers(dataverse: DataverseSession) -> list[str]:
    rows = dataverse.get(f"{CARDS}?$select=msdyn_cardnumber").json()["value"]
    return sorted(row["msdyn_cardnumber"] for row in rows)


def test_parts_are_answered_in_order(dataverse: DataverseSession, add_cards: AddCards) -> None:
    (record,) = add_cards(["C-1"])
    outer, answers = send(
        dataverse,
        BatchRequest("GET", f"{ROOT}{CARDS}({record})?$select=msdyn_cardnumber"),
        BatchRequest("PATCH", f"{dataverse.api}/{CARDS}({record})", JSON, b'{"statecode":1}'),
        post("C-2"),
        BatchRequest("DELETE", f"{ROOT}{CARDS}({record})"),
        BatchRequest("GET", f"{CARDS}/$count"),
    )
    assert (outer, statuses(answers)) == (200, [200, 204, 204, 204, 200])
    created = answers[2]
    assert isinstance(created, BatchResponse)
    assert created.headers["location"] == created.headers["odata-entityid"]
    assert created.headers["odata-version"] == "4.0"
    assert numbers(dataverse) == ["C-2"]


def test_updates_with_preconditions_and_representation(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    ids = add_cards(["C-1", "C-2"])
    etag = dataverse.get(f"{CARDS}({ids[0]})").json()["@odata.etag"]
    outer, answers = send(
        dataverse,
        *(
            BatchRequest(
                "PATCH",
                f"{ROOT}{CARDS}({record})?$select=msdyn_partynumber",
                {**JSON, "If-Match": etag, "Prefer": "return=representation"},
                b'{"msdyn_partynumber":"P"}',
            )
            for record in (ids[0], ids[1], ids[0])
        ),
        prefer=ON,
    )
    assert (outer, statuses(answers)) == (200, [200, 412, 412])
    first = answers[0]
    assert isinstance(first, BatchResponse)
    assert first.headers["preference-applied"] == "return=representation"
    assert first.headers["etag"] != etag
    assert b'"msdyn_partynumber":"P"' in first.body


def test_the_first_failure_ends_the_batch_and_gives_its_status(
    dataverse: DataverseSession,
) -> None:
    outer, answers = send(dataverse, post("C-1"), post("c-1"), post("C-2"))
    assert (outer, statuses(answers)) == (412, [204, 412])
    failed = answers[1]
    assert isinstance(failed, BatchResponse)
    assert b'"code":"0x80060892"' in failed.body
    assert "req_id" in failed.headers
    assert numbers(dataverse) == ["C-1"]


def test_continue_on_error_names_every_bad_part(dataverse: DataverseSession) -> None:
    parts = [post("C-1"), post("c-1"), post("x" * 101), post("C-2")]
    outer, answers = send(dataverse, *parts, prefer=ON)
    assert (outer, statuses(answers)) == (200, [204, 412, 400, 204])
    assert numbers(dataverse) == ["C-1", "C-2"]


def test_a_change_set_is_all_or_nothing(dataverse: DataverseSession) -> None:
    outer, answers = send(
        dataverse,
        ChangeSet([post("C-1", "1"), post("C-2", "2")]),
        ChangeSet([post("C-3", "3"), post("c-1", "4"), post("C-5", "5")]),
        post("C-6"),
        prefer=ON,
    )
    assert (outer, statuses(answers)) == (200, [[204, 204], 412, 204])
    good = answers[0]
    assert isinstance(good, ChangeSetResponse)
    assert [one.content_id for one in good.responses] == ["1", "2"]
    assert numbers(dataverse) == ["C-1", "C-2", "C-6"]


def test_a_bulk_message_in_a_part_fails_alone(dataverse: DataverseSession) -> None:
    kind = "Microsoft.Dynamics.CRM.msdyn_loyaltycard"
    body = (
        f'{{"Targets":[{{"@odata.type":"{kind}","msdyn_cardnumber":"C-1"}},'
        f'{{"@odata.type":"{kind}","msdyn_cardnumber":"c-1"}}]}}'
    ).encode()
    url = f"{ROOT}{CARDS}/Microsoft.Dynamics.CRM.CreateMultiple"
    _, answers = send(dataverse, BatchRequest("POST", url, JSON, body), post("C-2"), prefer=ON)
    assert statuses(answers) == [412, 204]
    assert numbers(dataverse) == ["C-2"]


def test_content_ids_stand_for_what_was_created(dataverse: DataverseSession) -> None:
    currency = BatchRequest(
        "POST",
        f"{ROOT}transactioncurrencies",
        JSON,
        b'{"isocurrencycode":"PLN","currencyname":"Zloty"}',
        "1",
    )
    bind = b'{"msdyn_rewardpointid":"R","msdyn_RewardPointCurrency@odata.bind":"$1"}'
    point = BatchRequest("POST", f"{ROOT}{POINTS}", JSON, bind, "2")
    change = BatchRequest("PATCH", "$2", JSON, b'{"msdyn_redeemranking":7}', "3")
    clear = BatchRequest("DELETE", "$2/msdyn_RewardPointCurrency/$ref", {}, b"", "4")
    _, answers = send(dataverse, ChangeSet([currency, point, change]))
    assert statuses(answers) == [[204, 204, 204]]
    expand = "$expand=msdyn_RewardPointCurrency($select=isocurrencycode)"
    row = dataverse.get(f"{POINTS}(msdyn_rewardpointid='R')?{expand}").json()
    assert row["msdyn_redeemranking"] == 7
    assert row["msdyn_RewardPointCurrency"]["isocurrencycode"] == "PLN"
    outer, answers = send(dataverse, ChangeSet([clear]))
    assert outer == 400
    (refused,) = answers
    assert isinstance(refused, BatchResponse)
    assert b"Content-ID Reference: '$2' does not exist in the batch context." in refused.body


def test_line_feeds_alone_are_read(dataverse: DataverseSession) -> None:
    body = (
        "--b\nContent-Type: application/http\nContent-Transfer-Encoding: binary\n\n"
        f"POST {ROOT}{CARDS} HTTP/1.1\nContent-Type: application/json\n\n"
        '{"msdyn_cardnumber":"C-1"}\n--b--\n\n'
    )
    answer = dataverse.post(
        "$batch", data=body, headers={"Content-Type": "multipart/mixed;boundary=b"}
    )
    assert answer.status_code == 200
    assert numbers(dataverse) == ["C-1"]


def test_a_batch_that_cannot_be_read_is_refused_whole(dataverse: DataverseSession) -> None:
    kind = {"Content-Type": "multipart/mixed; boundary=b"}
    cut = dataverse.post("$batch", data=b"--b\r\n", headers=kind)
    assert (cut.status_code, cut.json()["error"]["code"]) == (400, "0x80048d19")
    unended = dataverse.post("$batch", data=b"--b--", headers=kind)
    assert "Stream was not readable" in unended.json()["error"]["message"]
    many = encode_batch([BatchRequest("GET", f"{ROOT}WhoAmI")] * 1001, "b")
    assert dataverse.post("$batch", data=many, headers=kind).status_code == 400


def test_parts_that_are_not_allowed(dataverse: DataverseSession) -> None:
    nested = BatchRequest("POST", f"{ROOT}$batch", {"Content-Type": "multipart/mixed;boundary=x"})
    reading = ChangeSet([BatchRequest("GET", f"{ROOT}WhoAmI")])
    outer, answers = send(dataverse, nested, reading, prefer=ON)
    assert (outer, statuses(answers)) == (200, [400, 400])
