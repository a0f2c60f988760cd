"""Batches: what the library loses of the answers, and what each operation is told here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pyodata.exceptions import HttpError
from pyodata.v2.service import ODataHttpResponse

from connector.endpoints.base import (
    Applied,
    Delete,
    Missing,
    Operation,
    Rejected,
    Row,
    Stale,
    Transient,
    Unknown,
    Update,
)
from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.endpoints.odata_v2.batches import parts_of
from tests.integration.odata_v2.service import Service
from tests.unit.endpoints.odata_v2.cards import alone, card, fill, notes, write

if TYPE_CHECKING:
    pass


# ---------------------------------------------------------------------------- batches


def mixed(rows: dict[str, Row]) -> list[Operation]:
    """Operations of which three are refused, each for a reason of its own."""
    return [
        Update(rows["K0"].id, rows["K0"].version, {"Note": "a"}),
        Update(rows["K1"].id, 'W/"0"', {"Note": "a"}),
        card("x" * 31),
        Delete(rows["K2"].id, rows["K2"].version),
        Update("CardNumber='nobody'", rows["K0"].version, {"Note": "a"}),
        card("new"),
    ]


KINDS = [Applied, Stale, Rejected, Applied, Missing, Applied]


def test_the_library_loses_all_answers_behind_a_failure(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    fill(endpoint, 1)
    client = alone(service)
    batch = client.create_batch()
    for note in ("first", "second"):
        changes = client.create_changeset()
        changes.add_request(client.entity_sets.Cards.create_entity().set(CardNumber=note))
        batch.add_request(changes)
    failing = client.create_changeset()
    failing.add_request(client.entity_sets.Cards.create_entity().set(CardNumber="K0"))
    batch.requests.insert(1, failing)
    with pytest.raises(HttpError):
        batch.execute()
    assert set(notes(service)) == {"K0", "first", "second"}


@pytest.mark.parametrize("manner", ["polite", "stops", "deaf", "singly"])
def test_each_operation_has_its_own_outcome(
    service: Service, endpoint: ODataV2Endpoint, manner: str
) -> None:
    rows = fill(endpoint, 3)
    service.manners.stops = manner in ("stops", "deaf")
    service.manners.deaf = manner == "deaf"
    service.manners.singly = manner == "singly"
    assert [type(one) for one in write(endpoint, *mixed(rows))] == KINDS
    assert notes(service) == {"K0": "a", "K1": "t", "new": None}


def test_a_failed_change_set_is_narrowed_by_tenths(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    creates = [card(f"N{number}") for number in range(99)]
    creates.insert(42, card("y" * 31))
    service.log.clear()
    outcomes = write(endpoint, *creates)
    assert [type(one) for one in outcomes].count(Applied) == 99
    assert isinstance(outcomes[42], Rejected)
    assert sum("$batch" in line for line in service.log) == 3


def test_a_service_of_one_operation_per_change_set_is_remembered(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    service.manners.singly = True
    fill(endpoint, 20)
    service.log.clear()
    write(endpoint, *(card(f"N{number}") for number in range(20)))
    assert sum("$batch" in line for line in service.log) == 1


@pytest.mark.parametrize("fault", ["empty", "html", "lost", "502", "504"])
def test_what_may_have_happened_is_unknown(
    service: Service, endpoint: ODataV2Endpoint, fault: str
) -> None:
    """The library raises a bare IndexError, ValueError or KeyError for some of these."""
    rows = fill(endpoint, 2)
    service.manners.faults = [fault]
    outcomes = write(endpoint, *(Update(r.id, r.version, {"Note": "x"}) for r in rows.values()))
    assert [type(one) for one in outcomes] == [Unknown, Unknown]


@pytest.mark.parametrize("fault", ["500", "503"])
def test_what_surely_did_not_happen_may_be_sent_again(
    service: Service, endpoint: ODataV2Endpoint, fault: str
) -> None:
    rows = fill(endpoint, 1)
    service.manners.faults = [fault] * 3
    (outcome,) = write(endpoint, Update(rows["K0"].id, rows["K0"].version, {"Note": "x"}))
    assert isinstance(outcome, Transient)
    assert notes(service) == {"K0": "t"}


def test_the_library_cuts_texts_of_many_bytes_and_parts_are_read_here(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    note = "日" * 200
    body = json.dumps({"d": {"Note": note}}, ensure_ascii=False)
    text = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n{body}"
    with pytest.raises(UnicodeDecodeError):
        ODataHttpResponse.from_string(text).json()
    (outcome,) = write(endpoint, card("K0", Note=note))
    assert isinstance(outcome, Applied)
    assert outcome.row is not None
    assert outcome.row.image == ("K0", note)


def test_an_empty_answer_to_a_batch_is_no_success(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    client = alone(service)
    batch, changes = client.create_batch(), client.create_changeset()
    changes.add_request(client.entity_sets.Cards.create_entity().set(CardNumber="one"))
    batch.add_request(changes)
    service.manners.faults = ["empty"]
    assert batch.execute() == []  # nothing is said, and nothing is raised
    row = fill(endpoint, 2)["K1"]
    service.manners.faults = ["empty"]
    (outcome,) = write(endpoint, Update(row.id, row.version, {"Note": "x"}))
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize(
    ("body", "type"),
    [
        (b"garbage", "multipart/mixed; boundary=x"),
        (b"--x--", "multipart/mixed; boundary=x"),
        (b"--x\r\n\r\n--x--", "multipart/mixed; boundary=x"),
        (
            b"--x\r\nContent-Type: application/http\r\n\r\nno http\r\n--x--",
            "multipart/mixed; boundary=x",
        ),
        (b"--y\r\n\r\n--y--", "multipart/mixed; boundary=x"),
        (b"--x\r\n\r\n--x--", "multipart/mixed"),
        (b"\xff\xfe", "multipart/mixed; boundary=x"),
        (b"{}", "application/json"),
        (b"", ""),
    ],
)
def test_a_malformed_answer_to_a_batch_is_one_clear_error(body: bytes, type: str) -> None:
    """Alone it raises AttributeError, IndexError, KeyError, UnicodeDecodeError, as it happens."""
    with pytest.raises(ValueError, match=r"\w"):
        parts_of(body, type)
