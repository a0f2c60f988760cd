"""Writes of which a request fails as a whole: what each of its records is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from connector.endpoints.base import (
    Applied,
    Rejected,
    Transient,
)
from connector.endpoints.dataverse import DataverseEndpoint
from connector.errors import AccessError, MapError, UnreachableError
from tests.unit.endpoints.dataverse.batches import (
    BULK,
    create,
    no,
    ok,
    script_batch,
    shown,
    update,
)

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service


PRIVILEGE = "Principal user is missing prvWritepoint privilege"


def refused_connection() -> requests.ConnectionError:
    reason = NewConnectionError(None, "Connection refused")  # type: ignore[arg-type]
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


# ---------------------------------------------------------------------------- whole requests


def test_a_missing_privilege_stops_the_map(points: Service, endpoint: DataverseEndpoint) -> None:
    refusal = no(403, "0x80040220", PRIVILEGE)
    script_batch(points, refusal, refusal)
    with pytest.raises(AccessError, match="prvWritepoint"):
        endpoint.write("points", ["name"], [update(1), update(2)])


def test_a_privilege_missing_for_one_record_is_its_own_matter(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    script_batch(points, ok(1), no(403, "0x80040220", PRIVILEGE))
    outcomes = endpoint.write("points", ["name"], [update(1), update(2)])
    assert outcomes == [shown(1), Rejected("0x80040220", PRIVILEGE)]


def test_a_bulk_without_the_privilege_stops_the_map(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    points.error("POST", BULK, 403, "0x80040220", "is missing prvCreatepoint privilege")
    with pytest.raises(AccessError, match="prvCreatepoint"):
        endpoint.write("points", ["name"], [create(1)])


def test_a_batch_refused_as_a_whole_is_not_blamed_on_its_records(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    points.error("POST", "$batch", 400, "0x80048d19", "Stream was not readable")
    with pytest.raises(MapError) as caught:
        endpoint.write("points", ["name"], [update(1)])
    assert caught.value.code == "request-refused"


def test_without_a_connection_nothing_happened(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    points.on("POST", "$batch", body=refused_connection())
    with pytest.raises(UnreachableError):
        endpoint.write("points", ["name"], [update(1)])


def test_what_happened_before_the_connection_went_is_told(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    script_batch(points, ok(2))
    points.on("POST", BULK, body=refused_connection())
    outcomes = endpoint.write("points", ["name"], [create(1), update(2)])
    assert isinstance(outcomes[0], Transient)
    assert outcomes[1] == shown(2)


def test_what_happened_before_a_refusal_is_told(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    script_batch(points, ok(2))
    points.error("POST", BULK, 403, "0x80040220", "is missing prvCreatepoint privilege")
    outcomes = endpoint.write("points", ["name"], [create(1), create(3, name="\x00"), update(2)])
    assert [type(outcome) for outcome in outcomes] == [Transient, Rejected, Applied]


@pytest.mark.parametrize("column", ["nosuch", "secret"])
def test_columns_that_are_not_there_stop_the_map(
    points: Service, endpoint: DataverseEndpoint, column: str
) -> None:
    with pytest.raises(MapError):
        endpoint.write("points", [column], [update(1)])


def test_a_call_that_is_held_back_is_sent_later(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    points.on("POST", BULK, 429, headers={"Retry-After": "290"})
    endpoint.write("points", ["name"], [create(1)])
    assert endpoint.pace("points").pause == 290.0
    outcomes = endpoint.write("points", ["name"], [create(2), update(3)])
    held = Transient("held back by the service's limits", 290.0)
    assert outcomes == [held, held]
    assert len(points.calls("POST", "")) == 1
