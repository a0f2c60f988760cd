"""The official Python client meets service protection and other faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARD = "msdyn_loyaltycard"


def refused(client: DataverseClient) -> HttpError:
    with pytest.raises(HttpError) as caught:
        client.records.list(CARD, select=["msdyn_cardnumber"], top=1)
    return caught.value


def test_too_many_requests(client: DataverseClient, dataverse: DataverseSession) -> None:
    client.records.list(CARD, top=1)  # the client learns the table's names
    dataverse.switch("limits", {"profile": "real", "requests": 2, "window": 60, "latency_ms": 0})
    client.records.list(CARD, top=1)
    client.records.list(CARD, top=1)
    error = refused(client)
    assert (error.status_code, error.subcode, error.is_transient) == (429, "http_429", True)
    assert error.details["service_error_code"] == "0x80072322"
    assert 1 <= error.details["retry_after"] <= 60


def test_too_much_execution_time(client: DataverseClient, dataverse: DataverseSession) -> None:
    client.records.list(CARD, top=1)
    dataverse.switch(
        "limits", {"profile": "real", "seconds": 0.01, "window": 60, "latency_ms": 20, "row_ms": 0}
    )
    client.records.list(CARD, top=1)
    error = refused(client)
    assert error.details["service_error_code"] == "0x80072321"
    assert error.details["retry_after"] >= 1


def test_too_many_at_a_time(client: DataverseClient, dataverse: DataverseSession) -> None:
    client.records.list(CARD, top=1)
    dataverse.switch("faults", {"kind": "throttle", "limit": "concurrent", "retry_after": 3})
    error = refused(client)
    assert error.details["service_error_code"] == "0x80072326"
    assert error.details["retry_after"] == 3


@pytest.mark.parametrize(("kind", "status"), [("throttle", 429), ("unavailable", 503)])
def test_faults_are_transient(
    client: DataverseClient, dataverse: DataverseSession, kind: str, status: int
) -> None:
    client.records.list(CARD, top=1)
    dataverse.switch("faults", {"kind": kind, "count": 1, "retry_after": 7})
    error = refused(client)
    assert (error.status_code, error.is_transient) == (status, True)
    assert error.details["retry_after"] == 7
    client.records.list(CARD, top=1)


def test_a_dropped_connection_is_tried_again(
    client: DataverseClient, dataverse: DataverseSession
) -> None:
    client.records.list(CARD, top=1)
    dataverse.switch("faults", {"kind": "drop", "count": 1})
    assert len(client.records.list(CARD, top=1)) == 0
