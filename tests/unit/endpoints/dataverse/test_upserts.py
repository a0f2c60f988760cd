"""Rows that hold what they are told, in one request; refusals that are named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import requests

from connector.endpoints.upserting import Upserting
from connector.errors import AccessError, MapError, UnreachableError
from connector.odata.batch import BatchResponse
from tests.unit.endpoints.dataverse.batches import id_of, no, script_batch, sent_batch

if TYPE_CHECKING:
    from connector.endpoints.dataverse import DataverseEndpoint
    from tests.unit.endpoints.scripted import Service

pytestmark = pytest.mark.usefixtures("points")
DONE = BatchResponse(204, {}, b"")


def test_all_rows_go_in_one_request_without_a_precondition(
    endpoint: DataverseEndpoint, service: Service
) -> None:
    assert isinstance(endpoint, Upserting)
    script_batch(service, DONE, DONE)
    endpoint.upsert("points", {id_of(1): {"name": "A", "rank": None}, id_of(2): {"name": "B"}})
    first, second = sent_batch(service)
    assert (first.method, first.url) == ("PATCH", f"/api/data/v9.2/points({id_of(1)})")
    assert json.loads(first.body) == {"name": "A", "rank": None}
    assert second.url.endswith(f"({id_of(2)})")
    assert not any(name.lower().startswith("if-") for name in first.headers)


def test_no_rows_ask_for_nothing(endpoint: DataverseEndpoint, service: Service) -> None:
    endpoint.upsert("points", {})
    assert service.calls("POST", "$batch") == []


def test_one_refused_row_is_an_error(endpoint: DataverseEndpoint, service: Service) -> None:
    script_batch(service, DONE, no(400, "0x80044331", "too long"))
    with pytest.raises(MapError) as told:
        endpoint.upsert("points", {id_of(1): {"name": "A"}, id_of(2): {"name": "B"}})
    assert "too long" in str(told.value)


def test_a_missing_right_is_named(endpoint: DataverseEndpoint, service: Service) -> None:
    script_batch(service, no(403, "0x80040220", "prvWritepoint"))
    with pytest.raises(AccessError):
        endpoint.upsert("points", {id_of(1): {"name": "A"}})


def test_a_lost_answer_is_no_answer(endpoint: DataverseEndpoint, service: Service) -> None:
    service.on("POST", "$batch", body=requests.ReadTimeout("too slow"))
    with pytest.raises(UnreachableError):
        endpoint.upsert("points", {id_of(1): {"name": "A"}})
