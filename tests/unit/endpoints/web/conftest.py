"""A scripted service behind the transport, which takes it for Dataverse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from tests.unit.endpoints.scripted import Service


@pytest.fixture
def service() -> Iterator[Service]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Service(mock, "https://org.example/api/data/v9.2/")
